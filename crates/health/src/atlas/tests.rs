//! Search, packs, tiles and FHIR on the shipped data, and on the national lists where they are at hand.

use serde_json::Value;

use crate::facilities::tests::{House, empty, shipped};
use crate::text::normal;

async fn national() -> House {
    let house = shipped().await;
    if let Some(data) = crate::import::test_data() {
        for (file, source) in [
            ("etablissements_msp_2022.csv", "msp"),
            ("who_kemri_civ_2019.csv", "who"),
            ("localites_artci_civ.csv.gz", "localities"),
        ] {
            house.import_file(&data.join(file), source).await;
        }
    }
    house
}

/// One typing error in the longest word: a letter lost, doubled, replaced, or swapped with its neighbour.
fn mistyped(name: &str, n: usize) -> Option<String> {
    let words: Vec<&str> = name
        .split(' ')
        .filter(|word| crate::kind::word_kind(word).is_none() && !crate::kind::is_filler(word))
        .collect();
    let longest = words.iter().max_by_key(|word| word.chars().count()).filter(|word| word.chars().count() >= 4)?;
    let mut letters: Vec<char> = longest.chars().collect();
    let at = 1 + n % (letters.len() - 2);
    match n % 4 {
        0 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 => letters[at] = if letters[at] == 'e' { 'a' } else { 'e' },
        _ => letters.swap(at, at + 1),
    }
    let wrong: String = letters.into_iter().collect();
    Some(words.iter().map(|word| if word == longest { wrong.as_str() } else { word }).collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn names_with_a_typing_error_are_found() {
    let house = national().await;
    let (atlas, moment) = (house.health.atlas(), house.health.moment());
    let step = atlas.facilities.len() / 420;
    let (mut asked, mut at_5, mut at_20, mut slowest) = (0_u32, 0_u32, 0_u32, std::time::Duration::ZERO);
    for (facility, n) in atlas.facilities.iter().step_by(step).zip(0..) {
        let Some(query) = mistyped(&normal(&facility.name), n).filter(|_| facility.on_map()) else { continue };
        let started = std::time::Instant::now();
        let (_, found) = atlas.search(&query, None, &crate::atlas::Wish::default(), 20, moment);
        slowest = slowest.max(started.elapsed());
        // Several places carry one name: any of them is what was typed.
        let rank = found
            .iter()
            .position(|index| atlas.at(*index).is_some_and(|found| normal(&found.name) == normal(&facility.name)));
        asked += 1;
        at_5 += u32::from(rank.is_some_and(|rank| rank < 5));
        at_20 += u32::from(rank.is_some());
        if rank.is_none() {
            eprintln!("not found: {query:?} for {:?}", facility.name);
        }
    }
    eprintln!("{asked} names: {at_5} at rank 5, {at_20} at rank 20, slowest {slowest:?}");
    assert!(asked >= 300);
    assert!(f64::from(at_5) >= 0.92 * f64::from(asked) && f64::from(at_20) >= 0.98 * f64::from(asked));
}

#[tokio::test]
async fn kinds_towns_and_familiar_names_are_understood() {
    let house = shipped().await;
    for (query, kind, lat, lng) in [
        ("pharmacie yopougon", "pharmacy", 5.34, -4.08),
        ("pharma yop", "pharmacy", 5.34, -4.08),
        ("hosto treichville", "hospital", 5.30, -4.01),
        ("pharmacie 2 plateaux", "pharmacy", 5.37, -4.00),
        ("Pharmacie Bouaké", "pharmacy", 7.69, -5.03),
        ("dentiste cocody", "dentist", 5.36, -3.97),
    ] {
        let path = format!("/api/facilities?limit=5&q={}", query.replace(' ', "%20").replace('é', "%C3%A9"));
        let data = house.client.get(&path).await.data(200);
        let place = &data["place"]["location"];
        let near = |value: &Value, wanted: f64| value.as_f64().is_some_and(|value| (value - wanted).abs() < 0.05);
        assert!(near(&place["lat"], lat) && near(&place["lng"], lng), "{query}: {place}");
        let first = &data["items"][0];
        assert_eq!(first["type"], kind, "{query}: {first}");
        assert!((first["location"]["lat"].as_f64().unwrap() - lat).abs() < 0.2, "{query}: {first}");
    }
    let empty = house.client.get("/api/facilities?q=zzzzqqqq").await.data(200);
    assert_eq!((empty["items"].as_array().unwrap().len(), empty["total"].as_i64()), (0, Some(0)));
}

#[tokio::test]
async fn the_pack_is_small_and_a_delta_smaller() {
    let house = national().await;
    let client = house.client.with("accept-encoding", "gzip");
    let answer = client.get("/api/facilities/packs/ci").await;
    assert_eq!((answer.status.as_u16(), &answer.headers["content-encoding"]), (200, &"gzip".parse().unwrap()));
    eprintln!("pack of {} facilities: {} bytes", house.health.atlas().on_map(), answer.bytes.len());
    assert!(answer.bytes.len() <= 150 * 1024, "{} bytes", answer.bytes.len());
    let same =
        client.with("if-none-match", answer.headers["etag"].to_str().unwrap()).get("/api/facilities/packs/ci").await;
    assert_eq!(same.status.as_u16(), 304);

    let whole = house.client.get("/api/facilities/packs/ci").await.body;
    assert_eq!(whole["facilities"].as_array().unwrap().len(), house.health.atlas().on_map());
    let row = &whole["facilities"][0];
    let facility =
        house.client.get(&format!("/api/facilities/{}", row[0].as_str().unwrap())).await.data(200)["facility"].clone();
    let degrees = |at: usize| row[at].as_f64().unwrap() / whole["scale"].as_f64().unwrap();
    assert!((degrees(3) - facility["location"]["lat"].as_f64().unwrap()).abs() < 1e-5 && row[1] == facility["name"]);

    let (version, id) = (whole["version"].as_i64().unwrap(), row[0].as_str().unwrap());
    sqlx::query("UPDATE etablissement_sante SET nom = 'Pharmacie Rebaptisée' WHERE public_id = $1::uuid")
        .bind(id)
        .execute(&house.test.db.write)
        .await
        .unwrap();
    house.health.refresh().await.unwrap();
    let delta = client.get(&format!("/api/facilities/packs/ci?since={version}")).await;
    assert!(delta.bytes.len() <= 1024, "{} bytes", delta.bytes.len());
    let delta = house.client.get(&format!("/api/facilities/packs/ci?since={version}")).await.body;
    assert_eq!(
        (delta["facilities"].as_array().unwrap().len(), &delta["facilities"][0][1]),
        (1, &"Pharmacie Rebaptisée".into())
    );
    sqlx::query("UPDATE etablissement_sante SET etat = 'ferme' WHERE public_id = $1::uuid")
        .bind(id)
        .execute(&house.test.db.write)
        .await
        .unwrap();
    house.health.refresh().await.unwrap();
    let gone = house.client.get(&format!("/api/facilities/packs/ci?since={}", delta["version"])).await.body;
    assert_eq!((gone["removed"][0].as_str(), gone["facilities"].as_array().unwrap().len()), (Some(id), 0));
    let region = house.client.get("/api/facilities/packs/CI01").await.body;
    assert!(
        (1..whole["facilities"].as_array().unwrap().len()).contains(&region["facilities"].as_array().unwrap().len())
    );
}

#[tokio::test]
async fn tiles_have_their_layers_and_tags() {
    let house = shipped().await;
    // Abidjan: points at zoom 12, counts at zoom 6, borders at both.
    let has = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    let points = house.client.get("/api/tiles/facilities/12/2002/1987.mvt?type=pharmacy").await;
    assert_eq!(points.status.as_u16(), 200);
    assert!(has(&points.bytes, "facilities") && has(&points.bytes, "pharmacy") && !has(&points.bytes, "hospital"));
    let counts = house.client.get("/api/tiles/facilities/6/31/31.mvt").await;
    assert!(has(&counts.bytes, "clusters") && counts.bytes.len() < 10_000, "{} bytes", counts.bytes.len());
    let borders = house.client.get("/api/tiles/boundaries/6/31/30.mvt").await;
    assert!(has(&borders.bytes, "regions") && !has(&borders.bytes, "sub_prefectures"));
    let same = house
        .client
        .with("if-none-match", points.headers["etag"].to_str().unwrap())
        .get("/api/tiles/facilities/12/2002/1987.mvt?type=pharmacy")
        .await;
    assert_eq!(same.status.as_u16(), 304);
}

#[tokio::test]
async fn fhir_speaks_its_own_language() {
    let house = shipped().await;
    let bundle = house.client.get("/api/fhir/Location?_count=2").await;
    assert!(bundle.headers["content-type"].to_str().unwrap().starts_with("application/fhir+json"));
    let body = bundle.body;
    assert_eq!(
        (&body["resourceType"], &body["type"], body["total"].as_i64()),
        (&"Bundle".into(), &"searchset".into(), Some(1800))
    );
    let location = &body["entry"][0]["resource"];
    assert!(
        location["position"]["latitude"].is_f64()
            && location["status"] == "active"
            && !location.to_string().contains("null")
    );
    // Every page once, and every facility on one of them.
    let (mut seen, mut path) = (0, "Location?_count=500".to_owned());
    loop {
        let page = house.client.get(&format!("/api/fhir/{path}")).await.body;
        seen += page["entry"].as_array().unwrap().len();
        match page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next") {
            Some(next) => path = next["url"].as_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 1800);
    let id = location["id"].as_str().unwrap();
    for resource in ["Location", "Organization", "HealthcareService"] {
        let one = house.client.get(&format!("/api/fhir/{resource}/{id}")).await.body;
        assert_eq!((&one["resourceType"], &one["id"]), (&resource.into(), &id.into()));
    }
    let since = house.client.get("/api/fhir/Organization?_since=2099-01-01").await.body;
    assert_eq!(since["total"], 0);
    let near = house.client.get("/api/fhir/Location?near=5.3364%7C-4.0267%7C1%7Ckm").await.body;
    assert!(
        near["entry"]
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["search"]["extension"][0]["valueDistance"]["value"].as_f64().unwrap() <= 1000.0)
    );
    for (path, status) in
        [("Patient", 404), ("Location?_since=hier", 400), ("Location?near=x", 400), ("Location/7", 404)]
    {
        let refused = house.client.get(&format!("/api/fhir/{path}")).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["resourceType"]),
            (status, &"OperationOutcome".into()),
            "{path}"
        );
    }
    let hours = house.client.get("/api/fhir/Location?_count=1000").await.body.to_string();
    assert!(hours.contains("availableStartTime") && hours.contains("allDay"));
}

