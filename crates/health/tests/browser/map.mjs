// Opens /map in a headless Chromium, looks for something, calls nobody, and leaves a picture.
// node map.mjs BASE_URL CHROMIUM PICTURE
import { chromium } from 'playwright-core';

const [base, executablePath, picture] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
});
const told = { foreign: [], errors: [], tiles: 0 };
try {
  const page = await browser.newPage({ viewport: { width: 1100, height: 760 }, locale: 'fr-FR' });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(base) && !url.startsWith('blob:') && !url.startsWith('data:')) told.foreign.push(url);
    if (url.includes('/tiles/')) told.tiles += 1;
  });
  page.on('pageerror', (error) => told.errors.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') told.errors.push(message.text()); });
  await page.goto(base + '/map');
  await page.waitForSelector('body[data-map=idle]', { timeout: 60000 });
  await page.screenshot({ path: picture.replace(/\.png$/, '-country.png') });
  told.emergency = await page.locator('#emergency a').evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  await page.fill('#q', 'pharmacie yopougon');
  await page.click('#search button[type=submit]');
  await page.waitForSelector('#results li', { timeout: 30000 });
  await page.waitForFunction(() => !document.getElementById('status').textContent.includes('Recherche'));
  told.results = await page.locator('#results li').count();
  told.first = await page.locator('#results li .name').first().textContent();
  told.status = await page.textContent('#status');
  told.calls = await page.locator('#results .calls a[href^="tel:"]').count();
  told.ways = await page.locator('#results .calls a.way').count();
  // After the jump to the first answer the map is idle again, with points of our own tiles.
  await page.evaluate(() => { delete document.body.dataset.map; });
  await page.waitForSelector('body[data-map=idle]', { timeout: 10000 }).catch(() => undefined);
  await page.screenshot({ path: picture });
  await page.selectOption('#type', 'hospital');
  await page.fill('#q', '');
  await page.click('#center');
  await page.waitForFunction(() => document.getElementById('status').textContent === 'Les plus proches', { timeout: 30000 });
  told.hospitals = await page.locator('#results li').count();
} finally {
  await browser.close();
}
console.log(JSON.stringify(told));
