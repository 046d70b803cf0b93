//! The operators' own money: one book per operator, apart from anybody's ledger.

use crate::model::{Kind, Operation, Provider};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a customer nobody saw before owns, in francs.
pub(crate) const CUSTOMER_OPENING: i64 = 10_000_000;
/// What our business owns at each operator at the start, in francs.
pub(crate) const FLOAT_OPENING: i64 = 1_000_000_000;
/// Customers kept apart in one book; those beyond share one purse.
const MAX_CUSTOMERS: usize = 20_000;
/// The purse of the customers beyond the bound.
const OTHERS: &str = "others";

/// The money of one operator: what leaves a pocket enters another, so the sum never changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Book {
    /// What our business owns there.
    pub(crate) float: i64,
    pub(crate) float_opening: i64,
    /// What the operator earned.
    pub(crate) fees: i64,
    /// Gross collected from customers, less what was given back.
    pub(crate) collected: i64,
    /// Paid to customers, less what was taken back.
    pub(crate) paid_out: i64,
    pub(crate) customers: BTreeMap<String, i64>,
}

impl Default for Book {
    fn default() -> Self {
        Self {
            float: FLOAT_OPENING,
            float_opening: FLOAT_OPENING,
            fees: 0,
            collected: 0,
            paid_out: 0,
            customers: BTreeMap::new(),
        }
    }
}

/// One movement of money, as the operator's statement lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Movement {
    pub(crate) provider: Provider,
    /// The statement line's id.
    pub(crate) id: String,
    /// The operation that caused it.
    pub(crate) operation: String,
    pub(crate) kind: Kind,
    /// Whether it gives back what an earlier movement took.
    pub(crate) reversal: bool,
    pub(crate) customer: String,
    pub(crate) reference: String,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    /// The float after it.
    pub(crate) balance: i64,
    pub(crate) at_ms: i64,
}

/// Why money cannot move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// The customer has not enough.
    Customer,
    /// Our float has not enough.
    Float,
}

impl Book {
    fn purse(&mut self, customer: &str) -> &mut i64 {
        let name = if self.customers.len() < MAX_CUSTOMERS || self.customers.contains_key(customer) {
            customer
        } else {
            OTHERS
        };
        self.customers.entry(name.to_owned()).or_insert(CUSTOMER_OPENING)
    }

    /// What a customer owns.
    pub(crate) fn balance_of(&self, customer: &str) -> i64 {
        self.customers.get(customer).copied().unwrap_or(CUSTOMER_OPENING)
    }

    /// Moves the money of an operation. The fee of a collection is kept from what we receive, that of a payout is
    /// added to what we pay.
    pub(crate) fn execute(&mut self, op: &Operation) -> Result<(), Short> {
        match op.kind {
            Kind::Collection => {
                if *self.purse(&op.customer) < op.amount {
                    return Err(Short::Customer);
                }
                *self.purse(&op.customer) -= op.amount;
                self.float += op.amount - op.fee;
                self.collected += op.amount;
            }
            Kind::Payout => {
                if self.float < op.amount + op.fee {
                    return Err(Short::Float);
                }
                self.float -= op.amount + op.fee;
                *self.purse(&op.customer) += op.amount;
                self.paid_out += op.amount;
            }
        }
        self.fees += op.fee;
        Ok(())
    }

    /// Gives back amount and fee of an operation that was executed.
    pub(crate) fn reverse(&mut self, op: &Operation) -> Result<(), Short> {
        match op.kind {
            Kind::Collection => {
                if self.float < op.amount - op.fee {
                    return Err(Short::Float);
                }
                self.float -= op.amount - op.fee;
                *self.purse(&op.customer) += op.amount;
                self.collected -= op.amount;
            }
            Kind::Payout => {
                if *self.purse(&op.customer) < op.amount {
                    return Err(Short::Customer);
                }
                *self.purse(&op.customer) -= op.amount;
                self.float += op.amount + op.fee;
                self.paid_out -= op.amount;
            }
        }
        self.fees -= op.fee;
        Ok(())
    }

    /// Whether the book still holds exactly the money it opened with.
    pub(crate) fn balanced(&self) -> bool {
        let opened = self.float_opening + CUSTOMER_OPENING * i64::try_from(self.customers.len()).unwrap_or(i64::MAX);
        self.float + self.fees + self.customers.values().sum::<i64>() == opened
    }
}

/// A fee of so many basis points, rounded half up to the franc.
pub(crate) fn fee(amount: i64, basis_points: i64) -> i64 {
    (amount * basis_points + 5_000) / 10_000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(kind: Kind, amount: i64, fee: i64) -> Operation {
        let mut op = Operation::new(Provider::Wave, kind, "x".to_owned(), amount, 0);
        op.fee = fee;
        op.customer = "+2250700000001".to_owned();
        op
    }

    #[test]
    fn money_is_kept_whatever_happens() {
        let mut book = Book::default();
        let collection = operation(Kind::Collection, 1_500, 15);
        let payout = operation(Kind::Payout, 5_000, 50);
        book.execute(&collection).unwrap();
        book.execute(&payout).unwrap();
        assert_eq!(book.float, FLOAT_OPENING + 1_485 - 5_050);
        assert_eq!(book.balance_of("+2250700000001"), CUSTOMER_OPENING - 1_500 + 5_000);
        assert!(book.balanced());
        book.reverse(&payout).unwrap();
        book.reverse(&collection).unwrap();
        assert_eq!((book.float, book.fees, book.collected, book.paid_out), (FLOAT_OPENING, 0, 0, 0));
        assert!(book.balanced());
    }

    #[test]
    fn nobody_pays_what_he_has_not() {
        let mut book = Book::default();
        assert_eq!(book.execute(&operation(Kind::Collection, CUSTOMER_OPENING + 1, 0)), Err(Short::Customer));
        assert_eq!(book.execute(&operation(Kind::Payout, FLOAT_OPENING, 1)), Err(Short::Float));
        assert!(book.balanced());
    }

    #[test]
    fn fees_are_rounded_half_up() {
        assert_eq!([fee(500, 100), fee(5_000, 100), fee(49, 100), fee(50, 100)], [5, 50, 0, 1]);
    }
}
