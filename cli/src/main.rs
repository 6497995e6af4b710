//! `pinfold`: run checkpoints on the device, from the command line.

mod answer;
mod ask;
mod backends;
mod bench;
mod chain;
mod chat;
mod devices;
mod golden;
mod input;
mod inspect;
mod interrupt;
mod lock;
mod models;
mod options;
mod outdated;
mod output;
mod pin;
mod pins;
mod progress;
mod prompt;
mod pull;
mod run;
mod schema;
mod store;
mod trial;
mod verify;

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
  pinfold pin tiny hf:ggml-org/models/tinyllamas/stories260K.gguf
  pinfold pull && pinfold run tiny \"Once upon a time\"
  pinfold verify
  pinfold prompt render greet.prompt -v name=Ada
  pinfold run greet.prompt -v name=Ada
  pinfold try greet.prompt --inputs cases.jsonl --backend intent --backend openai:http://localhost:8000/v1#m

Exit codes:
  0    done
  1    failed: a file, the engine, input that is not text
  2    usage: an option that does not exist or is out of its range
  3    the checkpoint is unknown, damaged, or not made for the command
  4    it does not fit: memory, a full context, the disk, the quota of the store
  5    not what was pinned: a digest, a signature or a golden differs
  6    a chain waits for the answer of a person
  130  cancelled by Ctrl-C

Errors go to stderr as text with a hint; with --json as {\"error\": {\"code\", \"message\", \"hint\"}}.";

/// Run checkpoints on the device.
#[derive(Parser)]
#[command(name = "pinfold", version, after_help = HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Show what the engine logs, on stderr
    #[arg(long, global = true, display_order = 100)]
    verbose: bool,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, made once")]
enum Command {
    Run(run::RunArgs),
    Chat(chat::ChatArgs),
    Chain(chain::ChainCommand),
    Inspect(inspect::InspectArgs),
    Models(models::ModelsArgs),
    Devices(devices::DevicesArgs),
    Bench(bench::BenchArgs),
    Pin(pin::PinArgs),
    Pull(pull::PullArgs),
    Outdated(outdated::OutdatedArgs),
    Verify(verify::VerifyArgs),
    Golden(golden::GoldenCommand),
    Lock(lock::LockCommand),
    Store(store::StoreCommand),
    Prompt(prompt::PromptCommand),
    Schema(schema::SchemaCommand),
    Try(trial::TryArgs),
}

impl Command {
    /// Whether a machine reads what is printed.
    fn json(&self) -> bool {
        match self {
            Self::Run(args) => args.json(),
            Self::Chat(_) => false,
            Self::Chain(command) => command.json(),
            Self::Inspect(args) => args.json,
            Self::Models(args) => args.json,
            Self::Devices(args) => args.json,
            Self::Bench(args) => args.json,
            Self::Pin(args) => args.json,
            Self::Pull(args) => args.json,
            Self::Outdated(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Golden(command) => command.json(),
            Self::Lock(command) => command.json(),
            Self::Store(command) => command.json(),
            Self::Prompt(command) => command.json(),
            Self::Schema(command) => command.json(),
            Self::Try(args) => args.json,
        }
    }

    fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Run(args) => run::run(&args),
            Self::Chat(args) => chat::chat(&args),
            Self::Chain(command) => chain::chain(&command),
            Self::Inspect(args) => inspect::inspect(&args),
            Self::Models(args) => models::models(&args),
            Self::Devices(args) => devices::devices(&args),
            Self::Bench(args) => bench::bench(&args),
            Self::Pin(args) => pin::pin(&args),
            Self::Pull(args) => pull::pull(&args),
            Self::Outdated(args) => outdated::outdated(&args),
            Self::Verify(args) => verify::verify(&args),
            Self::Golden(command) => golden::golden(&command),
            Self::Lock(command) => lock::lock(&command),
            Self::Store(command) => store::store(&command),
            Self::Prompt(command) => prompt::prompt(&command),
            Self::Schema(command) => schema::schema(&command),
            Self::Try(args) => trial::trial(&args),
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
