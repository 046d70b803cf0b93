//! The whole server beside the simulated operators: every operator, both ways, and what goes wrong on the way.

use std::net::SocketAddr;
use std::time::Duration;

use identity::{Mode, testing};
use kernel::{Clock, Keys, Random};
use serde_json::{Value, json};
use server::config::{Config, Overrides};
use server::operators::{callback_paths, simulated};
use server::router;
use server::wiring::{App, Parts};
use simulator::{Callbacks, Credentials, Options};
use testkit::{Client, TestDb};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);
const ALIAS: &str = "9b1b2499-3e50-435b-b757-ac7a83d8aa8c";
const IBAN: &str = "CI93CI0080111301134291200589";

/// A server that the simulated operators reach, and a worker that follows its orders.
pub(crate) struct Installation {
    pub(crate) app: App,
    pub(crate) test: TestDb,
    pub(crate) simulator: SocketAddr,
    client: Client,
    running: Vec<JoinHandle<()>>,
}

impl Drop for Installation {
    fn drop(&mut self) {
        self.running.iter().for_each(JoinHandle::abort);
    }
}

pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) someone: testing::Someone,
}

impl Installation {
    pub(crate) async fn start() -> Self {
        let test = testkit::db().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = listener.local_addr().unwrap();
        let url = |route: &str| format!("http://{ours}/api/webhooks/{route}");
        let callbacks = Callbacks(callback_paths().map(|(operator, route)| (operator, url(route))).collect());
        let credentials = Credentials::default();
        let options = Options {
            callbacks,
            credentials: credentials.clone(),
            auto_approve_after: Some(Duration::from_millis(100)),
            ..Options::default()
        };
        let (ready, address) = oneshot::channel();
        let playing =
            tokio::spawn(async move { simulator::serve(options, ready, std::future::pending()).await.unwrap() });
        let simulator = tokio::time::timeout(PATIENCE, address).await.unwrap().unwrap();
        let overrides = Overrides { host: Some(ours.ip()), port: Some(ours.port()), data_dir: None };
        let config = Config::read(Mode::Development, &overrides, &|key| {
            (key == "HOSTOLINK_RATE_LIMITS").then(|| "off".to_owned())
        })
        .unwrap();
        let clock = Clock::system();
        let connectors = simulated(&clock, &credentials, simulator, ours).unwrap();
        let parts = Parts {
            database_url: test.url.clone(),
            keys: Keys::new([7; 32], None),
            clock,
            random: Random::system(),
            connectors,
        };
        let app = App::new(config, parts).unwrap();
        app.readiness.set_loaded();
        app.readiness.set_simulator(true);
        let router = router::build(&app, None).unwrap();
        let client = Client::bare(router.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let worker = app.worker(None, None);
        let working = tokio::spawn(async move { worker.run(std::future::pending()).await });
        Self { app, test, simulator, client, running: vec![playing, serving, working] }
    }

    pub(crate) async fn person(&self, identifier: &str) -> Person {
        let someone = testing::sign_up_unlocked(&self.app.identity, identifier).await;
        Person { client: self.client.bearer(&someone.tokens.access_token), someone }
    }

    /// Somebody of the treasury.
    pub(crate) async fn treasurer(&self) -> Person {
        let person = self.person("0799999901").await;
        sqlx::query("INSERT INTO utilisateur_role (id_user, role_name) VALUES ($1, 'treasury')")
            .bind(person.someone.id_user)
            .execute(&self.test.db.write)
            .await
            .unwrap();
        person
    }

    pub(crate) async fn control(&self, what: &str, body: Value) -> Value {
        self.speak("POST", &format!("/_control/{what}"), &body.to_string()).await
    }

    pub(crate) async fn books(&self) -> Value {
        self.speak("GET", "/_control/books", "").await
    }

    pub(crate) async fn speak(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(self.simulator).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.simulator,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.split(' ').nth(1).unwrap().starts_with('2'), "{method} {path}: {answer}");
        let json = body.find('{').zip(body.rfind('}')).map(|(start, end)| &body[start..=end]);
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Value::Null)
    }

    pub(crate) async fn audit(&self) {
        let report = wallet::ledger::audit::audit(&self.test.db, &self.app.clock).await.unwrap();
        assert!(report.clean(), "{:?}", report.findings);
    }

    async fn text(&self, sql: &'static str) -> String {
        sqlx::query_scalar(sql).fetch_one(&self.test.db.write).await.unwrap()
    }
}

