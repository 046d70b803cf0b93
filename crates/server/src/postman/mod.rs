//! The Postman collection: journeys of the application in the order of its screens, whose scripts carry codes, tokens and
//! ids from one request to the next; then every other operation, one request each, from the OpenAPI document.
//!
//! `newman` runs the journeys in the test suite against the built program.

mod collection;
mod journeys;
mod operators;
mod reference;
mod step;

use serde_json::Value;
use utoipa::openapi::OpenApi;

pub use collection::environment;

/// The collection, format 2.1, as it is committed.
pub fn collection(document: &OpenApi) -> anyhow::Result<Value> {
    let journeys = journeys::all();
    let document = serde_json::to_value(document)?;
    let rest = reference::folder(&document, &journeys);
    Ok(collection::write(&journeys, rest))
}

/// Method and path of every request of the journeys, as OpenAPI writes them.
pub fn covered() -> Vec<(String, String)> {
    journeys::all()
        .iter()
        .flat_map(|journey| &journey.steps)
        .map(|step| (step.method.to_owned(), step.template()))
        .collect()
}
