//! Rows of the first backend: their telephone numbers are read by ARTCI's rules, which SQL does not know.

use kernel::Db;

use crate::phone;

/// Rows of one statement.
const BATCH: i64 = 1000;

/// What became of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Numbers that can be dialled now.
    pub read: u64,
    /// Texts that no rule could read; they stay as they are and are never a button.
    pub unreadable: u64,
}

/// Reads the numbers of adopted rows: those of `liste_numero_etablissement_sante`, tied to the one facility of their name,
/// and the column `telephone` of `etablissement_sante`. Again and again it changes nothing more.
pub async fn adopt(db: &Db) -> Result<Adopted, sqlx::Error> {
    let mut adopted = Adopted::default();
    listed(db, &mut adopted).await?;
    columns(db, &mut adopted).await?;
    Ok(adopted)
}

async fn listed(db: &Db, adopted: &mut Adopted) -> Result<(), sqlx::Error> {
    let mut after = 0;
    loop {
        let rows: Vec<(i32, Option<String>)> = sqlx::query_as(
            "SELECT id_liste_num, numero FROM liste_numero_etablissement_sante
              WHERE id_liste_num > $1 AND e164 IS NULL AND numero_court IS NULL ORDER BY id_liste_num LIMIT $2",
        )
        .bind(after)
        .bind(BATCH)
        .fetch_all(&db.write)
        .await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = *last;
        for (id, written) in rows {
            let Ok(number) = phone::read(written.as_deref().unwrap_or("")) else {
                adopted.unreadable += 1;
                continue;
            };
            // A second row with the same number of the same facility stays as it is.
            let changed = sqlx::query(
                "WITH nom AS (SELECT min(e.id_etablissement) AS id FROM liste_numero_etablissement_sante n JOIN etablissement_sante e ON lower(e.nom) = lower(n.nom_etablissement)
                               WHERE n.id_liste_num = $1 HAVING count(*) = 1)
                 UPDATE liste_numero_etablissement_sante n SET e164 = $2, numero_court = $3, ancien_numero = $4, id_etablissement = COALESCE(n.id_etablissement, (SELECT id FROM nom)), source = COALESCE(n.source, 'adoption')
                  WHERE n.id_liste_num = $1
                    AND NOT EXISTS (SELECT FROM liste_numero_etablissement_sante a WHERE a.id_etablissement IS NOT DISTINCT FROM COALESCE(n.id_etablissement, (SELECT id FROM nom))
                                       AND a.e164 IS NOT DISTINCT FROM $2 AND a.numero_court IS NOT DISTINCT FROM $3)",
            )
            .bind(id)
            .bind(number.dial.e164())
            .bind(number.dial.short())
            .bind(number.former)
            .execute(&db.write)
            .await?;
            adopted.read += changed.rows_affected();
        }
    }
}

async fn columns(db: &Db, adopted: &mut Adopted) -> Result<(), sqlx::Error> {
    let mut after = 0;
    loop {
        let rows: Vec<(i32, String)> = sqlx::query_as(
            "SELECT e.id_etablissement, e.telephone FROM etablissement_sante e
              WHERE e.id_etablissement > $1 AND e.telephone <> ''
                AND NOT EXISTS (SELECT FROM liste_numero_etablissement_sante n WHERE n.id_etablissement = e.id_etablissement)
              ORDER BY e.id_etablissement LIMIT $2",
        )
        .bind(after)
        .bind(BATCH)
        .fetch_all(&db.write)
        .await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = *last;
        for (id, cell) in rows {
            let (numbers, refused) = phone::read_all(&cell);
            adopted.unreadable += refused.len() as u64;
            for number in numbers {
                let made = sqlx::query(
                    "INSERT INTO liste_numero_etablissement_sante (id_etablissement, nom_etablissement, numero, e164, numero_court, ancien_numero, source)
                     SELECT e.id_etablissement, e.nom, $2, $3, $4, $5, 'adoption' FROM etablissement_sante e WHERE e.id_etablissement = $1
                     ON CONFLICT (id_etablissement, e164, numero_court) WHERE e164 IS NOT NULL OR numero_court IS NOT NULL DO NOTHING",
                )
                .bind(id)
                .bind(number.dial.written())
                .bind(number.dial.e164())
                .bind(number.dial.short())
                .bind(number.former)
                .execute(&db.write)
                .await?;
                adopted.read += made.rows_affected();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;
    use sqlx::migrate::Migrator;

    use super::*;

    /// The database of the first backend with rows in the three tables, then all migrations.
    async fn adopted() -> testkit::TestDb {
        let test = testkit::empty_db().await;
        let migrator = Migrator::new(testkit::template::migrations_dir()).await.unwrap();
        for migration in migrator.iter() {
            sqlx::raw_sql(AssertSqlSafe(migration.sql.as_str().to_owned())).execute(&test.db.write).await.unwrap();
            if migration.version == 1 {
                let rows = "INSERT INTO etablissement_sante (nom, telephone, latitude, longitude, categorie) VALUES
                       ('Pharmacie Ancienne', '27 22 48 10 00 / 07070707', 5.3, -4.0, 'Pharmacie'), ('CHU Ancien', NULL, NULL, NULL, 'CHU'), (NULL, '', 0, 0, NULL);
                     INSERT INTO localisation (id_etablissement, latitude, longitude) VALUES (2, 5.1, -4.1), (2, 5.34, -3.99), (NULL, 5, -4), (3, NULL, NULL);
                     INSERT INTO liste_numero_etablissement_sante (nom_etablissement, numero) VALUES
                       ('CHU Ancien', '22481000'), ('chu ancien', '22481000'), ('Inconnu', 'appeler le matin'), (NULL, NULL), ('SAMU', '185');";
                sqlx::raw_sql(rows).execute(&test.db.write).await.unwrap();
            }
        }
        test
    }

    #[tokio::test]
    async fn rows_of_the_first_backend_keep_their_ids_and_come_onto_the_map() {
        let test = adopted().await;
        let rows: Vec<(i32, Option<f64>, i16, bool)> = sqlx::query_as(
            "SELECT e.id_etablissement, ST_Y(e.geom), e.type_id, v.id IS NOT NULL FROM etablissement_sante e LEFT JOIN v_etablissement_carte v ON v.id = e.public_id ORDER BY 1",
        )
        .fetch_all(&test.db.write)
        .await
        .unwrap();
        assert_eq!(
            rows,
            [(1, Some(5.3), 1, true), (2, Some(5.34), 2, true), (3, None, 99, false)],
            "the last place counts, 0/0 is nowhere"
        );
        assert_eq!(adopt(&test.db).await.unwrap(), Adopted { read: 4, unreadable: 2 });
        let numbers: Vec<(Option<i32>, Option<String>)> =
            sqlx::query_as("SELECT id_etablissement, tel_uri FROM liste_numero_etablissement_sante WHERE tel_uri IS NOT NULL ORDER BY id_liste_num").fetch_all(&test.db.write).await.unwrap();
        let uri = |uri: &str| Some(uri.to_owned());
        assert_eq!(
            numbers,
            [
                (Some(2), uri("tel:+2252722481000")),
                (None, uri("tel:185")),
                (Some(1), uri("tel:+2252722481000")),
                (Some(1), uri("tel:+2250707070707"))
            ]
        );
        assert_eq!(adopt(&test.db).await.unwrap().read, 0, "again it changes nothing");
        // What the first backend never said is national is not an emergency number of the nation.
        let atlas = crate::atlas::load(&test.db.read, kernel::Clock::system().now()).await.unwrap();
        assert!(atlas.numbers.is_empty() && atlas.on_map() == 2);
    }
}
