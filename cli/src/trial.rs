//! `pinfold try`: one prompt over cases on several backends, compared.

mod cases;
mod compare;
mod report;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use pinfold::PromptFile;
use pinfold::backend::{Backend, Request};

use crate::backends::{self, ServerArgs};
use crate::interrupt::Interrupt;
use crate::options::EngineArgs;
use crate::output::{self, Exit, Failure};
use crate::progress::Bar;
use crate::run::prompted;
use cases::Case;
use compare::Outcome;
use report::Report;

const HELP: &str = "\
Each line of the cases is a JSON object of variables. `history` in it is a list of messages before, `expect` the answer \
that is wanted: a text, or JSON where the prompt declares its output. Where a variable has such a name, write \
{\"input\": {...}, \"history\": [...], \"expect\": ...}.

The first backend is compared with each of the others: values by their fields, texts by their first difference. A case \
that fails is a row, and the others go on. Exit code 1: fewer are the same than --min-same, or as expected than \
--min-expected.

Examples:
  pinfold try greet.prompt --inputs cases.jsonl --backend intent --backend openai:http://localhost:8000/v1#model
  pinfold try greet.prompt --inputs cases.jsonl --backend a.gguf --backend b.gguf --min-same 0.9
  pinfold try greet.prompt --inputs cases.jsonl --backend intent --min-expected 1 --json | jq .summary";

/// Run a prompt file over cases on backends, and compare their answers
#[derive(Args)]
#[command(after_help = HELP)]
pub struct TryArgs {
    /// The prompt file
    prompt: PathBuf,

    /// The cases, as lines of JSON
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,

    /// A checkpoint, or openai:URL#MODEL, llama-server:URL#MODEL, llama-cpp-python:URL#MODEL; may be given again.
    /// Without it, the model of the front matter
    #[arg(long = "backend", value_name = "BACKEND")]
    backends: Vec<OsString>,

    /// The share of cases, 0 to 1, in which all backends must answer the same
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_same: Option<f64>,

    /// The share of answers, 0 to 1, that must be as expected on each backend
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_expected: Option<f64>,

    /// Tokens of an answer at most; without it what the prompt says, or 512
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: Option<u32>,

    /// Tokens of the context; 0 for what a checkpoint was trained on, at most 4096
    #[arg(short, long, value_name = "TOKENS", default_value_t = 0)]
    ctx: u32,

    /// Print one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    engine: EngineArgs,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().map_err(|_| "a number from 0 to 1".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("a number from 0 to 1".to_owned()) }
}

pub fn trial(args: &TryArgs) -> Result<Exit, Failure> {
    let interrupt = Interrupt::install(true)?;
    let cancel = interrupt.work();
    let prompt = backends::prompt(&args.prompt, &args.engine, &cancel)?;
    let cases = cases::read(&args.inputs)?;
    if args.min_expected.is_some() && cases.iter().all(|case| case.expect.is_none()) {
        return Err(Failure::usage("--min-expected: no case has an `expect`"));
    }
    let mut names = args.backends.clone();
    if names.is_empty() {
        names.extend(prompt.model().map(OsString::from));
    }
    if names.is_empty() {
        return Err(
            Failure::usage("there is no backend").hint("give --backend, or `model:` in the front matter")
        );
    }
    if args.min_same.is_some() && names.len() < 2 {
        return Err(Failure::usage("--min-same compares backends: give --backend twice"));
    }
    let opened = names.iter().map(|name| args.server.open(name, &args.engine, args.ctx, &cancel));
    let backends = opened.collect::<Result<Vec<_>, _>>()?;
    let mut bar = Bar::new(Some((cases.len() * backends.len()) as u64), "trying".into());
    let mut done = 0;
    let mut rows = Vec::with_capacity(cases.len());
    for case in &cases {
        let mut outcomes = Vec::with_capacity(backends.len());
        for backend in &backends {
            let outcome = ask(&prompt, case, backend.as_ref(), args.max_tokens, &cancel);
            if cancel.is_cancelled() {
                return Ok(Exit::Cancelled);
            }
            outcomes.push(outcome);
            done += 1;
            bar.set(done);
        }
        rows.push(outcomes);
    }
    drop(bar);
    let report = Report::new(backends.iter().map(|backend| backend.name()).collect(), &cases, rows);
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&report.to_string())?;
    }
    let enough = report.is_enough(args.min_same, args.min_expected);
    Ok(if enough { Exit::Done } else { Exit::Failed })
}

/// Asks a backend; a failure is an outcome too.
fn ask(
    prompt: &PromptFile,
    case: &Case,
    backend: &dyn Backend,
    max_tokens: Option<u32>,
    cancel: &pinfold::Cancel,
) -> Outcome {
    let answer = Request::new(prompt, &case.values, &case.history).and_then(|request| {
        let max_tokens = max_tokens.or(prompted::max_tokens(prompted::MAX_TOKENS, request.max_tokens));
        let request = Request { max_tokens, cancel: cancel.clone(), ..request };
        let declared = request.output.is_some();
        Ok((declared, backend.reply(&request, &mut |_| {})?))
    });
    Outcome::new(answer, case.expect.as_ref())
}
