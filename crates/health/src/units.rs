//! Administrative areas and health districts: which ones a place lies in.

use serde_json::Value;
use sqlx::PgPool;

use crate::geo::{Area, Place};

/// Regions, departments and so on, as they nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 33 of them.
    Region,
    /// 108.
    Department,
    /// 510.
    SubPrefecture,
    /// Only where an operator imported their polygons.
    Commune,
    /// Likewise.
    HealthDistrict,
}

impl Level {
    /// As the table says it.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "region" => Self::Region,
            "departement" => Self::Department,
            "sous_prefecture" => Self::SubPrefecture,
            "commune" => Self::Commune,
            "district_sanitaire" => Self::HealthDistrict,
            _ => return None,
        })
    }
}

/// One area.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its level.
    pub level: Level,
    /// `CI030201`, or the source's own.
    pub pcode: String,
    /// As the source writes it.
    pub name: String,
    area: Area,
}

/// All areas.
#[derive(Clone, Debug, Default)]
pub struct Units(Vec<Unit>);

/// What a place lies in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Name and code of each level, where there is one.
    pub region: Option<(String, String)>,
    /// Department.
    pub department: Option<(String, String)>,
    /// Sub-prefecture.
    pub sub_prefecture: Option<(String, String)>,
    /// Commune.
    pub commune: Option<(String, String)>,
    /// Health district.
    pub health_district: Option<(String, String)>,
}

/// Simplified coasts cut corners: a place this near to an area belongs to it when it lies in none, in metres.
const SHORE_M: f64 = 3_000.0;
/// Where nothing is imported, the country is its box: west, south, east, north in degrees.
const BOX: [f64; 4] = [-8.7, 4.1, -2.4, 10.8];

impl Units {
    /// Reads the table. Bounded by the areas of one country.
    pub async fn load(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let rows: Vec<(String, String, String, String)> = sqlx::query_as(
            "SELECT niveau, pcode, nom, ST_AsGeoJSON(geom, 6) FROM unite_administrative ORDER BY id LIMIT 20000",
        )
        .fetch_all(pool)
        .await?;
        let units = rows.into_iter().filter_map(|(level, pcode, name, shape)| {
            let shape: Value = serde_json::from_str(&shape).ok()?;
            Some(Unit { level: Level::parse(&level)?, pcode, name, area: Area::new(rings(shape.get("coordinates")?)) })
        });
        Ok(Self(units.collect()))
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of one level.
    pub fn of(&self, level: Level) -> impl Iterator<Item = &Unit> {
        self.0.iter().filter(move |unit| unit.level == level)
    }

    fn at(&self, level: Level, place: Place) -> Option<&Unit> {
        self.of(level).find(|unit| unit.area.contains(place))
    }

    /// The area that holds a place, or the nearest within three kilometres.
    fn near(&self, level: Level, place: Place) -> Option<&Unit> {
        self.at(level, place).or_else(|| {
            let measured = self
                .of(level)
                .map(|unit| (unit.area.metres_to_edge(place), unit))
                .filter(|(metres, _)| *metres <= SHORE_M);
            measured.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, unit)| unit)
        })
    }

    /// Whether a place lies in the country.
    pub fn holds(&self, place: Place) -> bool {
        let [west, south, east, north] = BOX;
        let boxed = (west..=east).contains(&place.lng) && (south..=north).contains(&place.lat);
        boxed && (self.of(Level::SubPrefecture).next().is_none() || self.near(Level::SubPrefecture, place).is_some())
    }

    /// Everything that a place lies in. The higher areas follow from the sub-prefecture's code, so that they always agree.
    pub fn inside(&self, place: Place) -> Inside {
        let named = |unit: Option<&Unit>| unit.map(|unit| (unit.name.clone(), unit.pcode.clone()));
        let [west, south, east, north] = BOX;
        if !(west..=east).contains(&place.lng) || !(south..=north).contains(&place.lat) {
            return Inside::default();
        }
        let lowest = self.near(Level::SubPrefecture, place);
        let above = |level: Level| match lowest {
            Some(unit) => self.of(level).find(|higher| unit.pcode.starts_with(&higher.pcode)),
            None => self.at(level, place),
        };
        Inside {
            region: named(above(Level::Region)),
            department: named(above(Level::Department)),
            sub_prefecture: named(lowest),
            commune: named(self.at(Level::Commune, place)),
            health_district: named(self.at(Level::HealthDistrict, place)),
        }
    }
}

/// All rings of a Polygon's or MultiPolygon's coordinates.
fn rings(coordinates: &Value) -> Vec<Vec<[f64; 2]>> {
    fn point(value: &Value) -> Option<[f64; 2]> {
        Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?])
    }
    let Some(list) = coordinates.as_array() else { return Vec::new() };
    if list.first().and_then(point).is_some() {
        return vec![list.iter().filter_map(point).collect()];
    }
    list.iter().flat_map(rings).collect()
}
