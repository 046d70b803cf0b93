//! Everything that may happen to a database that is a child process, played for real: each test starts PostgreSQL,
//! and most of them kill somebody. They look at processes through /proc, hence Linux.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use cluster::{Cluster, running_url};
use libc::{SIGKILL, SIGTERM};
use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};
use support::*;

fn setting(url: &str, name: &str) -> String {
    value(url, &format!("SHOW {name}"))
}

#[test]
fn as_root_a_first_start_and_a_second_one() {
    if !is_root() {
        return skip("needs root");
    }
    let place = Place::new();
    let began = Instant::now();
    let cluster = Cluster::start(cluster::Options { fsync: true, ..options(&place.data()) }).unwrap();
    eprintln!("first start {:?}", began.elapsed());
    let url = cluster.database_url(DATABASE);
    assert_ne!(owner_of_process(postmaster(&place.data()).unwrap()), 0);
    value(&url, "CREATE TABLE essai (id int); INSERT INTO essai VALUES (1)");
    cluster.stop();
    cluster.stop();
    assert!(ask(&url, "SELECT 1").is_err());

    let began = Instant::now();
    let cluster = start(&place.data());
    eprintln!("second start {:?}", began.elapsed());
    assert_eq!(rows(&cluster.database_url(DATABASE)), 1);
}

#[test]
fn as_an_ordinary_user_a_first_start_and_a_second_one() {
    let place = Place::new();
    let data = place.data();
    let mut command = if is_root() { place.keeper_for(NOBODY) } else { keeper(&data) };
    for _ in 0..2 {
        let began = Instant::now();
        let mut keeper = Keeper::spawn(&mut command, &data);
        keeper.await_ready();
        eprintln!("start {:?}", began.elapsed());
        assert_eq!(owner_of_process(postmaster(&data).unwrap()), owner_of_process(keeper.pid()));
        keeper.signal(SIGTERM);
        assert!(keeper.wait().success());
    }
}

