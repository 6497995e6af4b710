//! `pinfold verify`: whether what is pinned still gives what it gave.

mod difference;
mod report;

use clap::Args;
use pinfold::verify::{self, VerifyWatch};
use pinfold::{Check, VerifyOptions, VerifyReport};

use crate::interrupt::Interrupt;
use crate::output::{self, Exit, Failure};
use crate::pins::{CheckArg, LockArgs, StoreArgs};
use crate::progress::Bar;
use report::Report;

const HELP: &str = "\
Each file is hashed and its header examined; then each golden is generated again and compared with what was \
recorded. Where the same version of Pinfold on the same kind of processor recorded it, tokens and text must be the \
same; elsewhere a token may differ where the choice was so close that --tolerance covers it, and the report says so.

Exit code 0: everything is as pinned. 5: something is not, and the report says what and why. Others: it could not be \
verified at all.

Examples:
  pinfold verify
  pinfold verify greeting --threads 1
  pinfold verify --lock app/pinfold.lock --json | jq '.goldens[] | select(.outcome != \"same\")'
  pinfold verify --stamp            # does not hash files again that nobody touched";

/// Check the pinned files and replay the goldens
#[derive(Args)]
#[command(after_help = HELP)]
pub struct VerifyArgs {
    /// Names of checkpoints, adapters or goldens; without any, everything
    names: Vec<String>,

    /// What a log-probability may differ by where another version or processor recorded the golden, in nats
    #[arg(long, value_name = "N", default_value_t = VerifyOptions::default().tolerance, allow_negative_numbers = true)]
    tolerance: f32,

    /// Threads that compute; 0 chooses by the machine and the checkpoint
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: u32,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    lock: LockArgs,

    #[command(flatten)]
    store: StoreArgs,

    /// How the files are checked
    #[arg(long, value_name = "HOW", default_value = "full", help_heading = "Pins")]
    verify: CheckArg,

    /// The same as --verify=stamp
    #[arg(long, conflicts_with = "verify", help_heading = "Pins")]
    stamp: bool,
}

pub fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    if !(0.0..=f32::MAX).contains(&args.tolerance) {
        return Err(Failure::usage(format!("--tolerance: a number from 0 up, but is {}", args.tolerance)));
    }
    let interrupt = Interrupt::install(true)?;
    let lock = args.lock.open()?;
    let store = args.store.open()?;
    let options = VerifyOptions {
        names: args.names.clone(),
        check: if args.stamp { Check::Stamp } else { args.verify.into() },
        tolerance: args.tolerance,
        threads: args.threads,
    };
    let report = watched(|watch| verify::verify(&lock, &store, &options, watch), &interrupt)?;
    let report = Report::new(&report);
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&report.to_string())?;
    }
    Ok(if report.passed { Exit::Done } else { Exit::Verification })
}

fn watched(
    work: impl FnOnce(VerifyWatch<'_>) -> Result<VerifyReport, pinfold::Error>,
    interrupt: &Interrupt,
) -> Result<VerifyReport, Failure> {
    let mut bar: Option<Bar> = None;
    let mut progress = |what: &str, done: u32, all: u32| {
        let bar = bar.get_or_insert_with(|| Bar::new(Some(all.into()), String::new()));
        bar.say(output::excerpt(what, 32));
        bar.set(done.into());
    };
    Ok(work(VerifyWatch { progress: Some(&mut progress), cancel: interrupt.work() })?)
}
