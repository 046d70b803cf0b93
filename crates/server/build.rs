//! The migrations are built into the program: a change of one has to rebuild it.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
