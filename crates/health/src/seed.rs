//! What the program ships: real facilities of Côte d'Ivoire whose licence allows it, so that the map is alive at the first start.

use kernel::Db;

use crate::emergency;
use crate::import::{Content, ImportError, ImportOptions, Report, World, run_bytes};

const HEALTHSITES: &[u8] = include_bytes!("../data/healthsites_civ_2020.csv.gz");
const BOUNDARIES: &[u8] = include_bytes!("../data/subprefectures.geojson.gz");
const TOWNS: &[u8] = include_bytes!("../data/towns_geonames_civ.csv.gz");

/// Writes the shipped data; what is there already is left alone. Areas come first, so that facilities know where they lie.
pub async fn seed(world: &World) -> Result<Vec<(&'static str, Report)>, ImportError> {
    if complete(&world.db).await? {
        return Ok(Vec::new());
    }
    let parts: [(&'static str, &str, &[u8]); 4] = [
        ("subprefectures.geojson.gz", "boundaries", BOUNDARIES),
        ("towns_geonames_civ.csv.gz", "towns", TOWNS),
        ("emergency_numbers.csv", "numbers", emergency::SHIPPED.as_bytes()),
        ("healthsites_civ_2020.csv.gz", "healthsites", HEALTHSITES),
    ];
    let mut reports = Vec::with_capacity(parts.len());
    for (name, source, bytes) in parts {
        let content: Content = source.parse()?;
        reports.push((name, run_bytes(world, &ImportOptions::new(name, content), bytes).await?));
    }
    Ok(reports)
}

/// An operator's newer data is never overwritten by the shipped file of 2020: one facility of a source is enough to stop.
async fn complete(db: &Db) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM source_etablissement) AND EXISTS (SELECT FROM unite_administrative)
            AND EXISTS (SELECT FROM localite) AND EXISTS (SELECT FROM liste_numero_etablissement_sante WHERE source = 'numbers')",
    )
    .fetch_one(&db.write)
    .await
}