impl Person {
    pub(crate) async fn order(&self, way: &str, key: &str, body: Value) -> testkit::Answer {
        self.client.with("idempotency-key", key).post(&format!("/api/{way}"), body).await
    }

    /// Orders it and waits for its end; gives the answer to the order and the transaction at its end.
    pub(crate) async fn through(&self, way: &str, key: &str, body: Value) -> (Value, Value) {
        let told = self.order(way, key, body).await.data(202);
        let ended = self.ended(told["transaction"]["id"].as_str().unwrap()).await;
        (told, ended)
    }

    pub(crate) async fn ended(&self, id: &str) -> Value {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.client.get(&format!("/api/transactions/{id}")).await.data(200)["transaction"].clone();
            if seen["status"] != "pending" {
                return seen;
            }
            assert!(tokio::time::Instant::now() < deadline, "it stays {seen}");
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) async fn balance(&self) -> i64 {
        self.client.get("/api/wallet").await.data(200)["balance"].as_i64().unwrap()
    }
}

fn order(provider: &str, amount: i64, account: &str) -> Value {
    json!({"provider": provider, "amount": amount, "account": account})
}

#[tokio::test]
async fn every_operator_takes_deposits_and_pays_withdrawals() {
    let all = Installation::start().await;
    let awa = all.person("0707070701").await;
    let offered = awa.client.get("/api/providers").await.data(200)["items"].clone();
    for item in offered.as_array().unwrap() {
        assert_eq!(item["deposit"]["available"], true, "{item}");
        assert_eq!(item["withdrawal"]["available"], item["code"] != "card", "{item}");
    }
    let mut expected = 0;
    for (provider, account, payee, action) in [
        ("wave", "0707070701", "0707070701", "open_url"),
        ("orange_money", "0707070701", "0707070701", "open_url"),
        ("mtn_momo", "0504030201", "0504030201", "approve_on_phone"),
        ("moov_money", "0102030405", "0102030405", "approve_on_phone"),
        ("djamo", "0708091011", "0708091011", "open_url"),
        ("bank", ALIAS, IBAN, "approve_on_phone"),
        ("card", "nouvelle", "", "open_url"),
    ] {
        let (told, ended) = awa.through("deposits", &format!("in-{provider}"), order(provider, 15_000, account)).await;
        assert_eq!(told["nextAction"]["type"], action, "{provider}: {told}");
        assert_eq!(ended["status"], "succeeded", "{provider}: {ended}");
        expected += 15_000;
        if !payee.is_empty() {
            let (_, ended) =
                awa.through("withdrawals", &format!("out-{provider}"), order(provider, 6_000, payee)).await;
            assert_eq!(ended["status"], "succeeded", "{provider}: {ended}");
            expected -= 6_000;
        }
        assert_eq!(awa.balance().await, expected, "{provider}");
    }
    let routes = all
        .text("SELECT string_agg(DISTINCT operateur || ' ' || sens || ' ' || route, ', ') FROM instruction_operateur")
        .await;
    assert!(routes.contains("moov_money depot hub2") && routes.contains("bank retrait pi_spi"), "{routes}");
    for (operator, book) in all.books().await.as_object().unwrap() {
        assert_eq!(book["balanced"], true, "{operator}");
    }
    all.audit().await;
}