#[test]
fn the_cluster_is_safe_and_alike_on_every_machine() {
    let place = Place::new();
    let cluster = Cluster::start(cluster::Options { fsync: true, ..options(&place.data()) }).unwrap();
    let url = cluster.database_url(DATABASE);
    let expected = [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("timezone", "UTC"),
        ("jit", "off"),
        ("wal_level", "logical"),
        ("max_connections", "200"),
        ("listen_addresses", ""),
        ("log_min_error_statement", "panic"),
        ("log_parameter_max_length", "0"),
        ("log_parameter_max_length_on_error", "0"),
    ];
    for (name, wanted) in expected {
        assert_eq!(setting(&url, name), wanted, "{name}");
    }
    let collation = "SELECT datcollate FROM pg_database WHERE datname = current_database()";
    assert_eq!(value(&url, collation), "C.UTF-8");
    assert_eq!(fs::metadata(cluster.socket_dir()).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn postgis_and_the_statistics_of_statements_can_be_switched_on() {
    let place = Place::new();
    let cluster = start(&place.data());
    let url = cluster.database_url(DATABASE);
    value(&url, "CREATE EXTENSION postgis");
    let metres = value(&url, "SELECT round(ST_Distance('POINT(-4.02 5.32)'::geography, 'POINT(-4.02 5.33)'))::text");
    assert_eq!(metres, "1106");
    if setting(&url, "shared_preload_libraries").is_empty() {
        return skip("pg_stat_statements is not installed");
    }
    value(&url, "CREATE EXTENSION pg_stat_statements");
    value(&url, "SELECT '0102030405' AS numero");
    let kept = "SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%010203' || '0405%'";
    assert_eq!(value(&url, kept), "0");
}

#[test]
fn as_root_a_folder_that_the_server_cannot_enter_is_refused() {
    if !is_root() {
        return skip("needs root");
    }
    let place = Place::new();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = Cluster::start(options(&place.data())).err().unwrap();
    assert_eq!(error.code(), "cluster_folder_unreachable");
    assert!(error.to_string().contains("HOSTOLINK_DATA_DIR"), "{error}");
}

#[test]
fn as_root_a_folder_with_other_things_in_it_keeps_its_owner() {
    if !is_root() {
        return skip("needs root");
    }
    let place = Place::new();
    fs::write(place.path().join("something"), "else").unwrap();
    let cluster = start(place.path());
    assert_eq!(value(&cluster.database_url(DATABASE), "SELECT 1"), "1");
    assert_eq!(fs::metadata(place.path()).unwrap().uid(), 0);
}

#[test]
fn a_path_with_spaces_accents_and_signs() {
    let place = Place::new();
    let cluster = start(&place.path().join("Données à moi \"50 %\" d'été"));
    assert!(cluster.socket_dir().starts_with(place.path()));
    every_client_reaches(&cluster);

    let cluster = start(&place.path().join("mes données, les tiennes"));
    assert!(!cluster.socket_dir().starts_with(place.path()), "libpq takes a comma for a list of hosts");
    every_client_reaches(&cluster);
}

#[test]
fn a_path_that_is_too_long_for_a_socket() {
    let place = Place::new();
    let data = place.path().join("x".repeat(130 - place.path().as_os_str().len() - 1));
    assert_eq!(data.as_os_str().len(), 130);
    let cluster = start(&data);
    assert!(cluster.socket_dir().starts_with("/tmp"), "{:?}", cluster.socket_dir());
    every_client_reaches(&cluster);
    assert_eq!(running_url(&data, DATABASE), Some(cluster.database_url(DATABASE)));
    cluster.stop();
    assert!(!cluster.socket_dir().exists());
}

#[test]
fn sigterm_drains_first_and_then_stops_the_database() {
    let place = Place::new();
    let mut keeper = Keeper::start(&place.data());
    let server = postmaster(&place.data()).unwrap();
    keeper.signal(SIGTERM);
    let (acknowledged, failed) = keeper.counts("drained ");
    assert!(acknowledged > 0 && failed == 0, "{acknowledged} {failed}");
    keeper.expect("stopped");
    assert!(keeper.wait().success());
    assert!(!is_alive(server));
    assert_eq!(rows(&start(&place.data()).database_url(DATABASE)), acknowledged);
}

#[test]
fn ctrl_c_in_a_terminal_reaches_the_program_and_not_the_database() {
    let place = Place::new();
    let mut command = keeper(&place.data());
    let mut terminal = with_terminal(&mut command);
    let mut keeper = Keeper::run(command, &place.data());
    press_ctrl_c(&mut terminal);
    assert_eq!(keeper.counts("drained ").1, 0);
    keeper.expect("stopped");
    assert!(keeper.wait().success());
}

#[test]
fn the_program_killed_takes_the_database_with_it() {
    let place = Place::new();
    let mut keeper = Keeper::start(&place.data());
    let server = postmaster(&place.data()).unwrap();
    let began = Instant::now();
    keeper.signal(SIGKILL);
    keeper.wait();
    assert!(eventually(|| !is_alive(server)), "the server outlives its program");
    eprintln!("server gone {:?} after its program", began.elapsed());
    assert_eq!(postmaster(&place.data()), None, "it has not shut down properly");
    let acknowledged = keeper.last_acknowledged();
    let kept = rows(&start(&place.data()).database_url(DATABASE));
    assert!(kept >= acknowledged, "{kept} rows of {acknowledged} acknowledged");
}

#[test]
fn everything_killed_at_once_loses_no_acknowledged_row() {
    let place = Place::new();
    let mut keeper = Keeper::start(&place.data());
    keeper.counts("acknowledged ");
    let server = postmaster(&place.data()).unwrap();
    let children = children_of(server);
    assert!(children.len() >= 4, "{children:?}");
    for pid in [server, keeper.pid()].into_iter().chain(children) {
        kill(pid, SIGKILL);
    }
    keeper.wait();
    assert_eq!(postmaster(&place.data()), Some(server), "the file stays behind");
    let acknowledged = keeper.last_acknowledged();

    let began = Instant::now();
    let cluster = start(&place.data());
    eprintln!("recovered in {:?}", began.elapsed());
    let kept = rows(&cluster.database_url(DATABASE));
    assert!(kept >= acknowledged, "{kept} rows of {acknowledged} acknowledged");
}

#[test]
fn the_postmaster_killed_is_started_again() {
    let place = Place::new();
    let keeper = Keeper::start(&place.data());
    let server = postmaster(&place.data()).unwrap();
    kill(server, SIGKILL);
    assert!(eventually(|| postmaster(&place.data()).is_some_and(|pid| pid != server)));
    goes_on_without_loss(keeper, &place.data());
}

#[test]
fn a_postmaster_killed_under_a_long_statement_is_started_again() {
    let place = Place::new();
    let keeper = Keeper::start(&place.data());
    let server = postmaster(&place.data()).unwrap();
    let url = keeper.url.clone();
    // It does not notice that its postmaster is gone: only the supervisor can end it.
    let busy = "SELECT count(*) FROM generate_series(1, 1000000000000) AS n";
    let statement = std::thread::spawn(move || ask(&url, busy));
    let working = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%1000000000000%' AND pid <> pg_backend_pid()";
    assert!(eventually(|| !value(&keeper.url, working).is_empty()));
    let backend = value(&keeper.url, working).parse().unwrap();
    kill(server, SIGKILL);
    assert!(statement.join().unwrap().is_err());
    assert!(eventually(|| !is_alive(backend)));
    goes_on_without_loss(keeper, &place.data());
}

#[test]
fn one_backend_killed_does_not_stop_the_database() {
    let place = Place::new();
    let keeper = Keeper::start(&place.data());
    let server = postmaster(&place.data()).unwrap();
    let backend = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'INSERT INTO essai%' LIMIT 1";
    kill(value(&keeper.url, backend).parse().unwrap(), SIGKILL);
    assert!(eventually(|| keeper.log().contains("reinitializing")), "{}", keeper.log());
    assert_eq!(postmaster(&place.data()), Some(server), "the server itself has to survive");
    goes_on_without_loss(keeper, &place.data());
}

#[test]
fn a_second_program_on_the_same_folder_is_refused() {
    let place = Place::new();
    let keeper = Keeper::start(&place.data());
    let error = Cluster::start(options(&place.data())).err().unwrap();
    assert_eq!(error.code(), "cluster_folder_in_use");
    assert!(error.to_string().contains(&format!("(process {})", keeper.pid())), "{error}");
    assert_eq!(value(&keeper.url, "SELECT 1"), "1");
}

fn starts_beside_a_stale_file_naming(pid: u32, data: &Path) {
    let folder = cluster_dir(data);
    let text = format!("{pid}\n{}\n1700000000\n5432\n{}/run\n\n  0  0\nready\n", folder.display(), data.display());
    fs::write(folder.join("postmaster.pid"), &text).unwrap();
    fs::write(data.join("run/.s.PGSQL.5432.lock"), &text).unwrap();
    assert_eq!(running_url(data, DATABASE), None);
    let cluster = start(data);
    assert_eq!(value(&cluster.database_url(DATABASE), "SELECT 1"), "1");
}

#[test]
fn a_stale_file_that_names_a_living_stranger() {
    let place = Place::new();
    start(&place.data()).stop();
    let mut sleeper = stranger("sleep", "60", &place.data());
    starts_beside_a_stale_file_naming(sleeper.id(), &place.data());
    assert_eq!(sleeper.try_wait().unwrap(), None, "the stranger must not be harmed");
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}

#[test]
fn a_stale_file_that_names_a_zombie() {
    let place = Place::new();
    start(&place.data()).stop();
    let mut zombie = stranger("sleep", "0", &place.data());
    assert!(eventually(|| !is_alive(zombie.id())));
    starts_beside_a_stale_file_naming(zombie.id(), &place.data());
    zombie.wait().unwrap();
}

#[test]
fn an_orphan_of_an_earlier_life_is_stopped() {
    let place = Place::new();
    let cluster = start(&place.data());
    let url = cluster.database_url(DATABASE);
    let program = fs::read_link(format!("/proc/{}/exe", postmaster(&place.data()).unwrap())).unwrap();
    cluster.stop();

    // What a killed program leaves behind where the kernel does not end it.
    let folder = cluster_dir(&place.data());
    let mut command = Command::new(program);
    command.arg("-D").arg(&folder).current_dir("/").stdin(Stdio::null()).stderr(Stdio::null());
    if is_root() {
        let owner = fs::metadata(&folder).unwrap();
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut orphan = command.spawn().unwrap();
    assert!(eventually(|| ask(&url, "SELECT 1").is_ok()));

    let began = Instant::now();
    let cluster = start(&place.data());
    eprintln!("adopted in {:?}", began.elapsed());
    assert!(!is_alive(orphan.id()));
    assert_ne!(postmaster(&place.data()), Some(orphan.id()));
    assert_eq!(value(&cluster.database_url(DATABASE), "SELECT 1"), "1");
    assert!(orphan.wait().unwrap().success(), "it was not stopped gently");
}

#[test]
fn killed_while_the_first_cluster_is_made() {
    let place = Place::new();
    let mut keeper = Keeper::spawn(&mut keeper(&place.data()), &place.data());
    let draft = place.data().join("pg.new");
    assert!(eventually(|| draft.join("base").exists()));
    keeper.signal(SIGKILL);
    keeper.wait();
    assert!(draft.exists(), "it was killed too late to show anything");

    let cluster = start(&place.data());
    assert_eq!(value(&cluster.database_url(DATABASE), "SELECT 1"), "1");
    assert!(!draft.exists());
}

#[test]
fn several_run_side_by_side() {
    let places = [Place::new(), Place::new(), Place::new()];
    let clusters = places.each_ref().map(|place| start(&place.data()));
    for (number, cluster) in clusters.iter().enumerate() {
        value(&cluster.database_url(DATABASE), &format!("CREATE TABLE essai AS SELECT generate_series(1, {number})"));
    }
    for (number, cluster) in (0..).zip(&clusters) {
        assert_eq!(rows(&cluster.database_url(DATABASE)), number);
    }
}

#[test]
fn the_address_of_a_cluster_that_another_program_serves() {
    let place = Place::new();
    assert_eq!(running_url(&place.data(), DATABASE), None);
    let mut keeper = Keeper::start(&place.data());
    assert_eq!(running_url(&place.data(), DATABASE).as_ref(), Some(&keeper.url));
    assert_eq!(value(&running_url(&place.data(), "postgres").unwrap(), "SELECT current_database()"), "postgres");
    let server = postmaster(&place.data()).unwrap();
    let line = fs::read_to_string(format!("/proc/{server}/cmdline")).unwrap();
    assert!(line.contains(place.data().to_str().unwrap()), "{line}");
    keeper.signal(SIGTERM);
    keeper.wait();
    assert_eq!(running_url(&place.data(), DATABASE), None);
}

#[test]
fn no_statement_and_no_value_of_one_reaches_the_log() {
    const NUMBER: &str = "0102030405";
    let place = Place::new();
    let keeper = Keeper::start(&place.data());
    let url = keeper.url.clone();
    value(&url, "CREATE TABLE personne (numero text UNIQUE)");
    value(&url, &format!("INSERT INTO personne VALUES ('{NUMBER}')"));
    // A broken constraint repeats the value in its DETAIL, a bad number in its message, a wrong word in its text.
    let repeated = format!("INSERT INTO personne VALUES ('{NUMBER}')");
    for wrong in [&repeated, &format!("SELECT '+{NUMBER}x'::int"), &format!("NONSENSE '{NUMBER}'")] {
        assert!(ask(&url, wrong).unwrap_err().as_db_error().is_some());
    }
    // The DETAIL of a crash is the statement that was running.
    let running = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_sleep(29)%' AND pid <> pg_backend_pid()";
    let sleeper = std::thread::spawn(move || ask(&url, &format!("SELECT '{NUMBER}', pg_sleep(29)")));
    assert!(eventually(|| !value(&keeper.url, running).is_empty()));
    kill(value(&keeper.url, running).parse().unwrap(), SIGKILL);
    assert!(sleeper.join().unwrap().is_err());
    assert!(eventually(|| keeper.log().contains("reinitializing")), "{}", keeper.log());
    assert!(!keeper.log().contains(NUMBER), "{}", keeper.log());
}

#[test]
fn data_of_another_major_is_refused() {
    let place = Place::new();
    fs::create_dir_all(place.data().join("pg11")).unwrap();
    fs::write(place.data().join("pg11/PG_VERSION"), "11\n").unwrap();
    let error = Cluster::start(options(&place.data())).err().unwrap();
    assert_eq!(error.code(), "cluster_other_major");
    assert!(error.to_string().contains("PostgreSQL 11") && error.to_string().contains("pg_dump"), "{error}");
}

#[test]
fn missing_programs_are_named_with_the_line_that_installs_them() {
    let place = Place::new();
    let mut command = keeper(&place.data());
    let mut refused = Keeper::spawn(command.env("HOSTOLINK_PG_BINDIR", place.path()), &place.data());
    let sentence = refused.expect("refused ");
    assert!(sentence.contains("apt-get install postgresql postgresql-postgis"), "{sentence}");
    assert!(!refused.wait().success());
}

#[test]
fn settings_are_taken_and_a_wrong_one_is_named() {
    let place = Place::new();
    let with = |name: &str, value: &str| {
        let settings = vec![(name.to_owned(), value.to_owned())];
        Cluster::start(cluster::Options { settings, ..options(&place.data()) })
    };
    let cluster = with("shared_buffers", "32MB").unwrap();
    assert_eq!(setting(&cluster.database_url(DATABASE), "shared_buffers"), "32MB");
    assert_eq!(setting(&cluster.database_url(DATABASE), "fsync"), "off");
    drop(cluster);
    let error = with("no_such_setting", "1").err().unwrap();
    assert_eq!(error.code(), "cluster_start");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
    assert_eq!(with("log_statement", "all").err().unwrap().code(), "cluster_setting");
}
