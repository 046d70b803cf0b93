//! Imports on a real database: invented files of the real shapes, and the real ones where they may not be shipped.

use std::path::{Path, PathBuf};

use kernel::{Clock, Random};
use testkit::TestDb;

use super::*;

async fn world() -> (TestDb, World) {
    let test = testkit::db().await;
    let world = World { db: test.db.clone(), clock: Clock::movable(), random: Random::seeded(4) };
    (test, world)
}

/// The folder of data that may not be shipped; the test says aloud that it skips.
#[expect(clippy::disallowed_methods, reason = "tests learn from the environment where the data lies")]
pub(crate) fn data() -> Option<PathBuf> {
    let folder = std::env::var("HOSTOLINK_TEST_DATA")
        .ok()
        .map(|path| Path::new(&path).join("health"))
        .filter(|path| path.is_dir());
    if folder.is_none() {
        eprintln!(
            "SKIPPED: HOSTOLINK_TEST_DATA is not set or has no folder health/: the real lists are not tested here"
        );
    }
    folder
}

async fn count(world: &World, table: &'static str) -> i64 {
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(&world.db.write)
        .await
        .unwrap()
}

/// Everything a second run could write to: rows and their physical versions.
async fn footprint(world: &World) -> Vec<(String, i64, i64)> {
    let mut out = Vec::new();
    for table in [
        "etablissement_sante",
        "localisation",
        "liste_numero_etablissement_sante",
        "source_etablissement",
        "doublon_a_revoir",
        "import_lot",
        "import_ligne",
        "garde_pharmacie",
        "zone_garde",
        "unite_administrative",
        "localite",
    ] {
        let sql = format!("SELECT count(*), COALESCE(max(xmin::text::bigint), 0) FROM {table}");
        let (rows, last): (i64, i64) =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&world.db.write).await.unwrap();
        out.push((table.to_owned(), rows, last));
    }
    out
}

async fn text(world: &World, text: &str, source: &str) -> Report {
    let options = ImportOptions { anywhere: false, ..ImportOptions::new("fichier.csv", source.parse().unwrap()) };
    run_bytes(world, &options, text.as_bytes()).await.unwrap()
}

const LIST: &str = "nom,lat,lon,code,type,telephone,opening_hours,district_sanitaire\n\
    HG PUBLIC de LAKOTA,5.84,-5.68,'0061,HG,27 22 48 10 00,24/7,LAKOTA\n\
    CSR PUBLIC de ZRO,6.5,-7.5,,CSR,,27 22 48 10 00,GUIGLO\n\
    PERDU,,,1000,CSR,,,X\n\
    TOURNE,-5.68,5.84,1001,CSR,,,X\n\
    PARIS,48.8,2.3,1002,CSR,,,X\n\
    ZERO,0,0,1003,CSR,,,X\n\
    DEUX A,5.85,-5.68,0542,CSR,,Lu-Ve 8h-15h30,A\n\
    DEUX B,5.86,-5.68,0542,CSR,Mo-Fr 08:00-10:00,,B\n\
    DEUX B,5.86,-5.68,0542,CSR,,,B\n\
    FERME (non fonctionnel),5.87,-5.68,2000,CSR,,n'importe quoi,C\n";

#[tokio::test]
async fn good_rows_are_kept_bad_ones_say_why_and_a_second_run_writes_nothing() {
    let (_test, world) = world().await;
    let report = text(&world, LIST, "msp").await;
    let refused: Vec<(u32, &str)> = report
        .notes
        .iter()
        .filter(|note| note.severity == Severity::Refusal)
        .map(|note| (note.line, note.code))
        .collect();
    assert_eq!(
        refused,
        [
            (4, "coordinates_missing"),
            (5, "coordinates_swapped"),
            (6, "outside_country"),
            (7, "coordinates_zero"),
            (10, "duplicate_row")
        ]
    );
    assert_eq!((report.rows, report.created, report.refused), (10, 5, 5));
    for code in
        ["code_repaired", "hours_is_phone", "code_duplicate", "hours_repaired", "phone_not_digits", "hours_invalid"]
    {
        assert!(report.reasons.contains_key(code), "{code}: {:?}", report.reasons);
    }
    assert_eq!(count(&world, "v_etablissement_carte").await, 4, "what does not work is not on the map");
    assert_eq!(count(&world, "import_ligne").await, i64::try_from(report.notes.len()).unwrap());

    let before = footprint(&world).await;
    let again = text(&world, LIST, "msp").await;
    assert_eq!((again.created, again.changed, again.unchanged, again.vanished), (0, 0, 5, 0));
    assert_eq!(footprint(&world).await, before);
}

