//! The sandbox's numbers, and the Ivorian ones that end alike: what happens to an operation.

use crate::model::Outcome;

/// What a number makes of an operation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It ends so.
    Ends(Outcome),
    /// It stays pending until ordered otherwise.
    Stays,
    /// It succeeds after half a minute.
    Delayed,
}

fn fails(reason: &str) -> Fate {
    Fate::Ends(Outcome::Refuse(reason.to_owned()))
}

fn digits(number: &str) -> &str {
    let known = number.starts_with("46733123") || number.starts_with("225");
    if known { number.get(number.len().saturating_sub(3)..).unwrap_or("") } else { "" }
}

/// A request to pay.
pub(super) fn of_collection(number: &str) -> Fate {
    match digits(number) {
        "450" | "461" => fails("INTERNAL_PROCESSING_ERROR"),
        "451" => fails("APPROVAL_REJECTED"),
        "452" => Fate::Ends(Outcome::Expire),
        "453" => Fate::Stays,
        "454" => Fate::Delayed,
        "455" => fails("PAYER_NOT_FOUND"),
        "458" => fails("NOT_ALLOWED_TARGET_ENVIRONMENT"),
        "459" => fails("INVALID_CALLBACK_URL_HOST"),
        "460" => fails("INVALID_CURRENCY"),
        "463" => fails("COULD_NOT_PERFORM_TRANSACTION"),
        _ => Fate::Ends(Outcome::Approve),
    }
}

/// A transfer, a deposit or a refund.
pub(super) fn of_payout(number: &str) -> Fate {
    match digits(number) {
        "450" | "451" | "452" => fails("INTERNAL_PROCESSING_ERROR"),
        "453" | "454" => Fate::Stays,
        "455" => fails("NOT_ENOUGH_FUNDS"),
        "457" => fails("PAYEE_NOT_FOUND"),
        _ => Fate::Ends(Outcome::Approve),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_numbers_choose() {
        assert_eq!(of_collection("46733123451"), fails("APPROVAL_REJECTED"));
        assert_eq!(of_collection("2250504030451"), fails("APPROVAL_REJECTED"));
        assert_eq!(of_collection("33600000451"), Fate::Ends(Outcome::Approve));
        assert_eq!(of_payout("46733123457"), fails("PAYEE_NOT_FOUND"));
        assert_eq!(of_payout("é"), Fate::Ends(Outcome::Approve));
    }
}
