//! `pinfold`: run checkpoints on the device, from the command line.

mod answer;
mod bench;
mod chat;
mod devices;
mod input;
mod inspect;
mod interrupt;
mod models;
mod options;
mod output;
mod progress;
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use output::{Exit, Failure};

const HELP: &str = "\
Examples:
  pinfold run intent \"play some jazz in the kitchen\"
  pinfold run model.gguf --raw --max-tokens 64 \"Once upon a time\"
  pinfold run model.gguf --jsonl prompts.jsonl > answers.jsonl
  pinfold chat model.gguf
  pinfold inspect model.gguf
  pinfold bench model.gguf --json

Exit codes:
  0    done
  1    failed: a file, the engine, input that is not text
  2    usage: an option that does not exist or is out of its range
  3    the checkpoint is unknown, damaged, or not made for the command
  4    it does not fit: memory, or a full context
  130  cancelled by Ctrl-C

Errors go to stderr as text with a hint; with --json as {\"error\": {\"code\", \"message\", \"hint\"}}.";

/// Run checkpoints on the device.
#[derive(Parser)]
#[command(name = "pinfold", version, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Show what the engine logs, on stderr
    #[arg(short, long, global = true, display_order = 100)]
    verbose: bool,
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunArgs),
    Chat(chat::ChatArgs),
    Inspect(inspect::InspectArgs),
    Models(models::ModelsArgs),
    Devices(devices::DevicesArgs),
    Bench(bench::BenchArgs),
}

impl Command {
    /// Whether a machine reads what is printed.
    fn json(&self) -> bool {
        match self {
            Self::Run(args) => args.json(),
            Self::Chat(_) => false,
            Self::Inspect(args) => args.json,
            Self::Models(args) => args.json,
            Self::Devices(args) => args.json,
            Self::Bench(args) => args.json,
        }
    }

    fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Run(args) => run::run(&args),
            Self::Chat(args) => chat::chat(&args),
            Self::Inspect(args) => inspect::inspect(&args),
            Self::Models(args) => models::models(&args),
            Self::Devices(args) => devices::devices(&args),
            Self::Bench(args) => bench::bench(&args),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.verbose {
        use tracing_subscriber::filter::LevelFilter;
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(LevelFilter::DEBUG).init();
    }
    let json = cli.command.json();
    let exit = cli.command.run().unwrap_or_else(|failure| {
        failure.report(json);
        failure.exit
    });
    ExitCode::from(exit as u8)
}
