//! MTN MoMo.

use crate::harness::{Merchant, Simulator, start, start_with};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use simulator::Options;

const USER: &str = "6f1c1f0e-5d7a-4a51-9b1e-2f2f6f1c1f0";

/// A different reference for each number.
fn reference(n: u32) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// A client of one product that has its token.
struct Product<'s> {
    sim: &'s Simulator,
    name: &'static str,
    token: String,
    environment: &'static str,
}

impl<'s> Product<'s> {
    async fn new(sim: &'s Simulator, name: &'static str) -> Self {
        let user = format!("{USER}{}", if name == "collection" { 1 } else { 2 });
        let request = sim
            .post(&format!("/mtn/{name}/token/"))
            .basic_auth(user, Some(format!("simulator-{name}-api-key")))
            .header("Ocp-Apim-Subscription-Key", format!("simulator-{name}-subscription"));
        let token: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("access_token"), &json!(3_600)));
        Self { sim, name, token: token["access_token"].as_str().unwrap().to_owned(), environment: "mtnivorycoast" }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/mtn/{}/{path}", self.sim.url, self.name);
        self.sim
            .client
            .request(method, url)
            .bearer_auth(&self.token)
            .header("X-Target-Environment", self.environment)
            .header("Ocp-Apim-Subscription-Key", format!("simulator-{}-subscription", self.name))
    }

    fn create(&self, resource: &str, id: &str, number: &str) -> RequestBuilder {
        let side = if resource == "requesttopay" { "payer" } else { "payee" };
        let mut body = json!({"amount": "1500", "currency": "XOF", "externalId": format!("E-{id}"),
            "payerMessage": "Depot", "payeeNote": "Hostolink"});
        body[side] = json!({"partyIdType": "MSISDN", "partyId": number});
        self.call(Method::POST, &format!("v1_0/{resource}")).header("X-Reference-Id", id).json(&body)
    }

    async fn ends(&self, resource: &str, id: &str) -> Value {
        let path = format!("v1_0/{resource}/{id}");
        self.sim.until("an end", || self.call(Method::GET, &path), |o| o["status"] != "PENDING").await
    }
}