#[tokio::test]
async fn the_index_is_a_condition_and_never_a_filter() {
    let house = shipped().await;
    // The reference in SQL, as it is to be asked of the database: kind as smallint, several kinds as a lateral join.
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT k.public_id FROM unnest('{1,2}'::smallint[]) t(t) CROSS JOIN LATERAL (
           SELECT e.public_id FROM etablissement_sante e WHERE e.type_id = t.t AND e.etat = 'ouvert' AND e.geom IS NOT NULL
            ORDER BY e.geom <-> ST_SetSRID(ST_MakePoint(-4.02, 5.33), 4326) LIMIT 30) k",
    )
    .fetch_all(&house.test.db.write)
    .await
    .unwrap();
    let plan = plan.join("\n");
    assert!(
        plan.contains("etablissement_proche_type")
            && plan.contains("Index Cond: (type_id = t.t)")
            && !plan.contains("Filter: (type_id"),
        "{plan}"
    );
}

#[tokio::test]
async fn a_place_knows_where_it_is_and_the_sea_is_nobody_s() {
    let house = empty().await;
    crate::seed(&house.health.world()).await.unwrap();
    house.health.refresh().await.unwrap();
    let place = house.client.get("/api/places?lat=7.69&lng=-5.03").await.data(200)["place"].clone();
    assert_eq!(
        (&place["country"], &place["subPrefecture"]["name"], &place["commune"]),
        (&"CI".into(), &"Bouaké".into(), &Value::Null),
        "{place}"
    );
    assert!(
        place["region"]["code"]
            .as_str()
            .is_some_and(|code| place["subPrefecture"]["code"].as_str().is_some_and(|sub| sub.starts_with(code)))
    );
    assert_eq!(house.client.get("/api/places?lat=0&lng=-20").await.data(200)["place"]["country"], Value::Null);
    if let Some(data) = crate::import::test_data() {
        house.import_file(&data.join("civ_districts_sanitaires_2020.geojson.gz"), "districts").await;
        let place = house.client.get("/api/places?lat=5.345&lng=-4.08").await.data(200)["place"].clone();
        assert!(place["healthDistrict"]["name"].as_str().is_some_and(|name| name.starts_with("YOPOUGON")), "{place}");
    }
}

