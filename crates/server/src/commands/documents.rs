use std::process::ExitCode;

use clap::Args;
use utoipa::openapi::OpenApi;

use super::say;
use crate::wiring::App;
use crate::{openapi, postman, router};

/// The document needs the routes, and the routes need houses, but no database: nothing connects before a first query.
pub(super) fn openapi() -> anyhow::Result<ExitCode> {
    say(openapi_text()?.trim_end());
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Args)]
pub struct PostmanArguments {
    /// L'environnement au lieu de la collection
    #[arg(long)]
    environment: bool,
}

/// The collection for Postman, or its environment.
pub(super) fn postman(arguments: &PostmanArguments) -> anyhow::Result<ExitCode> {
    say(postman_text(arguments.environment)?.trim_end());
    Ok(ExitCode::SUCCESS)
}

/// As it is committed in `docs/api/`.
pub fn postman_text(environment: bool) -> anyhow::Result<String> {
    let value = if environment { postman::environment() } else { postman::collection(&document()?)? };
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}

/// As it is committed in `docs/api/openapi.json`.
pub fn openapi_text() -> anyhow::Result<String> {
    openapi::text(&document()?)
}

/// The document of all routes.
pub fn document() -> anyhow::Result<OpenApi> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _inside = runtime.enter();
    let app = App::offline(NOWHERE)?;
    let (_, mut document) = router::described(&app).split_for_parts();
    openapi::complete(&mut document);
    Ok(document)
}

/// Nothing connects to it: a document is made of routes alone.
const NOWHERE: &str = "postgresql://nobody@127.0.0.1:1/nowhere";