#[tokio::test]
async fn a_dry_run_tells_field_by_field_and_writes_nothing() {
    let (_test, world) = world().await;
    text(&world, LIST, "msp").await;
    let before = footprint(&world).await;
    let options = ImportOptions { dry_run: true, ..ImportOptions::new("fichier.csv", "msp".parse().unwrap()) };
    let changed = LIST.replace("5.84,-5.68,'0061", "5.94,-5.68,'0061").replace("24/7", "Mo-Fr 08:00-18:00");
    let report = run_bytes(&world, &options, changed.as_bytes()).await.unwrap();
    let fields: Vec<&str> = report.changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!((report.changed, report.moved, fields), (1, 1, vec!["horaires", "lat"]));
    assert_eq!(footprint(&world).await, before);

    let done = text(&world, &changed, "msp").await;
    assert_eq!((done.changed, done.moved), (1, 1));
    let places: Vec<(f64, bool)> = sqlx::query_as(
        "SELECT l.latitude, l.fermee_le IS NULL FROM localisation l JOIN etablissement_sante e USING (id_etablissement) WHERE e.code_msp = '0061' ORDER BY 2",
    )
    .fetch_all(&world.db.write)
    .await
    .unwrap();
    assert_eq!(places, [(5.84, false), (5.94, true)], "a move adds a row and closes the one before");
}

#[tokio::test]
async fn a_file_that_lost_its_end_makes_nothing_vanish() {
    let (_test, world) = world().await;
    text(&world, LIST, "msp").await;
    let lines: Vec<&str> = LIST.lines().collect();
    let cut = format!("{}\n{}\n{}", lines[0], lines[1], &lines[2][..10]);
    let report = text(&world, &cut, "msp").await;
    assert!(report.reasons.contains_key("file_truncated") && report.vanished == 0, "{:?}", report.reasons);
    // A whole file that misses one of five is believed; the row is marked and stays.
    let shorter: String =
        LIST.lines().filter(|line| !line.starts_with("CSR PUBLIC de ZRO")).map(|line| format!("{line}\n")).collect();
    assert_eq!(text(&world, &shorter, "msp").await.vanished, 1);
    assert_eq!(count(&world, "v_etablissement_carte").await, 4);
    assert_eq!(text(&world, LIST, "msp").await.changed, 1, "it came back");
}

#[tokio::test]
async fn two_sources_meet_only_over_shared_evidence() {
    let (_test, world) = world().await;
    text(&world, LIST, "msp").await;
    let hospitals = "id,name,type,lat,lon,msp_code,phones,phone_certainty\n1,HG PUBLIC de LAKOTA,Hôpital général,5.84,-5.68,0061,+2252735910000,high\n";
    assert_eq!(text(&world, hospitals, "hospitals").await.linked, 1);
    let map = "osm_id,osm_type,amenity,name,lat,lon\n7,node,hospital,Hôpital général de Lakota,5.8401,-5.68\n8,node,pharmacy,Pharmacie de Lakota,5.84,-5.68\n";
    let report = text(&world, map, "osm").await;
    assert_eq!(
        (report.created, report.linked, report.to_review),
        (2, 0, 1),
        "name and distance alone are for a moderator"
    );
    let origin: serde_json::Value =
        sqlx::query_scalar("SELECT origine FROM etablissement_sante WHERE code_msp = '0061'")
            .fetch_one(&world.db.write)
            .await
            .unwrap();
    assert_eq!((&origin["name"], &origin["phones"]), (&"ministry:0061".into(), &"hospitals:1".into()));
}

#[tokio::test]
async fn the_same_object_twice_is_its_last_version() {
    let (_test, world) = world().await;
    let map = "osm_id,osm_type,amenity,name,lat,lon,changeset_timestamp\n7,node,pharmacy,Pharmacie,5.84,-5.68,100\n7,node,pharmacy,Pharmacie,5.9,-5.68,200\n";
    let report = text(&world, map, "osm").await;
    assert_eq!((report.created, report.notes[0].line, report.notes[0].code), (1, 2, "superseded"));
}

