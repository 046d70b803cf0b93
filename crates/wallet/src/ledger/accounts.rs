//! What is done to accounts, holds and subjects without moving money: each is one guarded statement on rows that the
//! writer locks or fences, so neither can overtake the other.

use kernel::Failure;
use uuid::Uuid;

use super::Ledger;
use super::command::AccountId;

/// Why a freeze or its lifting is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FreezeError {
    /// It is frozen already, or not frozen.
    #[error("the account is in that state already, or does not exist")]
    Unchanged,
    /// The database, or a bug.
    #[error(transparent)]
    Failure(Failure),
}

kernel::failure_into!(FreezeError);

const FREEZE: &str = "WITH gel AS (UPDATE compte SET gele_le = $4, gel_motif = $2 WHERE id_compte = $1 AND gele_le IS NULL RETURNING id_compte) \
    INSERT INTO gel_compte (id_compte, motif, auteur, gele_le) SELECT id_compte, $2, $3, $4 FROM gel";
const UNFREEZE: &str = "WITH degel AS (UPDATE compte SET gele_le = NULL, gel_motif = NULL WHERE id_compte = $1 AND gele_le IS NOT NULL RETURNING id_compte) \
    UPDATE gel_compte g SET leve_le = $3, leve_par = $2 FROM degel d WHERE g.id_compte = d.id_compte AND g.leve_le IS NULL";
const PROTECT: &str = "UPDATE retenue r SET protegee = $2 FROM transaction t \
    WHERE t.public_id = $1 AND r.id_transaction = t.id_transaction AND r.capture + r.libere < r.montant";
const CLOSE: &str =
    "INSERT INTO usage_unique (sujet, etat, cree_le) VALUES ($1, 'ferme', $2) ON CONFLICT (sujet) DO NOTHING";

impl Ledger {
    /// No money enters or leaves any more. `author` is who decided it (a public id or a rule's name), kept with the reason.
    pub async fn freeze(&self, account: AccountId, reason: &str, author: &str) -> Result<(), FreezeError> {
        let frozen = sqlx::query(FREEZE)
            .bind(account)
            .bind(reason)
            .bind(author)
            .bind(self.clock.now())
            .execute(&self.db.write)
            .await?;
        if frozen.rows_affected() == 1 { Ok(()) } else { Err(FreezeError::Unchanged) }
    }

    /// Lifts a freeze.
    pub async fn unfreeze(&self, account: AccountId, author: &str) -> Result<(), FreezeError> {
        let lifted =
            sqlx::query(UNFREEZE).bind(account).bind(author).bind(self.clock.now()).execute(&self.db.write).await?;
        if lifted.rows_affected() == 1 { Ok(()) } else { Err(FreezeError::Unchanged) }
    }

    /// Call it before an order leaves for the outside, and send only when it says true: from then on no date releases the
    /// hold. False: the hold is gone already.
    pub async fn protect(&self, operation: Uuid) -> Result<bool, Failure> {
        self.set_protected(operation, true).await
    }

    /// The order certainly did not leave, or its outcome is known: dates count again.
    pub async fn unprotect(&self, operation: Uuid) -> Result<bool, Failure> {
        self.set_protected(operation, false).await
    }

    async fn set_protected(&self, operation: Uuid, protected: bool) -> Result<bool, Failure> {
        let changed = sqlx::query(PROTECT).bind(operation).bind(protected).execute(&self.db.write).await?;
        Ok(changed.rows_affected() == 1)
    }

    /// A subject (single-use QR, payment request) that must not be paid any more. False: it was used or closed before.
    pub async fn close_subject(&self, subject: Uuid) -> Result<bool, Failure> {
        let closed = sqlx::query(CLOSE).bind(subject).bind(self.clock.now()).execute(&self.db.write).await?;
        Ok(closed.rows_affected() == 1)
    }
}
