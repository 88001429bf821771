//! `bulwark-sensor`: sees and stops what happens in the containers of one node.
mod arguments;
mod clock;
mod container;
mod digest;
mod dns;
mod doctor;
mod duty;
mod engine;
mod facts;
mod file_guard;
mod fold;
mod kernel;
mod ndjson;
mod network;
mod output;
mod packets;
mod patient;
mod policy;
mod proc_files;
mod process;
mod resolve;
mod response;
mod run;
mod sensor;
mod server;
mod told;
mod translate;
mod upgrade;
mod wire;

use std::process::ExitCode;

const USAGE: &str = "\
bulwark-sensor sees and stops what happens in the containers of this node.

  bulwark-sensor doctor [--json]                 what this kernel can and cannot do
  bulwark-sensor run --output FILE|- [--policy FILE.json]
                                                 events as lines of JSON, without a server
  bulwark-sensor enroll --server https://HOST:PORT --token TOKEN [--ca-fingerprint sha256:… | --ca FILE] [--state DIR]
                                                 makes this node known to a server
  bulwark-sensor run [--state DIR]               events to the server, its policy and orders carried out
  bulwark-sensor facts [--root DIR]              what a benchmark would be told; request and answer are protobuf
";

/// 0 done · 1 something is missing (doctor) · 2 the command could not do its work
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match words.split_first() {
        Some((command, rest)) => dispatch(command, rest),
        None => Err(USAGE.into()),
    };
    match result {
        Ok(code) => code,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::from(2)
        }
    }
}

fn dispatch(command: &str, rest: &[String]) -> Result<ExitCode, String> {
    match command {
        "doctor" => doctor::command(rest),
        "run" => run::command(rest),
        "enroll" => server::enroll::command(rest),
        "facts" => facts::command(rest),
        "--version" | "version" => {
            println!("bulwark-sensor {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
        "--help" | "help" | "-h" => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => Err(format!("`{other}` is no command of bulwark-sensor\n\n{USAGE}")),
    }
}
