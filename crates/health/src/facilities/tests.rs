use std::path::Path;

use axum::Router;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock, Random};
use serde_json::Value;
use testkit::{Client, TestDb};

use crate::import::{ImportOptions, World, run};
use crate::{Config, Deps, Health, seed};

/// A house on a database of its own, with what is shipped in it.
pub(crate) struct House {
    pub(crate) health: Health,
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    pub(crate) test: TestDb,
}

pub(crate) async fn empty() -> House {
    let test = testkit::db().await;
    let clock = Clock::movable();
    let health = Health::new(Deps {
        db: test.db.clone(),
        clock: clock.clone(),
        random: Random::seeded(9),
        config: Config::default(),
    })
    .await;
    let router = Router::new().nest("/api", health.routes().split_for_parts().0).merge(health.root_routes());
    House { client: Client::new(router), health, clock, test }
}

pub(crate) async fn shipped() -> House {
    let house = empty().await;
    seed(&house.health.world()).await.unwrap();
    house.health.refresh().await.unwrap();
    house
}

impl House {
    pub(crate) fn world(&self) -> World {
        self.health.world()
    }

    pub(crate) fn at(&self, when: &str) {
        let when: DateTime<Utc> = when.parse().unwrap();
        self.clock.shift(when - self.clock.now());
    }

    /// Imports a small file of a shape that a source has.
    pub(crate) async fn import(&self, text: &str, source: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        self.import_file(file.path(), source).await;
    }

    pub(crate) async fn import_file(&self, file: &Path, source: &str) {
        run(&self.world(), &ImportOptions::new(file, source.parse().unwrap()), &|_| {}).await.unwrap();
        self.health.refresh().await.unwrap();
    }
}

#[tokio::test]
async fn the_first_start_has_real_facilities_and_a_second_seed_adds_nothing() {
    let house = empty().await;
    let started = std::time::Instant::now();
    let reports = seed(&house.health.world()).await.unwrap();
    eprintln!("seeded in {:?}", started.elapsed());
    assert_eq!(reports.iter().map(|(_, report)| report.created).collect::<Vec<_>>(), [510, 5136, 18, 1800]);
    assert!(seed(&house.health.world()).await.unwrap().is_empty());
    house.health.refresh().await.unwrap();
    let data = house.client.get("/api/facilities/nearby?lat=5.3364&lng=-4.0267&limit=5&type=pharmacy").await.data(200);
    let items = data["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    assert!(
        items
            .iter()
            .all(|item| item["type"] == "pharmacy" && item["phones"].is_array() && item["subPrefecture"] == "Abidjan")
    );
    assert!(items[0]["distanceMeters"].as_i64().unwrap() < 2_000, "{}", items[0]);
    assert!(items[0]["sources"][0]["licence"].as_str().unwrap().contains("OpenStreetMap"));
}

