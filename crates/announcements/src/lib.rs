//! What the staff announces to everybody. Table: `annonce`.

mod api;
mod store;

use axum::Extension;
use chrono::{DateTime, Utc};
use identity::Identity;
use kernel::http::Page;
use kernel::{Clock, Db, Failure, Random, Timestamp, new_id};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

/// The house, cheap to clone.
#[derive(Clone, Debug)]
pub struct Announcements {
    db: Db,
    clock: Clock,
}

/// Une annonce.
#[derive(Clone, Debug, Serialize, ToSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    id: Uuid,
    #[schema(examples("Bienvenue sur Hostolink"))]
    title: Option<String>,
    text: Option<String>,
    #[serde(serialize_with = "as_timestamp")]
    #[schema(value_type = String, format = DateTime)]
    published_at: DateTime<Utc>,
}

fn as_timestamp<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    Timestamp(*at).serialize(serializer)
}

impl Announcements {
    /// The house.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// The most recent ones that still hold, for the dashboard.
    pub async fn latest(&self, most: u32) -> Result<Vec<Announcement>, Failure> {
        let mut connection = self.db.read.acquire().await?;
        Ok(store::list(&mut connection, self.clock.now(), None, i64::from(most)).await?)
    }

    /// Announces something to everybody.
    pub async fn publish(&self, random: &Random, title: &str, text: &str) -> Result<(), Failure> {
        let mut connection = self.db.write.acquire().await?;
        Ok(store::insert(&mut connection, new_id(&self.clock, random), title, text, self.clock.now()).await?)
    }

    async fn list(&self, page: &Page<Uuid>) -> Result<(Vec<Announcement>, Option<String>), Failure> {
        let mut connection = self.db.read.acquire().await?;
        let rows = store::list(&mut connection, self.clock.now(), page.after, page.rows()).await?;
        Ok(page.cut(rows, |row| row.id))
    }
}

/// Everything under `/api`.
pub fn routes(announcements: Announcements, identity: &Identity) -> OpenApiRouter {
    let layer: Extension<Identity> = identity.layer();
    api::routes().with_state(announcements).layer(layer)
}

#[cfg(test)]
mod tests;
