//! Places on earth: true distances on the spheroid, nearest neighbours that are exact everywhere, points in areas.

use std::sync::LazyLock;

use geographiclib_rs::{Geodesic, InverseGeodesic};
use rstar::{AABB, PointDistance, RTree, RTreeObject};

static WGS84: LazyLock<Geodesic> = LazyLock::new(Geodesic::wgs84);

/// Mean radius of the sphere on which candidates are ordered, in metres.
const SPHERE_M: f64 = 6_371_008.8;
/// On the spheroid no way is shorter than this share of the same way on the sphere: the least radius of curvature
/// (6 335 439 m, along the meridian at the equator) over the sphere's, rounded down.
const LEAST_SHARE: f64 = 0.9944;

/// A point, in degrees of WGS 84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// North is positive.
    pub lat: f64,
    /// East is positive.
    pub lng: f64,
}

impl Place {
    /// `None` when it is not on earth.
    pub fn new(lat: f64, lng: f64) -> Option<Self> {
        ((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lng)).then_some(Self { lat, lng })
    }

    /// Metres along the spheroid.
    pub fn metres_to(self, other: Self) -> f64 {
        WGS84.inverse(self.lat, self.lng, other.lat, other.lng)
    }

    /// The point on the unit sphere. Its chord to another grows with the great circle between them, poles and date line included.
    fn on_sphere(self) -> [f64; 3] {
        let (lat, lng) = (self.lat.to_radians(), self.lng.to_radians());
        [lat.cos() * lng.cos(), lat.cos() * lng.sin(), lat.sin()]
    }
}

/// A facility's index at its place on the sphere.
#[derive(Clone, Copy, Debug)]
struct Pin {
    at: [f64; 3],
    index: u32,
}

impl RTreeObject for Pin {
    type Envelope = AABB<[f64; 3]>;
    fn envelope(&self) -> Self::Envelope {
        AABB::from_point(self.at)
    }
}

impl PointDistance for Pin {
    fn distance_2(&self, point: &[f64; 3]) -> f64 {
        self.at.iter().zip(point).map(|(a, b)| (a - b) * (a - b)).sum()
    }
}

/// Places by nearness.
#[derive(Debug, Default)]
pub struct Near(RTree<Pin>);

impl Near {
    /// Built at once: a million places in well under a second.
    pub fn new(places: impl Iterator<Item = (u32, Place)>) -> Self {
        Self(RTree::bulk_load(places.map(|(index, place)| Pin { at: place.on_sphere(), index }).collect()))
    }

    /// How many places there are.
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// Candidates by growing distance on the sphere, each with the least distance that it can have on the spheroid, in metres.
    pub fn candidates(&self, from: Place) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.0.nearest_neighbor_iter_with_distance_2(from.on_sphere()).map(|(pin, chord_2)| {
            let angle = 2.0 * (chord_2.max(0.0).sqrt() / 2.0).min(1.0).asin();
            (pin.index, angle * SPHERE_M * LEAST_SHARE)
        })
    }
}

/// The nearest `n` that `keep` wants, exactly as a brute force on the spheroid would order them: by metres, then by `order`.
///
/// Candidates come by distance on the sphere; the search ends only when no later one can be nearer than the n-th found.
/// At most one pass over all places of the trees.
pub fn nearest<K: Ord>(
    trees: &[&Near],
    from: Place,
    n: usize,
    within_m: Option<f64>,
    mut place_of: impl FnMut(u32) -> Option<(Place, K)>,
) -> Vec<(u32, f64)> {
    let mut found: Vec<(f64, K, u32)> = Vec::with_capacity(n + 8);
    for tree in trees {
        for (index, least) in tree.candidates(from) {
            let worst =
                if found.len() >= n { found.last().map_or(f64::INFINITY, |last| last.0) } else { f64::INFINITY };
            if least > worst || within_m.is_some_and(|limit| least > limit) {
                break;
            }
            let Some((place, order)) = place_of(index) else { continue };
            let metres = from.metres_to(place);
            if within_m.is_some_and(|limit| metres > limit) {
                continue;
            }
            let at = found.partition_point(|(known, key, _)| (*known, key) < (metres, &order));
            if at < n {
                found.insert(at, (metres, order, index));
                found.truncate(n);
            }
        }
    }
    found.into_iter().map(|(metres, _, index)| (index, metres)).collect()
}