#[tokio::test]
async fn nearest_twenty_are_the_brute_force_of_the_database() {
    let house = shipped().await;
    if let Some(data) = crate::import::test_data() {
        house.import_file(&data.join("etablissements_msp_2022.csv"), "msp").await;
    }
    // Places all over the country and beyond, the same at every run.
    let places: Vec<(f64, f64)> = (0..1000_i32)
        .map(|i| ((f64::from(i) * 0.618_034).fract() * 8.0 + 3.5, (f64::from(i) * 0.754_878).fract() * 8.0 - 9.0))
        .collect();
    let (atlas, moment) = (house.health.atlas(), house.health.moment());
    // Every distance once, ranked among all and among its kind.
    let sql = "WITH d AS MATERIALIZED (
          SELECT p.n, v.id, e.type_id, ST_Distance(v.geom::geography, ST_SetSRID(ST_MakePoint(p.lng, p.lat), 4326)::geography) AS d
            FROM unnest($1::float8[], $2::float8[]) WITH ORDINALITY AS p(lat, lng, n), v_etablissement_carte v JOIN etablissement_sante e ON e.public_id = v.id),
        r AS (SELECT n, id, type_id, row_number() OVER (PARTITION BY n ORDER BY d, id) AS a, row_number() OVER (PARTITION BY n, type_id ORDER BY d, id) AS k FROM d)
        SELECT n, id, type_id, a, k FROM r WHERE a <= 20 OR k <= 20 ORDER BY n, a";
    for share in places.chunks(50) {
        let rows: Vec<(i64, uuid::Uuid, i16, i64, i64)> = sqlx::query_as(sql)
            .bind(share.iter().map(|place| place.0).collect::<Vec<_>>())
            .bind(share.iter().map(|place| place.1).collect::<Vec<_>>())
            .fetch_all(&house.test.db.write)
            .await
            .unwrap();
        for (at, n) in share.iter().zip(1..) {
            let from = crate::geo::Place::new(at.0, at.1).unwrap();
            for kind in std::iter::once(None).chain(crate::kind::Kind::all().map(Some)) {
                let wish = crate::atlas::Wish { kinds: kind.into_iter().collect(), ..Default::default() };
                let got: Vec<uuid::Uuid> = atlas
                    .nearest(from, 20, &wish, moment)
                    .iter()
                    .map(|(index, _)| atlas.at(*index).unwrap().id)
                    .collect();
                let fits = |row: &&(i64, uuid::Uuid, i16, i64, i64)| {
                    row.0 == n && kind.map_or(row.3 <= 20, |kind| row.2 == kind.0 && row.4 <= 20)
                };
                let wanted: Vec<uuid::Uuid> = rows.iter().filter(fits).map(|row| row.1).collect();
                assert_eq!(got, wanted, "{at:?} {kind:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_cannot_be_answered_is_refused_by_field() {
    let house = empty().await;
    for (path, field) in [
        ("/api/facilities/nearby?lng=-4", "lat"),
        ("/api/facilities/nearby?lat=abc&lng=-4", "lat"),
        ("/api/facilities/nearby?lat=95&lng=-4", "lat"),
        ("/api/facilities/nearby?lat=5&lng=-400", "lng"),
        ("/api/facilities/nearby?lat=NaN&lng=-4", "lat"),
        ("/api/facilities/nearby?lat=5&lng=-4&limit=101", "limit"),
        ("/api/facilities/nearby?lat=5&lng=-4&limit=0", "limit"),
        ("/api/facilities/nearby?lat=5&lng=-4&radius=-1", "radius"),
        ("/api/facilities/nearby?lat=5&lng=-4&type=restaurant", "type"),
        ("/api/facilities?bbox=1,2,3", "bbox"),
        ("/api/facilities?bbox=-4,9,-3,5", "bbox"),
        ("/api/facilities?lat=5", "lng"),
        ("/api/facilities?cursor=x", "cursor"),
        ("/api/pharmacies/on-duty?near=5", "near"),
        ("/api/places?lat=5", "lng"),
    ] {
        let answer = house.client.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["errors"][0]["field"]),
            (400, &Value::from(field)),
            "{path}: {}",
            answer.body
        );
    }
    for path in [
        "/api/facilities/0198c2f2-0000-7000-8000-000000000000",
        "/api/facilities/x",
        "/api/facilities/packs/xx",
        "/api/tiles/facilities/3/9/1.mvt",
        "/api/tiles/facilities/3/1/1.png",
        "/api/tiles/facilities/99/1/1.mvt",
    ] {
        assert_eq!(house.client.get(path).await.status.as_u16(), 404, "{path}");
    }
}

const SMALL: &str = "nom,lat,lon,id,type,telephone,horaires\n\
    Pharmacie du Matin,5.30,-4.00,a,pharmacie,27 22 48 10 00,Mo-Su 08:00-12:00\n\
    Pharmacie de Toujours,5.31,-4.00,b,pharmacie,,24/7\n\
    Pharmacie Muette,5.32,-4.00,c,pharmacie,,\n\
    Clinique de la Lagune,5.33,-4.00,d,clinique,,\n";

#[tokio::test]
async fn open_now_has_three_states_and_duty_opens_the_door() {
    let house = empty().await;
    house.import(SMALL, "csv").await;
    house.at("2026-11-23T10:00:00Z");
    let names = async |query: &str| {
        let data =
            house.client.get(&format!("/api/facilities/nearby?lat=5.3&lng=-4&type=pharmacy{query}")).await.data(200);
        data["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().replace("Pharmacie ", ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(names("&openNow=true").await, ["du Matin", "de Toujours"]);
    assert_eq!(names("&openNow=true&includeUnknown=true").await, ["du Matin", "de Toujours", "Muette"]);
    house.at("2026-11-23T13:00:00Z");
    assert_eq!(names("&openNow=true").await, ["de Toujours"]);
    assert_eq!(names("&openNow=false").await, ["du Matin"]);
    let duty = "week_start,week_end,area,name,address,phones\n2026-11-21,2026-11-27,COCODY,Pharmacie du Matin,RUE 12,0707070707\n2026-11-21,2026-11-27,YOPOUGON Secteur 9,Pharmacie Inconnue,FACE AU MARCHE,27 23 45 16 90\n";
    house.import(duty, "garde").await;
    assert_eq!(names("&onDuty=true").await, ["du Matin"]);
    assert_eq!(names("&openNow=true").await, ["du Matin", "de Toujours"], "on duty is open, whatever the door says");

    let lists = house.client.get("/api/pharmacies/on-duty?near=5.3,-4.0").await.data(200);
    assert_eq!((lists["total"].as_i64(), lists["items"][0]["distanceExact"].as_bool()), (Some(2), Some(true)));
    assert_eq!(
        lists["items"][1]["phones"][0]["telUri"], "tel:+2252723451690",
        "a pharmacy without a place is listed with its number"
    );
    let area = house.client.get("/api/pharmacies/on-duty?area=yopougon").await.data(200);
    assert_eq!((area["total"].as_i64(), &area["items"][0]["name"]), (Some(1), &"Pharmacie Inconnue".into()));
    assert_eq!(house.health.duty_missing(), None);
    house.at("2026-11-27T13:00:00Z");
    assert_eq!(
        house.health.duty_missing().map(|day| day.to_string()).as_deref(),
        Some("2026-11-28"),
        "Friday noon, and nothing for next week"
    );
}

#[tokio::test]
async fn details_numbers_and_moves() {
    let house = empty().await;
    house.import(SMALL, "csv").await;
    let list = house.client.get("/api/facilities?bbox=-4.1,5.2,-3.9,5.325&limit=2").await.data(200);
    assert_eq!((list["total"].as_i64(), list["counts"]["pharmacy"].as_i64()), (Some(3), Some(3)));
    let next = list["nextCursor"].as_str().unwrap();
    let rest =
        house.client.get(&format!("/api/facilities?bbox=-4.1,5.2,-3.9,5.325&limit=2&cursor={next}")).await.data(200);
    assert_eq!((rest["items"].as_array().unwrap().len(), &rest["nextCursor"]), (1, &Value::Null));

    let id = house.client.get("/api/facilities/nearby?lat=5.3&lng=-4&limit=1").await.data(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/facilities/{id}?lat=5.3&lng=-4.01");
    let facility = house.client.get(&path).await.data(200)["facility"].clone();
    assert_eq!(
        (&facility["phones"][0]["telUri"], &facility["phones"][0]["certainty"]),
        (&"tel:+2252722481000".into(), &"medium".into())
    );
    assert_eq!(facility["distanceMeters"], 1108);
    assert!(facility["directionsUri"].as_str().unwrap().contains("5.3,-4"));
    let answer = house.client.get(&path).await;
    let again = house.client.with("if-none-match", answer.headers["etag"].to_str().unwrap()).get(&path).await;
    assert_eq!(again.status.as_u16(), 304);

    // Written by hand through the brief's columns; then closed by hand.
    sqlx::query("INSERT INTO etablissement_sante (nom, categorie, latitude, longitude) VALUES ('Hôpital à la main', 'Hôpital général', 5.3001, -4.0)").execute(&house.test.db.write).await.unwrap();
    house.health.refresh().await.unwrap();
    let nearest = async || {
        house.client.get("/api/facilities/nearby?lat=5.3001&lng=-4&limit=1").await.data(200)["items"][0].clone()
    };
    assert_eq!((&nearest().await["name"], &nearest().await["type"]), (&"Hôpital à la main".into(), &"hospital".into()));
    sqlx::query("UPDATE etablissement_sante SET etat = 'ferme' WHERE nom = 'Hôpital à la main'")
        .execute(&house.test.db.write)
        .await
        .unwrap();
    house.health.refresh().await.unwrap();
    assert_ne!(nearest().await["name"], "Hôpital à la main");
}

#[tokio::test]
async fn memory_follows_the_tables_by_itself() {
    let house = empty().await;
    // The listener needs a moment to be there; the change is then heard.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    sqlx::query("INSERT INTO etablissement_sante (nom, categorie, latitude, longitude) VALUES ('Clinique Neuve', 'clinique', 5.3, -4.0)").execute(&house.test.db.write).await.unwrap();
    for _ in 0..100 {
        let data = house.client.get("/api/facilities/nearby?lat=5.3&lng=-4").await.data(200);
        if data["items"][0]["name"] == "Clinique Neuve" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("ten seconds later the new clinic is not there");
}

#[tokio::test]
async fn without_a_database_the_urgent_answers_stay() {
    let house = shipped().await;
    house.test.db.write.close().await;
    house.test.db.read.close().await;
    for path in [
        "/api/emergency-numbers",
        "/api/facilities/nearby?lat=5.3&lng=-4",
        "/api/facilities?q=chu",
        "/api/pharmacies/on-duty",
        "/api/places?lat=7.69&lng=-5.03",
        "/api/facilities/packs/ci",
    ] {
        assert_eq!(house.client.get(path).await.status.as_u16(), 200, "{path}");
    }
    // Started while nothing listens at all: the numbers of the program itself.
    let away =
        kernel::Db::connect("postgres://nobody@127.0.0.1:1/nothing", kernel::db::Sizes { write: 1, read: 1, hot: 1 })
            .unwrap();
    let started = std::time::Instant::now();
    let health =
        Health::new(Deps { db: away, clock: Clock::movable(), random: Random::seeded(1), config: Config::default() })
            .await;
    assert!(started.elapsed() < TimeDelta::seconds(25).to_std().unwrap() && !health.ready());
    let client = Client::new(health.routes().split_for_parts().0);
    let items = client.get("/emergency-numbers").await.data(200)["items"].clone();
    assert_eq!((&items[0]["telUri"], items.as_array().unwrap().len()), (&"tel:185".into(), 18));
    assert_eq!(client.get("/facilities/nearby?lat=5&lng=-4").await.code(503), "health.not_loaded");
}
