use sqlx::PgConnection;

#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id_user: i32,
    pub(super) prenom: Option<String>,
    pub(super) nom: Option<String>,
    telephone: Option<String>,
    email: Option<String>,
    telephone_verifie: bool,
    email_verifie: bool,
    pub(super) supprime: bool,
}

impl Row {
    /// A proved number, else a proved address, else whatever there is.
    pub(super) fn best_identifier(&self) -> Option<&str> {
        let phone = self.telephone.as_deref();
        let email = self.email.as_deref();
        phone.filter(|_| self.telephone_verifie).or(email.filter(|_| self.email_verifie)).or(phone).or(email)
    }
}

pub(super) async fn people(connection: &mut PgConnection, ids: &[i32]) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(
        "SELECT id_user, prenom, nom, telephone, email, telephone_verifie, email_verifie, supprime
           FROM v_contrepartie WHERE id_user = ANY($1)",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
}