#[tokio::test]
async fn a_code_by_ussd_confirms_an_orange_deposit() {
    let all = Installation::start().await;
    let awa = all.person("0707070701").await;
    let mut body = order("orange_money", 15_000, "0707070701");
    body["withCode"] = json!(true);
    let told = awa.order("deposits", "coded", body).await.data(202);
    assert_eq!(told["nextAction"]["type"], "enter_code");
    let id = told["transaction"]["id"].as_str().unwrap();
    let code = format!("/api/deposits/{id}/code");
    assert_eq!(awa.client.post(&code, json!({"code": "12"})).await.status, 400);
    awa.client.post(&code, json!({"code": "4821"})).await.data(202);
    assert_eq!(awa.ended(id).await["status"], "succeeded");
    assert_eq!(awa.client.post(&code, json!({"code": "4821"})).await.code(409), "wallet.no_code_expected");
    let route = all.text("SELECT route FROM instruction_operateur").await;
    assert_eq!(route, "hub2");
    assert_eq!(awa.order("deposits", "iban", order("bank", 15_000, IBAN)).await.code(422), "wallet.bank_alias_needed");
    let mut wave = order("wave", 15_000, "0707070701");
    wave["withCode"] = json!(true);
    assert_eq!(awa.order("deposits", "wave", wave).await.code(422), "wallet.code_not_offered");
    all.audit().await;
}

#[tokio::test]
async fn an_order_takes_another_road_only_when_the_first_certainly_did_nothing() {
    let all = Installation::start().await;
    let awa = all.person("0707070701").await;
    // Our money at Wave is used up: an aggregator pays.
    awa.through("deposits", "in", order("wave", 50_000, "0707070701")).await;
    all.control("faults", json!({"provider": "wave", "operation": "payout", "kind": "empty_float"})).await;
    let (_, ended) = awa.through("withdrawals", "out", order("wave", 5_000, "0707070701")).await;
    assert_eq!(ended["status"], "succeeded");
    let route = all.text("SELECT route FROM instruction_operateur WHERE sens = 'retrait'").await;
    assert_ne!(route, "wave");
    // It executed and the answer was lost: nobody else is asked.
    all.control("faults", json!({"provider": "wave", "operation": "payout", "kind": "status_503_after_execution"}))
        .await;
    let (_, ended) = awa.through("withdrawals", "lost", order("wave", 6_000, "0707070701")).await;
    assert_eq!(ended["status"], "succeeded");
    let route = all.text("SELECT route FROM instruction_operateur WHERE montant = 6000").await;
    assert_eq!(route, "wave");
    assert_eq!(awa.balance().await, 50_000 - 5_000 - 6_000);
    all.audit().await;
}

#[tokio::test]
async fn what_a_thief_sends_moves_nothing_and_staff_is_told() {
    let all = Installation::start().await;
    let awa = all.person("0707070701").await;
    all.control("auto_approve", json!({"afterMs": null})).await;
    let told = awa.order("deposits", "k", order("wave", 700, "0707070701")).await.data(202);
    let reference = all.text("SELECT reference FROM instruction_operateur").await;
    all.control("forge", json!({"provider": "wave", "reference": reference})).await;
    all.control("forge", json!({"provider": "wave", "reference": reference, "alteredAmount": true})).await;
    let staff = all.treasurer().await;
    assert_eq!(awa.client.get("/api/admin/money-alerts").await.status, 403);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let alerts = loop {
        let items = staff.client.get("/api/admin/money-alerts").await.data(200)["items"].as_array().unwrap().clone();
        if items.len() >= 2 {
            break items;
        }
        assert!(tokio::time::Instant::now() < deadline, "{items:?}");
        tokio::time::sleep(LOOK).await;
    };
    let kinds: Vec<&str> = alerts.iter().filter_map(|alert| alert["kind"].as_str()).collect();
    assert!(kinds.contains(&"rappel_falsifie") && kinds.contains(&"rappel_montant"), "{kinds:?}");
    assert_eq!(awa.balance().await, 0, "{told}");
    let id = alerts[0]["id"].as_str().unwrap();
    let close = format!("/api/admin/money-alerts/{id}/close");
    assert_eq!(staff.client.post(&close, json!({"reason": " "})).await.status, 400);
    staff.client.post(&close, json!({"reason": "vu avec Wave"})).await.data(200);
    assert_eq!(staff.client.post(&close, json!({"reason": "encore"})).await.status, 404);
    // The truth still counts.
    all.control("approve", json!({"provider": "wave", "reference": reference})).await;
    assert_eq!(awa.ended(told["transaction"]["id"].as_str().unwrap()).await["status"], "succeeded");
    assert_eq!(awa.balance().await, 700);
    all.audit().await;
}
