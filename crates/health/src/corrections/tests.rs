use axum::Router;
use chrono::TimeDelta;
use identity::Identity;
use identity::testing::{self, Someone};
use kernel::{Clock, Random};
use serde_json::{Value, json};
use testkit::{Client, TestDb};

use crate::{Config, Deps, Health};

struct House {
    health: Health,
    client: Client,
    identity: Identity,
    clock: Clock,
    test: TestDb,
    facility: String,
}

const LIST: &str = "nom,lat,lon,id,type,telephone\nClinique du Port,5.30,-4.00,a,clinique,27 22 48 10 00;0707070707\nHôpital du Nord,5.40,-4.00,b,hopital,185\n";

async fn house() -> House {
    let test = testkit::db().await;
    let clock = Clock::movable();
    let identity = testing::identity(&test.db, &clock);
    let health = Health::new(Deps {
        db: test.db.clone(),
        clock: clock.clone(),
        random: Random::seeded(3),
        config: Config::default(),
    })
    .await;
    let router = Router::new().nest("/api", health.routes().split_for_parts().0).layer(identity.layer());
    let file = tempfile::NamedTempFile::new().unwrap();
    for (text, source) in
        [(LIST, "csv"), ("number,label,category,scope,certainty\n185,SAMU,medical,national,high\n", "numbers")]
    {
        std::fs::write(file.path(), text).unwrap();
        crate::import::run(
            &health.world(),
            &crate::import::ImportOptions::new(file.path(), source.parse().unwrap()),
            &|_| {},
        )
        .await
        .unwrap();
    }
    health.refresh().await.unwrap();
    let client = Client::new(router);
    let facility = client.get("/api/facilities/nearby?lat=5.3&lng=-4").await.data(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    House { health, client, identity, clock, test, facility }
}

impl House {
    /// Three people whose accounts are old enough, the third a moderator, signed in afresh.
    async fn people(&self) -> [Client; 3] {
        let mut people: Vec<Someone> = Vec::new();
        for number in ["+2250701020304", "+2250701020305", "+2250701020306"] {
            people.push(testing::sign_up(&self.identity, number).await);
        }
        self.identity.admin_grant("+2250701020306", "moderator").await.unwrap();
        // Old accounts: their ids hold the moment of their making.
        let then = kernel::new_id(&Clock::system(), &Random::seeded(1)).as_u128();
        for (person, n) in people.iter().zip(1_u128..) {
            let old = uuid::Uuid::from_u128(then - ((40_u128 * 86_400_000) << 80) + n);
            sqlx::query("UPDATE utilisateur SET public_id = $2 WHERE id_user = $1")
                .bind(person.id_user)
                .bind(old)
                .execute(&self.test.db.write)
                .await
                .unwrap();
        }
        let clients: Vec<Client> =
            people.iter().map(|person| self.client.bearer(&person.tokens.access_token)).collect();
        clients.try_into().unwrap()
    }

    async fn shown(&self) -> Value {
        self.health.refresh().await.unwrap();
        self.client.get(&format!("/api/facilities/{}", self.facility)).await.data(200)["facility"].clone()
    }

    fn path(&self) -> String {
        format!("/api/facilities/{}/suggestions", self.facility)
    }
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let house = house().await;
    let body = json!({"field": "name", "value": "Clinique du Grand Port"});
    assert_eq!(house.client.post(&house.path(), body.clone()).await.status.as_u16(), 401);
    let unverified = testing::sign_up_unverified(&house.identity, "+2250701020309").await;
    assert_eq!(
        house.client.bearer(&unverified.tokens.access_token).post(&house.path(), body.clone()).await.code(403),
        "health.not_verified"
    );
    let [one, _, moderator] = house.people().await;
    assert_eq!(one.get("/api/admin/health/suggestions").await.status.as_u16(), 403);
    assert_eq!(
        one.post(&house.path(), json!({"field": "colour", "value": "red"})).await.body["errors"][0]["field"],
        "field"
    );
    assert_eq!(
        one.post(&house.path(), json!({"field": "openingHours", "value": "27 22 48 10 00"})).await.body["errors"][0]["field"],
        "value"
    );
    assert_eq!(
        one.post(&house.path(), json!({"field": "deadPhone", "value": "0102030405"})).await.status.as_u16(),
        400
    );
    one.post(&house.path(), body.clone()).await.data(201);
    assert_eq!(one.post(&house.path(), body).await.code(409), "health.already_suggested");
    assert_eq!(moderator.get("/api/admin/health/suggestions").await.data(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_moderator_publishes_and_anything_can_be_undone() {
    let house = house().await;
    let [one, _, moderator] = house.people().await;
    for (field, value, shown, before, after) in [
        ("name", json!("Clinique du Grand Port"), "/name", json!("Clinique du Port"), json!("Clinique du Grand Port")),
        ("location", json!({"lat": 5.31, "lng": -4.01}), "/location/lat", json!(5.3), json!(5.31)),
        ("state", json!("closed"), "/state", json!("open"), json!("closed")),
        ("emergency", json!(true), "/emergency", Value::Null, json!(true)),
        (
            "phone",
            json!("27 22 49 64 00"),
            "/phones/0/telUri",
            json!("tel:+2252722481000"),
            json!("tel:+2252722496400"),
        ),
        (
            "deadPhone",
            json!("27 22 48 10 00"),
            "/phones/0/telUri",
            json!("tel:+2252722481000"),
            json!("tel:+2250707070707"),
        ),
    ] {
        assert_eq!(house.shown().await.pointer(shown), Some(&before), "{field}");
        let id = one.post(&house.path(), json!({"field": field, "value": value})).await.data(201)["suggestion"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(house.shown().await.pointer(shown), Some(&before), "{field}: nothing before a moderator");
        let accepted = moderator.post(&format!("/api/admin/health/suggestions/{id}/accept"), json!({})).await.data(200)
            ["suggestion"]
            .clone();
        assert_eq!(
            (house.shown().await.pointer(shown), &accepted["state"]),
            (Some(&after), &json!("accepted")),
            "{field}"
        );
        assert_eq!(
            moderator.post(&format!("/api/admin/health/suggestions/{id}/accept"), json!({})).await.code(409),
            "health.already_decided"
        );
        let revert = format!("/api/admin/health/changes/{}/revert", accepted["changeId"].as_str().unwrap());
        moderator.post(&revert, json!({})).await.data(200);
        assert_eq!(house.shown().await.pointer(shown), Some(&before), "{field}: undone");
        assert_eq!(moderator.post(&revert, json!({})).await.code(409), "health.not_reversible");
    }
    let changes = moderator.get(&format!("/api/admin/health/facilities/{}/changes", house.facility)).await.data(200);
    assert_eq!(changes["items"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_later_import_does_not_take_a_correction_back() {
    let house = house().await;
    let [one, two, moderator] = house.people().await;
    for person in [&one, &two] {
        person.post(&house.path(), json!({"field": "openingHours", "value": "Lu-Ve 8h-18h"})).await.data(201);
    }
    assert_eq!(house.shown().await["openingHours"], "Mo-Fr 08:00-18:00", "two who count agree");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        file.path(),
        LIST.replace("telephone\n", "telephone,horaires\n")
            .replace("0707070707\n", "0707070707,24/7\n")
            .replace("185\n", "185,\n"),
    )
    .unwrap();
    crate::import::run(
        &house.health.world(),
        &crate::import::ImportOptions::new(file.path(), "csv".parse().unwrap()),
        &|_| {},
    )
    .await
    .unwrap();
    assert_eq!(house.shown().await["openingHours"], "Mo-Fr 08:00-18:00");
    let id =
        moderator.get(&format!("/api/admin/health/facilities/{}/changes", house.facility)).await.data(200)["items"][0]
            ["id"]
            .as_str()
            .unwrap()
            .to_owned();
    moderator.post(&format!("/api/admin/health/changes/{id}/revert"), json!({})).await.data(200);
    assert_eq!(house.shown().await["openingHours"], Value::Null);
}

#[tokio::test]
async fn a_dead_number_steps_back_for_two_who_count_and_a_national_one_never() {
    let house = house().await;
    let newcomer = testing::sign_up(&house.identity, "+2250701020310").await;
    let newcomer = house.client.bearer(&newcomer.tokens.access_token);
    let [one, two, _] = house.people().await;
    let dead = json!({"field": "deadPhone", "value": "27 22 48 10 00"});
    one.post(&house.path(), dead.clone()).await.data(201);
    newcomer.post(&house.path(), dead.clone()).await.data(201);
    assert_eq!(house.shown().await["phones"][0]["telUri"], "tel:+2252722481000", "a new account does not count");
    two.post(&house.path(), dead).await.data(201);
    let phones = house.shown().await["phones"].clone();
    assert_eq!(
        (&phones[0]["telUri"], &phones[1]["telUri"], &phones[1]["toVerify"]),
        (&json!("tel:+2250707070707"), &json!("tel:+2252722481000"), &json!(true))
    );

    let north = house.client.get("/api/facilities/nearby?lat=5.4&lng=-4").await.data(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for person in [&one, &two] {
        person
            .post(&format!("/api/facilities/{north}/suggestions"), json!({"field": "deadPhone", "value": "185"}))
            .await
            .data(201);
    }
    house.health.refresh().await.unwrap();
    assert_eq!(
        house.client.get(&format!("/api/facilities/{north}")).await.data(200)["facility"]["phones"][0]["toVerify"],
        false
    );
    assert_eq!(house.client.get("/api/emergency-numbers").await.data(200)["items"][0]["telUri"], "tel:185");
    house.clock.shift(TimeDelta::seconds(1));
}

#[tokio::test]
async fn two_sheets_of_one_place_are_joined_and_parted_again() {
    let house = house().await;
    let [.., moderator] = house.people().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "osm_id,osm_type,amenity,name,lat,lon\n7,node,clinic,Clinique du Port,5.3001,-4.0\n")
        .unwrap();
    let report = crate::import::run(
        &house.health.world(),
        &crate::import::ImportOptions::new(file.path(), "osm".parse().unwrap()),
        &|_| {},
    )
    .await
    .unwrap();
    assert_eq!(report.to_review, 1);
    house.health.refresh().await.unwrap();
    let on_map = async || {
        house.health.refresh().await.unwrap();
        house.client.get("/api/facilities").await.data(200)["total"].as_i64().unwrap()
    };
    assert_eq!(on_map().await, 3);
    let pair = moderator.get("/api/admin/health/duplicates").await.data(200)["items"][0].clone();
    let (id, keep) = (pair["id"].as_str().unwrap(), house.facility.as_str());
    let other = [&pair["firstId"], &pair["secondId"]]
        .into_iter()
        .filter_map(Value::as_str)
        .find(|one| *one != keep)
        .unwrap()
        .to_owned();
    moderator.post(&format!("/api/admin/health/duplicates/{id}"), json!({"keep": keep})).await.data(200);
    assert_eq!(on_map().await, 2);
    let moved = house.client.get(&format!("/api/facilities/{other}")).await;
    assert_eq!((moved.status.as_u16(), moved.headers["location"].to_str().unwrap()), (301, keep));
    let change =
        moderator.get(&format!("/api/admin/health/facilities/{keep}/changes")).await.data(200)["items"][0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
    moderator.post(&format!("/api/admin/health/changes/{change}/revert"), json!({})).await.data(200);
    assert_eq!(on_map().await, 3);
}
