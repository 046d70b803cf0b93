use serde_json::Value;
use sqlx::PgConnection;

/// Whether anything is in, held in or on its way to an account of this person. The rows stay locked with the transaction.
pub(super) async fn holds_money(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<bool> {
    let held: Vec<bool> = sqlx::query_scalar(
        "SELECT credits <> debits OR debits_attente <> 0 OR credits_attente <> 0 OR coalesce(solde_adopte, 0) <> 0
           FROM (SELECT * FROM compte WHERE id_user = $1 ORDER BY id_compte FOR NO KEY UPDATE) c",
    )
    .bind(id_user)
    .fetch_all(connection)
    .await?;
    Ok(held.into_iter().any(|held| held))
}

/// Cards, codes, plans and open requests go; operations stay.
pub(super) async fn erase(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<()> {
    for sql in [
        "DELETE FROM carte_bancaire WHERE id_user = $1",
        "DELETE FROM qr_code_paiement WHERE id_user = $1",
        "DELETE FROM webhook_sortant WHERE id_user = $1",
        "UPDATE ordre_planifie SET etat = 'annule' WHERE id_user = $1 AND etat = 'actif'",
        "UPDATE demande_paiement SET etat = 'annulee' WHERE id_demandeur = $1 AND etat = 'ouverte'",
        "UPDATE demande_paiement SET etat = 'refusee' WHERE id_payeur = $1 AND etat = 'ouverte'",
        "UPDATE instruction_operateur SET compte_masque = '' WHERE id_user = $1",
    ] {
        sqlx::query(sql).bind(id_user).execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn cards(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Vec<Value>> {
    sqlx::query_scalar(
        "SELECT jsonb_build_object('id', public_id, 'kind', CASE nature WHEN 'hostolink' THEN 'hostolink' ELSE 'bank' END,
                'reference', reference) FROM carte_bancaire WHERE id_user = $1 ORDER BY id_carte LIMIT 100",
    )
    .bind(id_user)
    .fetch_all(connection)
    .await
}

pub(super) async fn codes(connection: &mut PgConnection, id_user: i32) -> sqlx::Result<Vec<Value>> {
    sqlx::query_scalar(
        "SELECT jsonb_build_object('id', public_id, 'payload', qr_code_valeur, 'amount', montant, 'note', note)
           FROM qr_code_paiement WHERE id_user = $1 ORDER BY id_qrcode DESC LIMIT 1000",
    )
    .bind(id_user)
    .fetch_all(connection)
    .await
}
