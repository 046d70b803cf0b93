//! Nearest facilities in the database at a million of them: `million DATABASE_URL`, on a database with the migrations and
//! nothing in it. Prints what `make bench` keeps; ends with an error when an answer is not the brute force's.

use std::time::{Duration, Instant};

use kernel::Random;
use sqlx::{Connection, PgConnection};

const FACILITIES: i32 = 1_000_000;
const QUERIES: u32 = 1_000;
const CHECKED: u32 = 50;

/// Most around Abidjan and Bouaké, the rest all over the country; a type of 12 %, one of 0.9 %, one of 0.02 %.
const FILL: &str = "
INSERT INTO etablissement_sante (nom, categorie, type_id, latitude, longitude, geom)
SELECT 'Établissement ' || i, 'essai',
       CASE WHEN i % 5000 = 0 THEN 12 WHEN i % 110 = 0 THEN 8 WHEN i % 8 = 0 THEN 1 ELSE 4 END,
       ST_Y(p), ST_X(p), p
  FROM (SELECT i, CASE WHEN i % 3 = 0 THEN ST_SetSRID(ST_MakePoint(-4.0 + (random() - 0.5) * 0.4, 5.35 + (random() - 0.5) * 0.3), 4326)
                       WHEN i % 3 = 1 THEN ST_SetSRID(ST_MakePoint(-5.03 + (random() - 0.5) * 0.3, 7.69 + (random() - 0.5) * 0.3), 4326)
                       ELSE ST_SetSRID(ST_MakePoint(-8.4 + random() * 5.8, 4.4 + random() * 6.2), 4326) END AS p
          FROM generate_series(1, $1) i) s";

const BRUTE: &str = "
SELECT e.public_id FROM etablissement_sante e WHERE e.etat = 'ouvert' AND ($3::smallint[] IS NULL OR e.type_id = ANY ($3))
 ORDER BY ST_Distance(e.geom::geography, ST_SetSRID(ST_MakePoint($2, $1), 4326)::geography), e.public_id LIMIT 20";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("million DATABASE_URL")?;
    let mut connection = PgConnection::connect(&url).await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM etablissement_sante").fetch_one(&mut connection).await?;
    if known == 0 {
        sqlx::query(FILL).bind(FACILITIES).execute(&mut connection).await?;
        sqlx::query("ANALYZE etablissement_sante").execute(&mut connection).await?;
    }
    let random = Random::seeded(7);
    let unit = |random: &Random| f64::from(random.below(1_000_000)) / 1e6;
    for (name, types) in [
        ("all kinds", None),
        ("12 %", Some(vec![1_i16])),
        ("0.9 %", Some(vec![8])),
        ("0.02 %", Some(vec![12])),
        ("two kinds", Some(vec![1, 8])),
    ] {
        let mut took: Vec<Duration> = Vec::new();
        for n in 0..QUERIES {
            let (lat, lng) = if n % 2 == 0 {
                (5.2 + unit(&random) * 0.3, -4.15 + unit(&random) * 0.3)
            } else {
                (4.4 + unit(&random) * 6.2, -8.5 + unit(&random) * 5.9)
            };
            let started = Instant::now();
            let found: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM etablissements_proches($1, $2, 20, $3)")
                .bind(lat)
                .bind(lng)
                .bind(&types)
                .fetch_all(&mut connection)
                .await?;
            took.push(started.elapsed());
            if n < CHECKED / 5 {
                let brute: Vec<uuid::Uuid> =
                    sqlx::query_scalar(BRUTE).bind(lat).bind(lng).bind(&types).fetch_all(&mut connection).await?;
                if brute != found {
                    return Err(format!("{name}: not the brute force's answer at {lat} {lng}").into());
                }
            }
        }
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
        eprintln!(
            "nearest 20 of {FACILITIES}, {name}: median {:.2?}, p99 {:.2?}; {} exact",
            at(50),
            at(99),
            CHECKED / 5
        );
    }
    Ok(())
}
