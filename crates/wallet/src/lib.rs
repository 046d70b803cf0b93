//! Money. [`ledger`] moves it; the features beside it ask for that and show it.
//!
//! | folder | holds |
//! | --- | --- |
//! | `ledger` | the books: every franc that moves, moves there |
//! | `operation` | what all requests for money share: key, PIN, how a transaction is told |
//! | `people` | who is paid under an identifier, and what may be shown of a person |
//! | `account`, `card`, `quote`, `history` | balance and limits, the Hostolink card, prices, what happened |
//! | `transfer`, `qr`, `refund`, `request` | paying a person, paying a code, giving back, asking for money |
//! | `webhook_out` | signed messages to merchants about what happened |
//! | `hold`, `bulk`, `schedule` | setting money aside, paying many, paying on dates |
//! | `receipt`, `statement` | papers: PDF with a code to check it, CSV |
//! | `float`, `reconciliation`, `alert` | our money at the operators, their statements against our books, what staff has to look at |
//! | `provider`, `instruction`, `deposit`, `withdrawal`, `webhook_in` | operators: what they offer, orders to them, money in, money out, what they send |

mod account;
mod alert;
mod bulk;
mod card;
mod deposit;
mod error;
pub mod float;
mod history;
mod hold;
mod house;
mod instruction;
pub mod ledger;
mod letters;
mod operation;
mod overview;
mod parts;
mod pdf;
mod people;
mod provider;
pub mod qr;
mod quote;
mod receipt;
pub mod reconciliation;
mod refund;
mod request;
mod schedule;
mod statement;
mod transfer;
mod webhook_in;
mod webhook_out;
mod withdrawal;

#[cfg(test)]
mod testing;

pub use account::{Limits, WalletView};
pub use card::{Card, CardQr};
pub use error::{REPLAYED, WalletError};
pub use house::{Config, Core, Deps, Wallet, jobs, routes};
pub use operation::{Direction, Transaction};
pub use overview::Overview;
pub use parts::{Erasure, Export};
pub use people::Counterparty;
pub use provider::{Connector, ProviderCode};
pub use webhook_out::tell_merchants;
