//! What the dashboard shows of money, in one call.

use identity::session::Account;
use kernel::http::Page;
use serde::Serialize;
use utoipa::ToSchema;

use crate::WalletError;
use crate::account::WalletView;
use crate::card::Card;
use crate::history::Filter;
use crate::house::Wallet;
use crate::operation::Transaction;

/// How many of the last transactions it shows.
const LAST: u32 = 5;

/// L'argent d'un tableau de bord.
#[derive(Debug, Serialize, ToSchema)]
pub struct Overview {
    /// Le solde et les limites.
    pub wallet: WalletView,
    /// Les dernières opérations.
    pub transactions: Vec<Transaction>,
    /// La carte et son QR.
    pub card: Card,
}

impl Wallet {
    /// Balance, last transactions and card of who is signed in.
    pub async fn overview(&self, account: &Account) -> Result<Overview, WalletError> {
        let wallet = crate::account::show(self, account).await?;
        let page = Page { limit: LAST, after: None };
        let (transactions, _) = crate::history::list(self, account, &Filter::default(), &page).await?;
        let mut connection = self.db.write.acquire().await?;
        let card = crate::card::hostolink(self, &mut connection, account.id_user).await?;
        Ok(Overview { wallet, transactions, card })
    }
}
