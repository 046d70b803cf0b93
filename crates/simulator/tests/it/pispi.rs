//! PI-SPI Business.

use crate::harness::{Merchant, Simulator, start, start_for};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;
use simulator::Provider;

const OURS: &str = "9b1b3499-3e50-435b-b757-ac7a83d8aa96";
const THEIRS: &str = "9b1b2499-3e50-435b-b757-ac7a83d8aa8c";

struct Client<'s> {
    sim: &'s Simulator,
    token: String,
}

impl<'s> Client<'s> {
    async fn new(sim: &'s Simulator) -> Self {
        let request = sim.post("/pispi/oauth2/token").basic_auth("pispi-simulator", Some("pispi-simulator-secret"));
        let answer: Value = request
            .form(&[("grant_type", "client_credentials"), ("scope", "piz/paiement.write")])
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        Self { sim, token: answer["access_token"].as_str().unwrap().to_owned() }
    }

    fn with(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(&self.token).header("x-api-key", "pispi-simulator-key")
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.with(self.sim.get(&format!("/pispi/CIC001/{path}")))
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let answer = self.with(self.sim.post(&format!("/pispi/CIC001/{path}"))).json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn put(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}/pispi/CIC001/{path}", self.sim.url);
        let answer = self.with(self.sim.client.put(url)).json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn ends(&self, path: &str) -> Value {
        let ended = |p: &Value| ["IRREVOCABLE", "REJETE", "ANNULE"].contains(&p["statut"].as_str().unwrap_or(""));
        self.sim.until("an end", || self.get(path), ended).await
    }
}

fn payment(tx: &str, payee: &str, confirmation: bool) -> Value {
    json!({"txId": tx, "payeurAlias": OURS, "payeAlias": payee, "montant": 15_000, "motif": "Retrait", "confirmation": confirmation})
}

#[tokio::test]
async fn the_name_is_seen_before_the_money_leaves() {
    let sim = start().await;
    let client = Client::new(&sim).await;
    let (status, seen) = client.post("paiements-envoyes", &payment("P-1", THEIRS, true)).await;
    assert_eq!((status, &seen["statut"]), (StatusCode::OK, &json!("INITIE")));
    assert_eq!(seen["end2endId"].as_str().unwrap().len(), 35);
    let resolved: Value = client.get(&format!("alias/{THEIRS}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(resolved["nom"], seen["payeNom"]);
    assert_eq!(sim.book("pispi").await["paidOut"].as_i64().unwrap_or(0), 0, "no money moved yet");
    let (_, sent) = client.put("paiements-envoyes/P-1/confirmations", &json!({"decision": true})).await;
    assert_eq!(sent["statut"], "ENVOYE");
    let done = client.ends("paiements-envoyes/P-1").await;
    assert_eq!(done["statut"], "IRREVOCABLE");
    let account: Value = client.get("comptes/CI93CI0080111301134291200589").send().await.unwrap().json().await.unwrap();
    assert_eq!(account["solde"], 1_000_000_000 - 15_000);
    client.post("paiements-envoyes", &payment("P-2", THEIRS, true)).await;
    let (_, gone) = client.put("paiements-envoyes/P-2/confirmations", &json!({"decision": false})).await;
    assert_eq!(gone["statut"], "ANNULE");
    let (_, waits) = client.post("paiements", &payment("P-3", THEIRS, true)).await;
    sim.control("clock", json!({"advanceMs": 24 * 3_600 * 1_000})).await;
    let client = Client::new(&sim).await;
    assert_eq!(client.ends("paiements-envoyes/P-3").await["statutRaison"], "AB03", "{waits}");
}

#[tokio::test]
async fn a_replay_hides_the_first_attempt_and_the_list_does_not() {
    let sim = start().await;
    let client = Client::new(&sim).await;
    let (_, first) = client.post("paiements-envoyes", &payment("R-1", THEIRS, false)).await;
    assert_eq!(first["statut"], "ENVOYE");
    client.ends("paiements-envoyes/R-1").await;
    let (status, replay) = client.post("paiements-envoyes", &payment("R-1", THEIRS, false)).await;
    assert_eq!(
        (status, &replay["statut"], &replay["statutRaison"]),
        (StatusCode::OK, &json!("REJETE"), &json!("DU03"))
    );
    assert_ne!(replay["end2endId"], first["end2endId"]);
    let seen: Value = client.get("paiements-envoyes/R-1").send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["statut"], "REJETE");
    let list: Value = client.get("paiements-envoyes?txId=R-1").send().await.unwrap().json().await.unwrap();
    let states: Vec<&str> = list["data"].as_array().unwrap().iter().map(|p| p["statut"].as_str().unwrap()).collect();
    assert!(states.contains(&"IRREVOCABLE") && states.contains(&"REJETE"), "{states:?}");
    assert_eq!(sim.book("pispi").await["paidOut"], 15_000);
    let path = format!("paiements/{}/statuts", first["end2endId"].as_str().unwrap());
    assert_eq!(client.get(&path).send().await.unwrap().status(), StatusCode::NOT_FOUND, "not before twenty seconds");
    sim.control("clock", json!({"advanceMs": 20_000})).await;
    let status: Value = client.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(status["statut"], "IRREVOCABLE");
}

#[tokio::test]
async fn aliases_bodies_and_keys_are_strict() {
    let sim = start().await;
    let client = Client::new(&sim).await;
    let (status, unknown) = client.post("paiements-envoyes", &payment("U", "not-an-alias", false)).await;
    assert_eq!((status, &unknown["statutRaison"], unknown.get("payeNom")), (StatusCode::OK, &json!("BE23"), None));
    for (end, code) in [("aa04", "AM04"), ("ac07", "AC07"), ("ab03", "AB03"), ("ff01", "FR01")] {
        let alias = format!("9b1b2499-3e50-435b-b757-ac7a83d8{end}");
        client.post("paiements-envoyes", &payment(end, &alias, false)).await;
        assert_eq!(client.ends(&format!("paiements-envoyes/{end}")).await["statutRaison"], code);
    }
    let mut open = payment("X", THEIRS, false);
    open["devise"] = json!("XOF");
    let (status, problem) = client.post("paiements-envoyes", &open).await;
    assert_eq!((status, &problem["invalid-params"][0]["name"]), (StatusCode::BAD_REQUEST, &json!("devise")));
    let bare = sim.get("/pispi/CIC001/comptes").bearer_auth(&client.token).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::FORBIDDEN, "the gateway wants its key");
    assert_eq!(client.get("nowhere").send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(
        client.get("paiements-recus?statut=IRREVOCABLE").send().await.unwrap().status(),
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_request_is_paid_and_seen_from_both_sides() {
    let merchant = Merchant::start().await;
    let sim = start_for(&merchant, &[Provider::Pispi]).await;
    let client = Client::new(&sim).await;
    let body = json!({"txId": "D-1", "categorie": "500", "confirmation": false, "payeurAlias": THEIRS, "payeAlias": OURS, "montant": 5_000, "motif": "Recharge"});
    let (_, made) = client.post("demandes-paiements", &body).await;
    assert_eq!(made["statut"], "ENVOYE");
    assert_eq!(client.ends("demandes-paiements/D-1").await["statut"], "IRREVOCABLE");
    let received: Value = client.get("paiements-recus?txId=D-1").send().await.unwrap().json().await.unwrap();
    let payment = &received["data"][0];
    assert_eq!((&payment["txId"], &payment["montant"]), (&json!("D-1"), &json!(5_000)));
    assert_ne!(payment["end2endId"], made["end2endId"]);
    sim.control("receive", json!({"provider": "pispi", "amount": 700, "sender": THEIRS})).await;
    let told = merchant.wait(2).await;
    for event in &told {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"pispi_simulator").unwrap();
        mac.update(&event.body);
        assert_eq!(event.header("x-signature"), hex::encode(mac.finalize().into_bytes()));
        assert_eq!(event.json()["data"][0]["evCode"], "PAIEMENT_RECU");
        assert!(event.json()["data"][0].get("evDate").is_none(), "sparse, as measured");
    }
    let page: Value = client.get("paiements-recus?size=1").send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&page["meta"]["total"], page["data"].as_array().unwrap().len()),
        (&json!(1), 1),
        "the total of the page"
    );
    let next = format!("paiements-recus?size=1&page={}", page["meta"]["page"].as_str().unwrap());
    let next: Value = client.get(&next).send().await.unwrap().json().await.unwrap();
    assert_eq!(next["data"][0]["txId"], "D-1");
    let end = format!("paiements-recus?page={}", next["meta"]["page"].as_str().unwrap());
    let end: Value = client.get(&end).send().await.unwrap().json().await.unwrap();
    assert_eq!(end["data"], json!([]), "the last page is empty");
}

#[tokio::test]
async fn webhooks_are_few_and_their_secret_is_shown_once() {
    let sim = start().await;
    let client = Client::new(&sim).await;
    let (status, made) = client.post("webhooks", &json!({"callbackUrl": "http://127.0.0.1:9/a"})).await;
    assert_eq!((status, made["secret"].is_string()), (StatusCode::CREATED, true));
    assert_eq!(client.post("webhooks", &json!({"callbackUrl": "http://127.0.0.1:9/a"})).await.0, StatusCode::CONFLICT);
    assert_eq!(
        client.post("webhooks", &json!({"callbackUrl": "http://127.0.0.1:9/b", "events": []})).await.0,
        StatusCode::BAD_REQUEST
    );
    let seen: Value =
        client.get(&format!("webhooks/{}", made["id"].as_str().unwrap())).send().await.unwrap().json().await.unwrap();
    assert_eq!((&seen["id"], seen.get("secret")), (&made["id"], None));
    let (_, renewed) = client
        .post(
            &format!("webhooks/{}/secrets", made["id"].as_str().unwrap()),
            &json!({"dateExpiration": "2027-01-01T00:00:00Z"}),
        )
        .await;
    assert_ne!(renewed["secret"], made["secret"]);
    for n in 1..20 {
        client.post("webhooks", &json!({"callbackUrl": format!("http://127.0.0.1:9/{n}")})).await;
    }
    assert_eq!(client.post("webhooks", &json!({"callbackUrl": "http://127.0.0.1:9/z"})).await.0, StatusCode::FORBIDDEN);
}
