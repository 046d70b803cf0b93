//! The provider's own books.

/// One line of the provider's own books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// The provider's transaction.
    pub transaction_id: String,
    /// When, as the provider writes it (ISO 8601).
    pub at: String,
    /// The provider's word for the kind of movement.
    pub kind: String,
    /// Whole francs, positive when our balance grew. Absent when the kind is unknown, so that a person decides the sign.
    pub amount_francs: Option<i64>,
    /// What was charged to us, in whole francs.
    pub fee_francs: i64,
    /// Our balance after it.
    pub balance_francs: Option<i64>,
    /// Our reference.
    pub reference: Option<String>,
}

/// A page of the provider's books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementPage {
    /// Lines in the provider's order.
    pub lines: Vec<StatementLine>,
    /// Where the next page starts.
    pub next: Option<String>,
}
