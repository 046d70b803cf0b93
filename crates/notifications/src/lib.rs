//! What a person is told inside the application. Table: `notification`.
//!
//! Other houses write a notification with their own transaction ([`notify`]); it exists if what it tells of does.

mod api;
mod store;

use axum::Extension;
use chrono::{DateTime, Utc};
use identity::Identity;
use kernel::http::Page;
use kernel::{Clock, Db, Failure, Random, Timestamp, new_id};
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

/// The house, cheap to clone.
#[derive(Clone, Debug)]
pub struct Notifications {
    db: Db,
    clock: Clock,
}

/// Something to tell somebody.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// Whose inbox.
    pub id_user: i32,
    /// What it is about, for the application to choose a picture and a screen: `payment`, `security`, `message`, …
    pub kind: &'a str,
    /// One line.
    pub title: &'a str,
    /// The rest.
    pub text: &'a str,
}

/// Une notification.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    id: Uuid,
    /// Le sujet : `payment`, `security`, `message`…
    #[schema(examples("payment"))]
    kind: String,
    #[schema(examples("Argent reçu"))]
    title: Option<String>,
    text: Option<String>,
    #[sqlx(rename = "created_at")]
    #[serde(serialize_with = "as_timestamp")]
    #[schema(value_type = String, format = DateTime)]
    created_at: DateTime<Utc>,
    /// Déjà vue.
    seen: bool,
}

fn as_timestamp<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    Timestamp(*at).serialize(serializer)
}

impl Notifications {
    /// The house.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// How many were not seen yet; counted up to 100, which applications show as 99+.
    pub async fn unseen(&self, id_user: i32) -> Result<i64, Failure> {
        let mut connection = self.db.read.acquire().await?;
        Ok(store::unseen(&mut connection, id_user).await?)
    }

    async fn list(&self, id_user: i32, page: &Page<Uuid>) -> Result<(Vec<Notification>, Option<String>), Failure> {
        let mut connection = self.db.read.acquire().await?;
        let rows = store::list(&mut connection, id_user, page.after, page.rows()).await?;
        Ok(page.cut(rows, |row| row.id))
    }

    async fn see(&self, id_user: i32, up_to: Option<Uuid>) -> Result<(), Failure> {
        let mut connection = self.db.write.acquire().await?;
        Ok(store::see(&mut connection, id_user, up_to, self.clock.now()).await?)
    }
}

/// Writes a notification with the caller's transaction.
pub async fn notify(
    transaction: &mut PgConnection,
    clock: &Clock,
    random: &Random,
    notice: &Notice<'_>,
) -> Result<(), Failure> {
    Ok(store::insert(transaction, new_id(clock, random), notice, clock.now()).await?)
}

/// Everything under `/api`.
pub fn routes(notifications: Notifications, identity: &Identity) -> OpenApiRouter {
    let layer: Extension<Identity> = identity.layer();
    api::routes().with_state(notifications).layer(layer)
}

#[cfg(test)]
mod tests;
