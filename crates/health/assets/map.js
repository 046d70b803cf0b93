// The map page. Everything it asks for comes from the server that sent it.
import * as maplibregl from '/map/maplibre-gl.mjs';

const api = location.origin + '/api';
const byId = (id) => document.getElementById(id);
const results = byId('results');
const status = byId('status');

/** A refusal's sentence, or the data. A page that cannot ask says so instead of staying silent. */
async function ask(path) {
  const response = await fetch(api + path, { headers: { 'Accept-Language': 'fr' } });
  const body = await response.json();
  if (!response.ok) throw new Error(body.message);
  return body.data;
}

const colours = ['match', ['get', 'type'], 'pharmacy', '#0a8f3c', 'hospital', '#c01525', 'clinic', '#b3541e', 'health_center', '#1f5fbf',
  'doctor', '#6a3fb5', 'dentist', '#0f7f8c', 'maternity', '#c2388a', '#4a5662'];

const map = new maplibregl.Map({
  container: 'map', center: [-5.55, 7.55], zoom: 5.8, attributionControl: false, maxPitch: 0,
  style: {
    version: 8,
    sources: {
      areas: { type: 'vector', tiles: [api + '/tiles/boundaries/{z}/{x}/{y}.mvt'], maxzoom: 11 },
      places: { type: 'vector', tiles: [api + '/tiles/facilities/{z}/{x}/{y}.mvt'], maxzoom: 14 },
    },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': '#d9e9f2' } },
      { id: 'land', type: 'fill', source: 'areas', 'source-layer': 'regions', paint: { 'fill-color': '#f7f3ea' } },
      { id: 'subs', type: 'line', source: 'areas', 'source-layer': 'sub_prefectures', paint: { 'line-color': '#d8d0c0', 'line-width': .6 } },
      { id: 'departments', type: 'line', source: 'areas', 'source-layer': 'departments', paint: { 'line-color': '#c4b99f', 'line-width': .8 } },
      { id: 'regions', type: 'line', source: 'areas', 'source-layer': 'regions', paint: { 'line-color': '#8f8468', 'line-width': 1.2 } },
      { id: 'names', type: 'symbol', source: 'areas', 'source-layer': 'names', filter: ['==', ['get', 'level'], 'region'], maxzoom: 9, layout: { 'text-field': ['get', 'name'], 'text-size': 11, 'text-max-width': 7 }, paint: { 'text-color': '#5c5340', 'text-halo-color': '#f7f3ea', 'text-halo-width': 1.2 } },
      { id: 'clusters', type: 'circle', source: 'places', 'source-layer': 'clusters', paint: { 'circle-color': '#0b4f45', 'circle-opacity': .75, 'circle-radius': ['interpolate', ['linear'], ['sqrt', ['get', 'count']], 1, 5, 30, 26] } },
      { id: 'points', type: 'circle', source: 'places', 'source-layer': 'facilities', paint: { 'circle-color': colours, 'circle-stroke-color': '#fff', 'circle-stroke-width': 1.2, 'circle-radius': ['interpolate', ['linear'], ['zoom'], 9, 3, 15, 8] } },
      { id: 'labels', type: 'symbol', source: 'places', 'source-layer': 'facilities', minzoom: 14, layout: { 'text-field': ['get', 'name'], 'text-size': 12, 'text-offset': [0, 1.1], 'text-anchor': 'top', 'text-max-width': 9 }, paint: { 'text-color': '#17212b', 'text-halo-color': '#fff', 'text-halo-width': 1.4 } },
    ],
  },
});
map.addControl(new maplibregl.NavigationControl({ showCompass: false }));
map.addControl(new maplibregl.ScaleControl());
let marker = null;