#[tokio::test]
async fn the_real_lists_import_without_an_unexplained_row_and_twice_without_writing() {
    let Some(data) = data() else { return };
    let (_test, world) = world().await;
    let import = async |file: &str, source: &str| {
        let options = ImportOptions::new(data.join(file), source.parse().unwrap());
        let report = run(&world, &options, &|_| {}).await.unwrap();
        eprintln!(
            "{file}: {} rows, {} new, {} linked, {} refused, {} to review, {:.1} s {:?}",
            report.rows,
            report.created,
            report.linked,
            report.refused,
            report.to_review,
            report.seconds,
            report.reasons
        );
        report
    };
    let expected = [
        ("localites_geonames_civ.csv", "towns", 5136),
        ("localites_artci_civ.csv.gz", "localities", 8518),
        ("civ_adm3.geojson.gz", "boundaries", 510),
        ("civ_districts_sanitaires_2020.geojson.gz", "districts", 113),
        ("etablissements_msp_2022.csv", "msp", 3123),
        ("healthsites_io_civ_2020.csv", "healthsites", 1810),
        ("who_kemri_civ_2019.csv", "who", 1792),
        ("major_hospitals.csv", "hospitals", 132),
        ("pharmacies_garde_2026-02-21.csv", "garde", 189),
        ("emergency_numbers.csv", "numbers", 34),
    ];
    for (file, source, rows) in expected {
        let report = import(file, source).await;
        assert_eq!(report.rows, rows, "{file}");
        assert_eq!(report.created + report.linked + report.refused, rows, "{file}: {:?}", report.reasons);
    }
    assert_eq!(count(&world, "garde_pharmacie").await, 189);
    let before = footprint(&world).await;
    for (file, source, _) in expected {
        let again = import(file, source).await;
        assert_eq!((again.created, again.linked, again.changed, again.vanished), (0, 0, 0, 0), "{file}");
    }
    assert_eq!(footprint(&world).await, before, "a second run writes nothing");
}

#[tokio::test]
async fn a_hundred_thousand_rows_take_seconds() {
    let Some(data) = data() else { return };
    let (_test, world) = world().await;
    let options = ImportOptions {
        anywhere: true,
        ..ImportOptions::new(data.join("who_kemri_ssa_2019.csv.gz"), "who".parse().unwrap())
    };
    let report = run(&world, &options, &|_| {}).await.unwrap();
    eprintln!("{} rows in {:.1} s: {:?}", report.rows, report.seconds, report.reasons);
    assert_eq!(report.created + report.refused, report.rows);
    // Without optimisation, on a machine that compiles beside it, this only tells that nothing is quadratic.
    let most = if cfg!(debug_assertions) { 100.0 } else { 20.0 };
    assert!(report.seconds < most, "{} s", report.seconds);
}

#[tokio::test]
async fn all_opening_hours_parse_and_no_well_formed_number_is_refused() {
    let Some(data) = data() else { return };
    let table = read::file(&data.join("healthsites_io_civ_2020.csv")).unwrap();
    let column = |name: &str| table.header.iter().position(|one| one == name).unwrap();
    let hours: Vec<&str> = table
        .rows
        .iter()
        .map(|(_, row)| row[column("opening_hours")].as_str())
        .filter(|cell| !cell.is_empty())
        .collect();
    assert_eq!(hours.len(), 282);
    let holidays = crate::hours::Holidays::new([]);
    for text in hours {
        assert!(crate::hours::Hours::parse(text, &holidays).is_some(), "{text}");
    }
    let duty = read::file(&data.join("pharmacies_garde_2026-02-21.csv")).unwrap();
    let at = duty.header.iter().position(|one| one == "phones").unwrap();
    let (mut numbers, mut refused) = (0, Vec::new());
    for (_, row) in &duty.rows {
        let (good, bad) = crate::phone::read_all(&row[at]);
        numbers += good.len();
        refused.extend(bad.into_iter().map(|(text, _)| text));
    }
    assert_eq!(numbers + refused.len(), 330);
    let well_formed = |text: &String| {
        text.len() == 10 && ["01", "05", "07", "21", "25", "27"].iter().any(|prefix| text.starts_with(prefix))
    };
    assert!(!refused.iter().any(well_formed), "{refused:?}");
    assert_eq!(refused.len(), 3, "{refused:?}");
}

