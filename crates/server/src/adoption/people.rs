//! Rows of `utilisateur`: identifiers in one spelling, no password in clear.

use std::collections::BTreeMap;

use anyhow::Context;
use identity::password;
use kernel::identifier::Countries;
use kernel::{Identifier, Random};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Report;
use super::passwords::{Kept, kind};
use super::shape::Shape;
use crate::config;

/// Rows in one read and one transaction.
const BATCH: i64 = 500;

#[derive(sqlx::FromRow)]
struct Row {
    id_user: i64,
    email: Option<String>,
    telephone: Option<String>,
    mdp: Option<String>,
}

/// Reads the rows a batch at a time, whatever types their columns have.
struct Reader {
    sql: String,
    after: i64,
}

impl Reader {
    fn of(shape: &Shape) -> Self {
        let [email, phone, password] = ["email", "telephone", "mdp"].map(|column| shape.text("utilisateur", column));
        let sql = format!(
            "SELECT id_user::bigint AS id_user, {email} AS email, {phone} AS telephone, {password} AS mdp
               FROM utilisateur WHERE id_user > $1 ORDER BY utilisateur.id_user LIMIT $2"
        );
        Self { sql, after: i64::MIN }
    }

    async fn next(&mut self, connection: &mut PgConnection) -> sqlx::Result<Vec<Row>> {
        let query = sqlx::query_as(AssertSqlSafe(self.sql.clone())).bind(self.after).bind(BATCH);
        let rows: Vec<Row> = query.fetch_all(connection).await?;
        self.after = rows.last().map_or(self.after, |row| row.id_user);
        Ok(rows)
    }
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
pub(super) async fn inspect(connection: &mut PgConnection, shape: &Shape, report: &mut Report) -> sqlx::Result<()> {
    let (countries, mut reader) = (countries(), Reader::of(shape));
    let mut owners: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let (mut people, mut clear, mut hashed) = (0_u64, 0_u64, 0_u64);
    loop {
        let rows = reader.next(connection).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            people += 1;
            match kind(row.mdp.as_deref()) {
                Kept::Clear => clear += 1,
                Kept::Hashed => hashed += 1,
                Kept::Nothing => {}
            }
            for (text, column) in [(row.email.as_deref(), "email"), (row.telephone.as_deref(), "phone")] {
                match normal(text, column, &countries) {
                    Ok(Some(normal)) => owners.entry(normal).or_default().push(row.id_user),
                    Ok(None) => {}
                    Err(why) => {
                        report.block(format!("utilisateur {}: its {column} cannot be read ({why})", row.id_user));
                    }
                }
            }
        }
    }
    for (identifier, ids) in owners.iter().filter(|(_, ids)| ids.len() > 1) {
        let masked =
            Identifier::parse(identifier, &countries).map_or_else(|_| "?".to_owned(), |identifier| identifier.masked());
        report.block(format!("{masked} belongs to several rows of utilisateur: {ids:?}"));
    }
    if people > 0 {
        report.note(format!(
            "{people} people; {clear} passwords in clear are hashed, {hashed} hashes are kept until the next sign-in"
        ));
    }
    undated(connection, shape, report).await
}

/// When somebody came is shown to that person: the day of the adoption stands for a day that nobody wrote down.
async fn undated(connection: &mut PgConnection, shape: &Shape, report: &mut Report) -> sqlx::Result<()> {
    let date = shape.text("utilisateur", "date_inscription");
    let sql = format!("SELECT count(*) FROM utilisateur WHERE {date} IS NULL");
    let undated: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await?;
    if undated > 0 {
        report.note(format!("{undated} people without date_inscription: today becomes theirs"));
    }
    Ok(())
}

/// The statement for [`undated`], after the migrations.
pub(super) const DATE: &str =
    "UPDATE utilisateur SET date_inscription = now() AT TIME ZONE 'UTC' WHERE date_inscription IS NULL";

/// Writes each row in our spelling. A row that is right already is only marked.
pub(super) async fn convert(connection: &mut PgConnection) -> anyhow::Result<()> {
    let shape = Shape::read(connection).await?;
    let (countries, random, mut reader) = (countries(), Random::system(), Reader::of(&shape));
    loop {
        let rows = reader.next(connection).await?;
        if rows.is_empty() {
            return Ok(());
        }
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

async fn write(
    connection: &mut PgConnection,
    id: i64,
    email: Option<&str>,
    phone: Option<&str>,
    mdp: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query("UPDATE utilisateur SET email = $2, telephone = $3, mdp = $4, adopte_le = coalesce(adopte_le, now()) WHERE id_user = $1")
        .bind(id)
        .bind(email)
        .bind(phone)
        .bind(mdp)
        .execute(connection)
        .await
        .map(drop)
}
