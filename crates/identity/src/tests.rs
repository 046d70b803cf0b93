//! What the tests of every feature start from, and the journeys that cross several of them.

use std::sync::Arc;

use axum::Extension;
use chrono::TimeDelta;
use kernel::Clock;
use kernel::http::ClientNetwork;
use kernel::keys::Purpose;
use serde_json::{Value, json};
use sqlx::PgPool;
use testkit::{Answer, Client, TestDb};
use uuid::Uuid;

use crate::{Config, Identity, testing};

/// Identity on a database of its own, spoken to as a telephone would.
pub(crate) struct House {
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) client: Client,
    /// Dropped last: the database goes with it.
    pub(crate) db: TestDb,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// With another configuration than that of development.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let (db, clock) = (testkit::db().await, Clock::movable());
        let mut deps = testing::deps(&db.db, &clock);
        change(&mut deps.config);
        let identity = Identity::new(deps).unwrap();
        let client = Client::new(testing::router(&identity));
        Self { identity, clock, client, db }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.db.db.write
    }

    /// A client from another network.
    #[expect(clippy::wrong_self_convention, reason = "it reads like the sentence")]
    pub(crate) fn from_network(&self, address: &str) -> Client {
        let network = ClientNetwork::of(address.parse().unwrap());
        Client::new(testing::router(&self.identity).layer(Extension(network)))
    }

    pub(crate) fn wait(&self, time: TimeDelta) {
        self.clock.shift(time);
    }

    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(self.pool()).await.unwrap()
    }

    /// Messages in the queue.
    pub(crate) async fn messages(&self) -> i64 {
        self.count("SELECT count(*) FROM travail WHERE nature = 'message.send'").await
    }

    /// Registers somebody; gives the ticket.
    pub(crate) async fn register(&self, identifier: &str) -> String {
        let data = self.client.post("/api/register-user", json!({"identifier": identifier})).await.data(201);
        text(&data["flowTicket"])
    }

    /// The code of the newest message, as the worker would read it.
    pub(crate) async fn sent_code(&self) -> String {
        let sql = "SELECT id, secret FROM travail WHERE secret IS NOT NULL ORDER BY id DESC LIMIT 1";
        let (id, secret): (Uuid, Vec<u8>) = sqlx::query_as(sql).fetch_one(self.pool()).await.unwrap();
        let opened = self.identity.keys.open(Purpose::Outbox, id.as_bytes(), &secret).unwrap();
        String::from_utf8(opened.to_vec()).unwrap()
    }

    /// Asks for a code and reads it from the answer of development mode.
    pub(crate) async fn code(&self, identifier: &str, purpose: &str) -> String {
        let body = json!({"identifier": identifier, "purpose": purpose});
        text(&self.client.post("/api/generate-otp", body).await.data(201)["otp"])
    }

    pub(crate) async fn verify(&self, identifier: &str, purpose: &str, code: &str) -> Answer {
        let body = json!({"identifier": identifier, "purpose": purpose, "otpCode": code});
        self.client.post("/api/verify-otp", body).await
    }

    pub(crate) async fn next_step(&self, identifier: &str) -> String {
        text(&self.client.post("/api/check-user", json!({"identifier": identifier})).await.data(200)["nextStep"])
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Another code than this one, of as many digits.
pub(crate) fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &code[..code.len() - 1])
}

/// All at once, as different connections would.
pub(crate) async fn at_once<F, Fut>(times: usize, ask: F) -> Vec<Answer>
where
    F: Fn(usize) -> Fut,
    Fut: Future<Output = Answer> + Send + 'static,
{
    let gate = Arc::new(tokio::sync::Barrier::new(times));
    let asked = (0..times).map(|number| {
        let (gate, request) = (gate.clone(), ask(number));
        tokio::spawn(async move {
            gate.wait().await;
            request.await
        })
    });
    let asked: Vec<_> = asked.collect();
    let mut answers = Vec::with_capacity(times);
    for answer in asked {
        answers.push(answer.await.unwrap());
    }
    answers
}

pub(crate) fn with_status(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status.as_u16() == status).count()
}

/// The requests of the brief in their order, in Postman's shape: with its cookie jar, or without.
async fn requests_of_the_brief(house: &House, identifier: &str, cookies: bool) -> Value {
    let client = &house.client;
    let known = client.post("/api/check-user", json!({"identifier": identifier})).await.data(200);
    assert_eq!((&known["exists"], &known["nextStep"]), (&json!(false), &json!("register-user")));

    let registered = client.post("/api/register-user", json!({"identifier": identifier})).await.data(201);
    assert_eq!(registered["nextStep"], "define-password");
    assert_eq!(registered["user"]["userType"], "CITIZEN");

    let body = json!({"identifier": identifier, "password": testing::PASSWORD});
    let defined = client.post("/api/define-password", body).await;
    let cookie = defined.headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let defined = defined.data(200);
    let own = client.bearer(defined["accessToken"].as_str().unwrap());
    assert_eq!(own.get("/api/me").await.status.as_u16(), 200, "signed in, though nothing is proved");

    let sent = client.post("/api/generate-otp", json!({"identifier": identifier})).await.data(201);
    let jar = if cookies { client.with("cookie", &cookie) } else { client.clone() };
    let verified =
        jar.post("/api/verify-otp", json!({"identifier": identifier, "otpCode": sent["otp"]})).await.data(200);
    assert_eq!(verified["verified"], true);
    let still_in = own.get("/api/me").await.status.as_u16();
    assert_eq!(still_in, if cookies { 200 } else { 401 }, "an unproved session outlives the proof only for its owner");
    verified
}

