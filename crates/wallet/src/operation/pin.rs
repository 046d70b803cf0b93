use serde::Deserialize;

/// A PIN on its way to identity. It is never printed, kept or part of a fingerprint.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, format = Password, min_length = 6, max_length = 6, examples("482916"))]
pub(crate) struct Pin(String);

impl Pin {
    /// For identity's comparison.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}