/// An area with its name: rings of all its parts, even-odd.
#[derive(Clone, Debug)]
pub struct Area {
    bounds: [f64; 4],
    rings: Vec<Vec<[f64; 2]>>,
}

impl Area {
    /// From rings of `[lng, lat]`.
    pub fn new(rings: Vec<Vec<[f64; 2]>>) -> Self {
        let mut bounds = [f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
        for [x, y] in rings.iter().flatten() {
            bounds = [bounds[0].min(*x), bounds[1].min(*y), bounds[2].max(*x), bounds[3].max(*y)];
        }
        Self { bounds, rings }
    }

    /// Whether a point lies inside.
    pub fn contains(&self, place: Place) -> bool {
        let [west, south, east, north] = self.bounds;
        if place.lng < west || place.lng > east || place.lat < south || place.lat > north {
            return false;
        }
        let mut inside = false;
        for ring in &self.rings {
            for pair in ring.windows(2) {
                let ([x1, y1], [x2, y2]) = (pair[0], pair[1]);
                if (y1 > place.lat) != (y2 > place.lat) && place.lng < (x2 - x1) * (place.lat - y1) / (y2 - y1) + x1 {
                    inside = !inside;
                }
            }
        }
        inside
    }

    /// Metres from a point to the nearest edge, on a local plane: good to a percent within a few tens of kilometres.
    pub fn metres_to_edge(&self, place: Place) -> f64 {
        const DEGREE_M: f64 = 111_195.0;
        let scale = place.lat.to_radians().cos();
        let flat = |p: [f64; 2]| [(p[0] - place.lng) * scale * DEGREE_M, (p[1] - place.lat) * DEGREE_M];
        let mut best = f64::INFINITY;
        for ring in &self.rings {
            for pair in ring.windows(2) {
                let ([x1, y1], [x2, y2]) = (flat(pair[0]), flat(pair[1]));
                let (dx, dy) = (x2 - x1, y2 - y1);
                let length_2 = dx * dx + dy * dy;
                let t = if length_2 > 0.0 { (-(x1 * dx + y1 * dy) / length_2).clamp(0.0, 1.0) } else { 0.0 };
                best = best.min((x1 + t * dx).hypot(y1 + t * dy));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_is_exact_everywhere_even_over_the_date_line_and_at_the_poles() {
        // A fixed lattice with an irrational step covers the sphere evenly.
        let places: Vec<Place> = (0..4000_i32)
            .map(|i| {
                Place::new(
                    (f64::from(i) * 0.618_034).fract().mul_add(2.0, -1.0).asin().to_degrees(),
                    (f64::from(i) * 0.414_214).fract() * 360.0 - 180.0,
                )
                .unwrap()
            })
            .collect();
        let near = Near::new(places.iter().enumerate().map(|(i, place)| (u32::try_from(i).unwrap(), *place)));
        for from in [(90.0, 0.0), (-90.0, 12.0), (0.0, 180.0), (0.0, -180.0), (5.3, -4.0), (48.8, 2.3), (-41.0, 179.9)]
        {
            let from = Place::new(from.0, from.1).unwrap();
            let got = nearest(&[&near], from, 20, None, |i| Some((places[i as usize], i)));
            let mut all: Vec<(f64, u32)> =
                places.iter().zip(0..).map(|(place, i)| (from.metres_to(*place), i)).collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            assert_eq!(
                got.iter().map(|(i, _)| *i).collect::<Vec<_>>(),
                all[..20].iter().map(|(_, i)| *i).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_radius_and_a_filter_bound_the_answer() {
        let places: Vec<Place> = (0..100).map(|i| Place::new(5.0 + f64::from(i) * 0.01, -4.0).unwrap()).collect();
        let near = Near::new(places.iter().zip(0..).map(|(place, i)| (i, *place)));
        let got = nearest(&[&near], places[0], 50, Some(10_000.0), |i| (i % 2 == 0).then(|| (places[i as usize], i)));
        assert_eq!(got.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [0, 2, 4, 6, 8]);
    }

    #[test]
    fn a_hole_is_outside() {
        let square = |a: f64, b: f64| vec![[a, a], [b, a], [b, b], [a, b], [a, a]];
        let area = Area::new(vec![square(0.0, 10.0), square(4.0, 6.0)]);
        assert!(area.contains(Place { lat: 1.0, lng: 1.0 }));
        assert!(!area.contains(Place { lat: 5.0, lng: 5.0 }));
        assert!(!area.contains(Place { lat: 11.0, lng: 5.0 }));
    }
}