async fn code(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_customer_pays_and_is_paid() {
    let merchant = Merchant::start().await;
    let sim = start().await;
    let collection = Product::new(&sim, "collection").await;
    let id = reference(1);
    assert_eq!(
        code(collection.call(Method::GET, &format!("v1_0/requesttopay/{id}"))).await,
        (404, "RESOURCE_NOT_FOUND".into())
    );
    let send =
        || collection.create("requesttopay", &id, "2250504030201").header("X-Callback-Url", merchant.url("mtn/x"));
    let accepted = send().send().await.unwrap();
    assert_eq!((accepted.status(), accepted.content_length()), (StatusCode::ACCEPTED, Some(0)));
    assert_eq!(code(send()).await, (409, "RESOURCE_ALREADY_EXIST".into()));
    let done = collection.ends("requesttopay", &id).await;
    assert_eq!(
        (&done["status"], &done["amount"], &done["payer"]["partyId"]),
        (&json!("SUCCESSFUL"), &json!("1500"), &json!("2250504030201"))
    );
    assert!(done["financialTransactionId"].is_string());
    let callback = merchant.wait(1).await.remove(0);
    assert_eq!((callback.method.as_str(), callback.path.as_str()), ("PUT", "/hooks/mtn/x"));
    assert_eq!(callback.json()["referenceId"], json!(id));

    let disbursement = Product::new(&sim, "disbursement").await;
    for (n, resource) in [(2, "transfer"), (3, "deposit")] {
        let id = reference(n);
        assert_eq!(
            disbursement.create(resource, &id, "2250504030201").send().await.unwrap().status(),
            StatusCode::ACCEPTED
        );
        assert_eq!(disbursement.ends(resource, &id).await["status"], "SUCCESSFUL");
    }
    let refund = json!({"amount": "1500", "currency": "XOF", "externalId": "R", "payerMessage": "", "payeeNote": "", "referenceIdToRefund": id});
    let send = |n| disbursement.call(Method::POST, "v1_0/refund").header("X-Reference-Id", reference(n)).json(&refund);
    assert_eq!(send(4).send().await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(disbursement.ends("refund", &reference(4)).await["status"], "SUCCESSFUL");
    assert_eq!(code(send(5)).await, (500, "NOT_ALLOWED".into()), "one refund only");
    let book = sim.book("mtn").await;
    assert_eq!((&book["collected"], &book["paidOut"], &book["balanced"]), (&json!(1_500), &json!(4_500), &json!(true)));
}

#[tokio::test]
async fn numbers_choose_the_end() {
    let sim = start().await;
    let collection = Product::new(&sim, "collection").await;
    let numbers = [
        ("450", "INTERNAL_PROCESSING_ERROR"),
        ("451", "APPROVAL_REJECTED"),
        ("452", "EXPIRED"),
        ("455", "PAYER_NOT_FOUND"),
        ("463", "COULD_NOT_PERFORM_TRANSACTION"),
    ];
    for (n, (last, reason)) in (10..).zip(numbers) {
        let id = reference(n);
        collection.create("requesttopay", &id, &format!("2250504030{last}")).send().await.unwrap();
        let end = collection.ends("requesttopay", &id).await;
        assert_eq!((&end["status"], &end["reason"]), (&json!("FAILED"), &json!(reason)));
    }
    let slow = reference(20);
    collection.create("requesttopay", &slow, "46733123454").send().await.unwrap();
    let disbursement = Product::new(&sim, "disbursement").await;
    let poor = reference(21);
    disbursement.create("transfer", &poor, "46733123455").send().await.unwrap();
    assert_eq!(disbursement.ends("transfer", &poor).await["reason"], "NOT_ENOUGH_FUNDS");
    sim.control("clock", json!({"advanceMs": 31_000})).await;
    assert_eq!(collection.ends("requesttopay", &slow).await["status"], "SUCCESSFUL");
    let stays = start_with(Options { auto_approve_after: None, ..Options::default() }).await;
    let collection = Product::new(&stays, "collection").await;
    collection.create("requesttopay", &reference(1), "2250504030201").send().await.unwrap();
    stays.control("clock", json!({"advanceMs": 301_000})).await;
    assert_eq!(collection.ends("requesttopay", &reference(1)).await["reason"], "EXPIRED");
}

#[tokio::test]
async fn keys_tokens_and_fields_are_checked() {
    let sim = start().await;
    let mut collection = Product::new(&sim, "collection").await;
    let bare = sim.post("/mtn/collection/v1_0/requesttopay").send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(bare.json::<Value>().await.unwrap()["statusCode"], 401, "the gateway's own shape");
    assert_eq!(code(collection.create("requesttopay", "not-a-uuid", "2250504030201")).await.0, 400);
    assert_eq!(
        code(collection.create("requesttopay", &reference(1), "+2250504030201")).await,
        (400, "VALIDATION_ERROR".into())
    );
    collection.environment = "sandbox";
    assert_eq!(
        code(collection.create("requesttopay", &reference(1), "2250504030201")).await,
        (500, "INVALID_CURRENCY".into())
    );
    collection.environment = "elsewhere";
    assert_eq!(
        code(collection.create("requesttopay", &reference(1), "2250504030201")).await,
        (500, "NOT_ALLOWED_TARGET_ENVIRONMENT".into())
    );
    collection.environment = "mtnivorycoast";
    // A token of one product opens no other.
    let other = sim.get("/mtn/disbursement/v1_0/account/balance").bearer_auth(&collection.token);
    let other = other
        .header("X-Target-Environment", "mtnivorycoast")
        .header("Ocp-Apim-Subscription-Key", "simulator-disbursement-subscription");
    assert_eq!(other.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let balance: Value =
        collection.call(Method::GET, "v1_0/account/balance").send().await.unwrap().json().await.unwrap();
    assert_eq!(balance, json!({"availableBalance": "1000000000", "currency": "XOF"}));
    let who: Value = collection
        .call(Method::GET, "v1_0/accountholder/msisdn/2250504030201/basicuserinfo")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(who["family_name"].as_str().is_some_and(|n| !n.is_empty()));
    sim.control("clock", json!({"advanceMs": 3_600_000})).await;
    let late = collection.call(Method::GET, "v1_0/account/balance").send().await.unwrap();
    assert_eq!(late.json::<Value>().await.unwrap()["message"], "Access token expired.");
}

#[tokio::test]
async fn a_sandbox_user_is_provisioned_and_held_to_his_host() {
    let sim = start().await;
    let user = reference(7);
    let ask = |method: Method, path: &str| {
        let url = format!("{}/mtn/v1_0/apiuser{path}", sim.url);
        sim.client.request(method, url).header("Ocp-Apim-Subscription-Key", "simulator-collection-subscription")
    };
    let create =
        || ask(Method::POST, "").header("X-Reference-Id", &user).json(&json!({"providerCallbackHost": "good.example"}));
    assert_eq!(create().send().await.unwrap().status(), StatusCode::CREATED);
    assert_eq!(code(create()).await, (409, "RESOURCE_ALREADY_EXIST".into()));
    let seen: Value = ask(Method::GET, &format!("/{user}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(seen, json!({"providerCallbackHost": "good.example", "targetEnvironment": "sandbox"}));
    let key: Value = ask(Method::POST, &format!("/{user}/apikey")).send().await.unwrap().json().await.unwrap();
    let token = sim.post("/mtn/collection/token/").basic_auth(&user, key["apiKey"].as_str());
    let token: Value = token
        .header("Ocp-Apim-Subscription-Key", "simulator-collection-subscription")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = token["access_token"].as_str().unwrap().to_owned();
    let product = Product { sim: &sim, name: "collection", token, environment: "mtnivorycoast" };
    let bad = product
        .create("requesttopay", &reference(8), "2250504030201")
        .header("X-Callback-Url", "https://evil.example/x");
    assert_eq!(code(bad).await, (500, "INVALID_CALLBACK_URL_HOST".into()));
}
