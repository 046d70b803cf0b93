//! `hostolink`: one program, one subcommand for each thing that it does.

use std::process::ExitCode;

use clap::Parser;
use server::commands::Command;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Hostolink : le serveur d'une application de paiement, de santé et de réseau social.
#[derive(Debug, Parser)]
#[command(name = "hostolink", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match server::commands::run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("hostolink: {error:#}");
            ExitCode::FAILURE
        }
    }
}