async fn password_signs_in(house: &House, identifier: &str, password: &str) -> u16 {
    // The sixth request of the brief sends the password as `otpCode`.
    let body = json!({"identifier": identifier, "otpCode": password});
    house.client.post("/api/verify-pin", body).await.status.as_u16()
}

#[tokio::test]
async fn the_requests_of_the_brief_reach_the_dashboard() {
    for identifier in ["testemail@gmail.com", "07 07 07 07 07"] {
        let house = House::new().await;
        let verified = requests_of_the_brief(&house, identifier, true).await;
        assert_eq!(verified["nextStep"], "dashboard");
        assert_eq!(password_signs_in(&house, identifier, testing::PASSWORD).await, 200);
        let known = house.client.post("/api/check-user", json!({"identifier": identifier})).await.data(200);
        assert_eq!(known["verified"], true);
        assert_eq!(known["nextStep"], "verify-pin");
    }
}

#[tokio::test]
async fn without_the_cookie_a_new_password_is_asked_for() {
    for identifier in ["testemail@gmail.com", "+2250707070707"] {
        let house = House::new().await;
        let verified = requests_of_the_brief(&house, identifier, false).await;
        assert_eq!(verified["nextStep"], "define-password");
        assert_eq!(password_signs_in(&house, identifier, testing::PASSWORD).await, 401, "it is wiped");

        let without = json!({"identifier": identifier, "password": "EncoreUnAutre456"});
        assert_eq!(house.client.post("/api/define-password", without).await.code(403), "identity.proof_required");
        let body =
            json!({"identifier": identifier, "password": "EncoreUnAutre456", "flowTicket": verified["flowTicket"]});
        house.client.post("/api/define-password", body).await.data(200);
        assert_eq!(password_signs_in(&house, identifier, "EncoreUnAutre456").await, 200);
        assert_eq!(house.next_step(identifier).await, "verify-pin");
    }
}

#[tokio::test]
async fn the_registration_ticket_shows_the_owner_even_after_its_use() {
    let house = House::new().await;
    let ticket = house.register("awa@example.ci").await;
    let body = json!({"identifier": "awa@example.ci", "password": testing::PASSWORD, "flowTicket": ticket});
    house.client.post("/api/define-password", body).await.data(200);
    let code = house.code("awa@example.ci", "verify").await;
    let body = json!({"identifier": "awa@example.ci", "otpCode": code, "flowTicket": ticket});
    assert_eq!(house.client.post("/api/verify-otp", body).await.data(200)["nextStep"], "dashboard");
    assert_eq!(password_signs_in(&house, "awa@example.ci", testing::PASSWORD).await, 200);
}

#[tokio::test]
async fn the_accounts_own_token_shows_the_owner_and_another_ones_does_not() {
    let house = House::new().await;
    let awa = testing::sign_up_unverified(&house.identity, "awa@example.ci").await;
    let yao = testing::sign_up(&house.identity, "yao@example.ci").await;
    let stranger = house.client.bearer(&yao.tokens.access_token);
    let owner = house.client.bearer(&awa.tokens.access_token);

    let code = house.code("awa@example.ci", "verify").await;
    let body = json!({"identifier": "awa@example.ci", "otpCode": code});
    assert_eq!(owner.post("/api/verify-otp", body).await.data(200)["nextStep"], "dashboard");

    let koffi = testing::sign_up_unverified(&house.identity, "koffi@example.ci").await;
    let code = house.code("koffi@example.ci", "verify").await;
    let body = json!({"identifier": "koffi@example.ci", "otpCode": code});
    assert_eq!(stranger.post("/api/verify-otp", body).await.data(200)["nextStep"], "define-password");
    let koffi = house.client.bearer(&koffi.tokens.access_token);
    assert_eq!(koffi.get("/api/me").await.code(401), "identity.token_invalid");
}

/// Somebody registers a number that is not his, and waits for its owner to prove it.
#[tokio::test]
async fn who_registered_first_gains_nothing_from_the_owners_proof() {
    let house = House::new().await;
    let number = "0708091011";
    let stolen = house.register(number).await;
    let second = json!({"identifier": number, "password": "VoleurPatient42", "flowTicket": stolen});

    // Before a password is defined: the owner's proof voids the ticket.
    let code = house.code(number, "verify").await;
    let verified = house.verify(number, "verify", &code).await.data(200);
    assert_eq!(verified["nextStep"], "define-password");
    assert_eq!(house.client.post("/api/define-password", second.clone()).await.code(403), "identity.ticket_invalid");
    let without = json!({"identifier": number, "password": "VoleurPatient42"});
    assert_eq!(house.client.post("/api/define-password", without).await.code(403), "identity.proof_required");

    let own = json!({"identifier": number, "password": testing::PASSWORD, "flowTicket": verified["flowTicket"]});
    house.client.post("/api/define-password", own.clone()).await.data(200);
    assert_eq!(house.client.post("/api/define-password", own).await.code(409), "identity.password_already_set");
    assert_eq!(house.client.post("/api/define-password", second).await.code(409), "identity.password_already_set");
    assert_eq!(password_signs_in(&house, number, testing::PASSWORD).await, 200);
}
