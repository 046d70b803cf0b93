//! Rows of `utilisateur`: identifiers in one spelling, no password in clear.

use std::collections::BTreeMap;

use anyhow::Context;
use identity::password;
use kernel::identifier::Countries;
use kernel::{Identifier, Random};
use sqlx::{Connection, PgConnection};

use super::Report;
use super::passwords::{Kept, kind};
use crate::config;

/// Rows in one read and one transaction.
const BATCH: i64 = 500;

#[derive(sqlx::FromRow)]
struct Row {
    id_user: i32,
    email: Option<String>,
    telephone: Option<String>,
    mdp: Option<String>,
}

async fn read(connection: &mut PgConnection, after: i32) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as("SELECT id_user, email, telephone, mdp FROM utilisateur WHERE id_user > $1 ORDER BY id_user LIMIT $2")
        .bind(after)
        .bind(BATCH)
        .fetch_all(connection)
        .await
}

fn countries() -> Countries {
    config::variable("HOSTOLINK_COUNTRIES").and_then(|list| Countries::parse(&list).ok()).unwrap_or_default()
}

/// In its one spelling, nothing for an empty text, or why it cannot be read. An e-mail column may hold e-mails only.
fn normal(text: Option<&str>, kind: &str, countries: &Countries) -> Result<Option<String>, &'static str> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    match Identifier::parse(text, countries) {
        Ok(identifier) if identifier.kind() == kind => Ok(Some(identifier.as_str().to_owned())),
        Ok(_) => Err("is of the other kind"),
        Err(refused) => Err(refused.code()),
    }
}

/// Reads every row and changes none.
pub(super) async fn inspect(connection: &mut PgConnection, report: &mut Report) -> sqlx::Result<()> {
    let (countries, mut after) = (countries(), i32::MIN);
    let mut owners: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    let mut counts = (0_u64, 0_u64, 0_u64);
    loop {
        let rows = read(connection, after).await?;
        let Some(last) = rows.last() else { break };
        after = last.id_user;
        for row in &rows {
            counts.0 += 1;
            match kind(row.mdp.as_deref()) {
                Kept::Clear => counts.1 += 1,
                Kept::Hashed => counts.2 += 1,
                Kept::Nothing => {}
            }
            for (text, column) in [(row.email.as_deref(), "email"), (row.telephone.as_deref(), "phone")] {
                match normal(text, column, &countries) {
                    Ok(Some(normal)) => owners.entry(normal).or_default().push(row.id_user),
                    Ok(None) => {}
                    Err(why) => report.block(format!("utilisateur {}: its {column} cannot be read ({why})", row.id_user)),
                }
            }
        }
    }
    for (identifier, ids) in owners.iter().filter(|(_, ids)| ids.len() > 1) {
        let masked = Identifier::parse(identifier, &countries).map_or_else(|_| "?".to_owned(), |identifier| identifier.masked());
        report.block(format!("{masked} belongs to several rows of utilisateur: {ids:?}"));
    }
    if counts.0 > 0 {
        report.note(format!("{} people; {} passwords in clear are hashed, {} hashes are kept until the next sign-in", counts.0, counts.1, counts.2));
    }
    Ok(())
}

/// Writes each row in our spelling. A row that is right already is only marked.
pub(super) async fn convert(connection: &mut PgConnection) -> anyhow::Result<()> {
    let (countries, random, mut after) = (countries(), Random::system(), i32::MIN);
    loop {
        let rows = read(connection, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id_user;
        let mut transaction = connection.begin().await?;
        for row in &rows {
            let email = normal(row.email.as_deref(), "email", &countries);
            let phone = normal(row.telephone.as_deref(), "phone", &countries);
            let (Ok(email), Ok(phone)) = (email, phone) else {
                anyhow::bail!("utilisateur {}: an identifier changed since it was checked", row.id_user);
            };
            let mdp = match (kind(row.mdp.as_deref()), &row.mdp) {
                (Kept::Clear, Some(clear)) => Some(password::hash_now(clear, &random).context("hashing a password")?),
                (Kept::Nothing, _) => None,
                (_, mdp) => mdp.clone(),
            };
            write(&mut transaction, row.id_user, email.as_deref(), phone.as_deref(), mdp.as_deref()).await?;
        }
        transaction.commit().await?;
    }
}

async fn write(connection: &mut PgConnection, id: i32, email: Option<&str>, phone: Option<&str>, mdp: Option<&str>) -> sqlx::Result<()> {
    sqlx::query("UPDATE utilisateur SET email = $2, telephone = $3, mdp = $4, adopte_le = coalesce(adopte_le, now()) WHERE id_user = $1")
        .bind(id)
        .bind(email)
        .bind(phone)
        .bind(mdp)
        .execute(connection)
        .await
        .map(drop)
}