fn committed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file)
}

#[tokio::test]
async fn excel_old_and_new_say_the_same() {
    let (_test, world) = world().await;
    let old = run(&world, &ImportOptions::new(committed("liste.xls"), "msp".parse().unwrap()), &|_| {}).await.unwrap();
    assert_eq!((old.rows, old.created, old.refused), (3, 2, 1));
    assert_eq!(
        old.notes.iter().find(|note| note.severity == Severity::Refusal).map(|note| (note.line, note.code)),
        Some((5, "coordinates_missing"))
    );
    let codes: Vec<String> = sqlx::query_scalar("SELECT code_msp FROM etablissement_sante ORDER BY 1")
        .fetch_all(&world.db.write)
        .await
        .unwrap();
    assert_eq!(codes, ["0061", "0062"], "Excel takes the zeros of a code away; they come back");
    let new = run(&world, &ImportOptions::new(committed("liste.xlsx"), "msp".parse().unwrap()), &|_| {}).await.unwrap();
    assert_eq!((new.created, new.unchanged), (0, 2));
}

#[tokio::test]
async fn an_osm_extract_gives_points_and_middles_of_buildings_even_when_cut() {
    let (_test, world) = world().await;
    let whole = committed("extrait.osm.pbf");
    let bytes = std::fs::read(&whole).unwrap();
    let cut = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(cut.path(), &bytes[..bytes.len() - 20]).unwrap();
    let first = run(&world, &ImportOptions::new(cut.path(), "osm".parse().unwrap()), &|_| {}).await.unwrap();
    assert_eq!(
        (first.created, first.reasons.get("file_truncated")),
        (1, Some(&1)),
        "what was whole is kept: {:?}",
        first.notes
    );
    let second = run(&world, &ImportOptions::new(&whole, "osm".parse().unwrap()), &|_| {}).await.unwrap();
    assert_eq!((second.created, second.unchanged), (1, 1));
    let way: (String, f64, f64, Option<bool>) =
        sqlx::query_as("SELECT nom, latitude, longitude, urgences FROM etablissement_sante WHERE osm_ref = 'way/7'")
            .fetch_one(&world.db.write)
            .await
            .unwrap();
    assert_eq!((way.0.as_str(), way.3), ("Hôpital du Chemin", Some(true)));
    assert!((way.1 - 5.305).abs() < 1e-6 && (way.2 + 4.005).abs() < 1e-6, "{way:?}");
    std::fs::write(cut.path(), &bytes[..40]).unwrap();
    let nothing = run(&world, &ImportOptions::new(cut.path(), "osm".parse().unwrap()), &|_| {}).await.unwrap();
    assert_eq!((nothing.rows, nothing.vanished), (0, 0));
}

#[tokio::test]
async fn ten_thousand_refused_rows_are_ten_thousand_lines_of_a_report() {
    let (_test, world) = world().await;
    let mut list = String::from("nom,lat,lon,code,type\nBON,5.84,-5.68,1,CSR\n");
    for line in 0..10_000 {
        list.push_str(&format!("PERDU {line},,,,CSR\n"));
    }
    let report = text(&world, &list, "msp").await;
    assert_eq!((report.created, report.refused, report.notes.len()), (1, 10_000, 10_001));
    assert_eq!(count(&world, "import_ligne").await, 10_001);
}

#[tokio::test]
async fn a_file_that_is_none_is_refused_whole() {
    let (_test, world) = world().await;
    let before = footprint(&world).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    for (bytes, source) in [
        (&b"nom,adresse\nA,B\n"[..], "msp"),
        (b"\x1f\x8b\x08rien", "osm"),
        (b"{\"features\":3}", "districts"),
        (b"", "garde"),
    ] {
        std::fs::write(file.path(), bytes).unwrap();
        assert!(
            run(&world, &ImportOptions::new(file.path(), source.parse().unwrap()), &|_| {}).await.is_err(),
            "{source}"
        );
    }
    assert!(run(&world, &ImportOptions::new("/n/existe/pas", "msp".parse().unwrap()), &|_| {}).await.is_err());
    assert!("mars".parse::<Content>().is_err());
    assert_eq!(footprint(&world).await, before);
}
