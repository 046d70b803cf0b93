//! A small storm over every operator (the full one is `make soak`): faults, kills, and then both books to the franc.

use std::path::Path;
use std::process::Command;

#[test]
fn a_storm_over_every_operator_leaves_both_books_right() {
    let storm = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/storm");
    let ran = Command::new("python3")
        .arg(storm)
        .args(["--operations", "200", "--kills", "2", "--people", "6", "--seed", "20261122"])
        .args(["--binary", env!("CARGO_BIN_EXE_hostolink")])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("nothing happened twice"), "{told}");
}
