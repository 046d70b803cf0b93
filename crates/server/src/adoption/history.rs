//! Operations of the first backend: shown as they were, outside of the books, and never as if they could still happen.

use sqlx::{AssertSqlSafe, PgConnection};
use unicode_normalization::UnicodeNormalization;
use wallet::ledger::Status;

use super::plan::Plan;
use super::shape::Shape;
use super::sql::quoted;

/// Different words in `statut`; a column with more holds no states.
const MAX_WORDS: i64 = 500;

/// Words that a report quotes, and the length of each.
const QUOTED: usize = 8;
const QUOTED_LETTERS: usize = 24;

/// How the states are to be read.
#[derive(Clone, Debug)]
pub(super) enum History {
    /// There was no state: operations were written when they were done.
    AllDone,
    /// A word and the state that it means; all others are unknown.
    Words(Vec<(String, Status)>),
}

const DONE: [&str; 25] = [
    "reussie",
    "reussi",
    "reussite",
    "succes",
    "success",
    "successful",
    "succeeded",
    "ok",
    "valide",
    "validee",
    "validated",
    "termine",
    "terminee",
    "complete",
    "completee",
    "completed",
    "done",
    "paye",
    "payee",
    "paid",
    "effectue",
    "effectuee",
    "confirme",
    "confirmee",
    "approved",
];
const FAILED: [&str; 24] = [
    "echouee",
    "echoue",
    "echec",
    "failed",
    "failure",
    "fail",
    "error",
    "erreur",
    "ko",
    "annule",
    "annulee",
    "cancelled",
    "canceled",
    "refuse",
    "refusee",
    "rejete",
    "rejetee",
    "rejected",
    "declined",
    "rembourse",
    "remboursee",
    "refunded",
    "bloque",
    "bloquee",
];
/// Nobody will settle them any more.
const OPEN: [&str; 12] = [
    "attente",
    "en attente",
    "en cours",
    "pending",
    "processing",
    "in progress",
    "initie",
    "initiee",
    "initiated",
    "created",
    "nouveau",
    "expiree",
];

/// What a word of the first backend means: case, accents and `_` or `-` between words do not matter.
fn meaning(word: &str) -> Option<Status> {
    let plain: String = word
        .nfd()
        .filter(|letter| letter.is_alphanumeric() || letter.is_whitespace() || matches!(letter, '_' | '-'))
        .map(|letter| if matches!(letter, '_' | '-') { ' ' } else { letter })
        .flat_map(char::to_lowercase)
        .collect();
    let plain = plain.trim();
    [(&DONE[..], Status::Succeeded), (&FAILED[..], Status::Failed), (&OPEN[..], Status::Expired)]
        .into_iter()
        .find(|(words, _)| words.contains(&plain))
        .map(|(_, status)| status)
}

pub(super) async fn inspect(connection: &mut PgConnection, shape: &Shape, plan: &mut Plan) -> sqlx::Result<()> {
    if !shape.has("transaction") {
        return Ok(());
    }
    sides(connection, shape, plan).await?;
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM transaction").fetch_one(&mut *connection).await?;
    if shape.column("transaction", "statut").is_none() {
        if total > 0 {
            plan.report
                .note(format!("transaction has no column statut: its {total} operations are shown as succeeded"));
        }
        plan.history = Some(History::AllDone);
        return Ok(());
    }
    let sql = format!("SELECT statut::text, count(*) FROM transaction GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_WORDS}");
    let words: Vec<(Option<String>, i64)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(connection).await?;
    let (mut known, mut counts) = (Vec::new(), [0_i64; 3]);
    let mut unknown = Vec::new();
    for (word, count) in words {
        match (word.as_deref().and_then(meaning), word) {
            (Some(status), Some(word)) => {
                counts[match status {
                    Status::Succeeded => 0,
                    Status::Failed => 1,
                    _ => 2,
                }] += count;
                known.push((word, status));
            }
            (_, word) => unknown.push(word.map_or_else(
                || "NULL".to_owned(),
                |word| format!("\"{}\"", word.chars().take(QUOTED_LETTERS).collect::<String>()),
            )),
        }
    }
    if total > 0 {
        let [done, failed, open] = counts;
        plan.report.note(format!("transaction: {done} operations succeeded, {failed} failed, {open} were never settled and are shown as expired"));
    }
    let rest = total - counts.iter().sum::<i64>();
    if rest > 0 {
        unknown.truncate(QUOTED);
        plan.report.note(format!(
            "transaction: {rest} operations of a state that is not known ({}) are shown as expired, with their word in the note",
            unknown.join(", ")
        ));
    }
    plan.history = Some(History::Words(known));
    Ok(())
}