#[tokio::test]
async fn the_function_in_sql_and_memory_say_the_same() {
    let house = national().await;
    let (atlas, moment) = (house.health.atlas(), house.health.moment());
    for i in 0..200_i32 {
        let from = crate::geo::Place::new(
            (f64::from(i) * 0.618_034).fract() * 6.0 + 4.5,
            (f64::from(i) * 0.754_878).fract() * 6.0 - 8.5,
        )
        .unwrap();
        for kinds in [vec![], vec![crate::kind::Kind::PHARMACY], vec![crate::kind::Kind(7), crate::kind::Kind(2)]] {
            let types = (!kinds.is_empty()).then(|| kinds.iter().map(|kind| kind.0).collect::<Vec<i16>>());
            let rows: Vec<(uuid::Uuid, f64)> =
                sqlx::query_as("SELECT id, metres FROM etablissements_proches($1, $2, 20, $3)")
                    .bind(from.lat)
                    .bind(from.lng)
                    .bind(types)
                    .fetch_all(&house.test.db.write)
                    .await
                    .unwrap();
            let wish = crate::atlas::Wish { kinds, ..Default::default() };
            let memory = atlas.nearest(from, 20, &wish, moment);
            assert_eq!(
                memory.iter().map(|(index, _)| atlas.at(*index).unwrap().id).collect::<Vec<_>>(),
                rows.iter().map(|row| row.0).collect::<Vec<_>>(),
                "{from:?}"
            );
            assert!(memory.iter().zip(&rows).all(|(ours, theirs)| (ours.1 - theirs.1).abs() < 0.001));
        }
    }
}
