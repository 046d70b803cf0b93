//! `GET /api/dashboard`: what the application shows after sign-in, in one request. It spans houses, so it lives here;
//! each house gives one function to it.

use axum::extract::State;
use identity::me::User;
use identity::session::Signed;
use kernel::{Problem, Reply};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wallet::{Card, Transaction, WalletView};

use announcements::Announcement;

use crate::wiring::App;

/// How many announcements it shows.
const ANNOUNCEMENTS: u32 = 3;

/// Ce que l'application montre après la connexion.
#[derive(Debug, Serialize, ToSchema)]
struct Dashboard {
    user: User,
    wallet: WalletView,
    /// Les cinq dernières opérations.
    transactions: Vec<Transaction>,
    unread: Unread,
    card: Card,
    /// Les annonces les plus récentes.
    announcements: Vec<Announcement>,
}

/// Ce qui n'a pas encore été vu.
#[derive(Debug, Serialize, ToSchema)]
struct Unread {
    /// Jusqu'à 100, à montrer 99+.
    notifications: i64,
}

kernel::answer!(DashboardAnswer, Dashboard);

pub(crate) fn routes(app: App) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(dashboard)).with_state(app)
}

/// Le tableau de bord
#[utoipa::path(
    get, path = "/dashboard", operation_id = "dashboard", tag = "Mon compte",
    responses((status = 200, description = "Profil, portefeuille, carte, dernières opérations, annonces", body = DashboardAnswer)),
    security(("bearer" = [])),
    extensions(("x-access" = json!("user")))
)]
async fn dashboard(State(app): State<App>, Signed(account): Signed) -> Result<Reply<Dashboard>, Problem> {
    let money = async { app.wallet.overview(&account).await.map_err(Problem::from) };
    let user = async { app.identity.user(&account).await.map_err(Problem::from) };
    let unseen = async { app.notifications.unseen(account.id_user).await.map_err(Problem::from) };
    let board = async { app.announcements.latest(ANNOUNCEMENTS).await.map_err(Problem::from) };
    let (money, user, notifications, announcements) = futures_util::try_join!(money, user, unseen, board)?;
    let unread = Unread { notifications };
    let wallet::Overview { wallet, transactions, card } = money;
    Ok(Reply::ok("server.dashboard", Dashboard { user, wallet, transactions, unread, card, announcements }))
}