/// The accounts of an operation may stand in columns of other names: references to `compte`, called like a side.
async fn sides(connection: &mut PgConnection, shape: &Shape, plan: &mut Plan) -> sqlx::Result<()> {
    let references: Vec<String> = sqlx::query_scalar(
        "SELECT a.attname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
          WHERE k.contype = 'f' AND cardinality(k.conkey) = 1 AND c.relnamespace = current_schema()::regnamespace
            AND c.relname = 'transaction' AND r.relname = 'compte' ORDER BY 1",
    )
    .fetch_all(connection)
    .await?;
    for (column, meanings) in [
        ("id_compte_expediteur", ["source", "expediteur", "emetteur", "debit", "from", "sender", "payeur"]),
        ("id_compte_recepteur", ["destin", "recepteur", "beneficiaire", "credit", "to_", "receiver", "payee"]),
    ] {
        if shape.column("transaction", column).is_some() {
            continue;
        }
        let found =
            references.iter().filter(|name| meanings.iter().any(|meaning| name.to_lowercase().contains(meaning)));
        match found.collect::<Vec<_>>().as_slice() {
            [one] => {
                plan.before.push(format!("UPDATE transaction SET {column} = {}", quoted(one)));
                plan.report.note(format!("transaction.{one} is copied to {column}"));
            }
            _ => plan
                .report
                .note(format!("transaction has no column {column}: old operations are shown without that side")),
        }
    }
    Ok(())
}

/// Writes our states over the old ones, which stay in `statut_origine`; an unknown one stands in the note too.
pub(super) async fn settle(connection: &mut PgConnection, history: &History) -> sqlx::Result<()> {
    let (words, statuses): (Vec<&str>, Vec<&str>) = match history {
        History::AllDone => (Vec::new(), Vec::new()),
        History::Words(words) => words.iter().map(|(word, status)| (word.as_str(), status.stored())).unzip(),
    };
    let otherwise = match history {
        History::AllDone => Status::Succeeded,
        History::Words(_) => Status::Expired,
    };
    sqlx::query(
        "WITH connus AS MATERIALIZED (SELECT * FROM unnest($1::text[], $2::text[]) AS connu (mot, etat))
         UPDATE transaction t SET
           statut_origine = t.statut,
           statut = coalesce((SELECT etat FROM connus WHERE mot = t.statut), $3),
           regle_le = coalesce(t.regle_le, t.date_transaction AT TIME ZONE 'UTC'),
           note = CASE WHEN $4 AND NOT EXISTS (SELECT FROM connus WHERE mot = t.statut)
                       THEN left(concat_ws(' · ', t.note, 'État d''origine inconnu : ' || coalesce('« ' || t.statut || ' »', 'aucun')), 280)
                       ELSE t.note END
         WHERE t.initiateur IS NULL",
    )
    .bind(words)
    .bind(statuses)
    .bind(otherwise.stored())
    .bind(matches!(history, History::Words(_)))
    .execute(connection)
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_without_case_and_accents() {
        for word in ["OK", "Succès", "SUCCESS", "Réussie", " validé ", "Terminé", "complété", "COMPLETED"] {
            assert_eq!(meaning(word), Some(Status::Succeeded), "{word}");
        }
        for word in ["échoué", "ECHEC", "Annulé", "cancelled", "REJETÉE", "failed"] {
            assert_eq!(meaning(word), Some(Status::Failed), "{word}");
        }
        for word in ["En attente", "EN_COURS", "pending", "in-progress"] {
            assert_eq!(meaning(word), Some(Status::Expired), "{word}");
        }
        for word in ["", "0", "?", "non valide", "presque ok", "true"] {
            assert_eq!(meaning(word), None, "{word}");
        }
    }
}