/** The filters as query parameters. */
function filters() {
  const query = new URLSearchParams();
  if (byId('type').value) query.set('type', byId('type').value);
  if (byId('open').checked) query.set('openNow', 'true');
  if (byId('duty').checked) query.set('onDuty', 'true');
  return query;
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const kilometres = (metres) => metres < 1000 ? `${metres} m` : `${(metres / 1000).toFixed(1).replace('.', ',')} km`;

function opening(facility) {
  if (facility.onDuty) return element('span', { class: 'yes' }, 'De garde');
  if (facility.openNow === true) return element('span', { class: 'yes' }, 'Ouvert');
  if (facility.openNow === false) return element('span', { class: 'no' }, 'Fermé');
  return element('span', {}, 'Horaires inconnus');
}

function card(facility) {
  const name = element('button', { type: 'button', class: 'name' }, facility.name);
  name.addEventListener('click', () => show(facility));
  const where = [facility.typeLabel, facility.address, facility.commune || facility.subPrefecture].filter(Boolean).join(' · ');
  const distance = facility.distanceMeters == null ? '' : ` · ${kilometres(facility.distanceMeters)}`;
  const calls = element('div', { class: 'calls' });
  for (const phone of facility.phones) {
    const text = phone.toVerify ? `${phone.number} (à vérifier)` : `Appeler ${phone.number}`;
    calls.append(element('a', { href: phone.telUri, class: phone.toVerify ? 'doubt' : '' }, text));
  }
  if (facility.directionsUri) calls.append(element('a', { href: facility.directionsUri, class: 'way', rel: 'noreferrer' }, 'Itinéraire'));
  const sources = facility.sources.map((source) => source.name).join(', ');
  return element('li', { 'data-id': facility.id }, name, element('p', { class: 'meta' }, where + distance), element('p', { class: 'meta' }, opening(facility),
    facility.openingHours ? ` · ${facility.openingHours}` : '', sources ? ` · source : ${sources}` : ''), calls);
}

function show(facility) {
  if (!facility.location) return;
  const at = [facility.location.lng, facility.location.lat];
  if (marker) marker.remove();
  marker = new maplibregl.Marker({ color: '#c01525' }).setLngLat(at).addTo(map);
  map.easeTo({ center: at, zoom: Math.max(map.getZoom(), 15), duration: 0 });
}

function fill(facilities, sentence) {
  results.replaceChildren(...facilities.map(card));
  status.textContent = sentence;
}

async function guarded(work) {
  status.textContent = 'Recherche…';
  try { await work(); } catch (error) { status.textContent = error.message || 'Le serveur ne répond pas.'; }
}

async function search() {
  const query = filters();
  const centre = map.getCenter();
  query.set('q', byId('q').value.trim());
  // The middle of a whole country is nobody's position.
  if (map.getZoom() >= 10) {
    query.set('lat', centre.lat.toFixed(4));
    query.set('lng', centre.lng.toFixed(4));
  }
  const data = await ask('/facilities?' + query);
  fill(data.items, data.total ? `${data.total} réponse(s)${data.place ? ' près de ' + data.place.name : ''}` : 'Rien de tel. Essayez un autre mot ou un lieu.');
  if (data.items[0]) show(data.items[0]);
}

async function around(lat, lng) {
  const query = filters();
  query.set('lat', lat.toFixed(4));
  query.set('lng', lng.toFixed(4));
  const data = await ask('/facilities/nearby?' + query);
  fill(data.items, data.items.length ? 'Les plus proches' : 'Rien de tel.');
}

byId('search').addEventListener('submit', (event) => {
  event.preventDefault();
  const centre = map.getCenter();
  guarded(() => byId('q').value.trim() ? search() : around(centre.lat, centre.lng));
});
byId('center').addEventListener('click', () => { const centre = map.getCenter(); guarded(() => around(centre.lat, centre.lng)); });
byId('locate').addEventListener('click', () => navigator.geolocation.getCurrentPosition(
  (position) => { const { latitude, longitude } = position.coords; map.easeTo({ center: [longitude, latitude], zoom: 14, duration: 0 }); guarded(() => around(latitude, longitude)); },
  () => { status.textContent = 'Position inconnue : cherchez un lieu ou déplacez la carte.'; }, { timeout: 10000 }));
byId('type').addEventListener('change', () => {
  const kind = byId('type').value;
  map.getSource('places').setTiles([api + '/tiles/facilities/{z}/{x}/{y}.mvt' + (kind ? '?type=' + kind : '')]);
});
map.on('click', 'points', async (event) => {
  const id = event.features[0].properties.id;
  await guarded(async () => { const data = await ask('/facilities/' + id); fill([data.facility], ''); show(data.facility); });
});
map.on('click', 'clusters', (event) => map.easeTo({ center: event.lngLat, zoom: map.getZoom() + 2 }));
for (const layer of ['points', 'clusters']) {
  map.on('mouseenter', layer, () => { map.getCanvas().style.cursor = 'pointer'; });
  map.on('mouseleave', layer, () => { map.getCanvas().style.cursor = ''; });
}
map.on('idle', () => { document.body.dataset.map = 'idle'; });

ask('/emergency-numbers').then((data) => {
  for (const number of data.items.filter((one) => one.scope === 'national' && ['medical', 'fire', 'police'].includes(one.category) && one.number.length <= 4).slice(0, 4)) {
    byId('emergency').append(element('a', { href: number.telUri }, number.number, element('span', {}, number.label)));
  }
}).catch(() => { byId('emergency').append(element('a', { href: 'tel:185' }, '185', element('span', {}, 'SAMU')), element('a', { href: 'tel:180' }, '180', element('span', {}, 'Pompiers'))); });
