//! `pinfold chain run` and `resume`.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};

use clap::Args;
use pinfold::chain::{Changed, Outcome, Question, Trace};
use pinfold::{Chain, ChainRun, ChainWatch, Error};
use serde_json::{Value, json};

use super::backends::{BackendArgs, Opened};
use super::{person, values};
use crate::ask;
use crate::interrupt::Interrupt;
use crate::output::{self, Exit, Failure, note};

const RUN_HELP: &str = "\
A step that a person answers asks at the terminal. Where nobody sits there, or the answer is Ctrl-D, the run is saved \
to the --state file and the exit code is 6; `pinfold chain resume` goes on. After an error or Ctrl-C the --state file \
holds what is done, too.

The output is printed as it is if it is a text, else as JSON. With --json it is {\"output\": ...} or \
{\"waiting\": {\"step\", \"text\", \"schema\"}, \"state\": FILE}.

Examples:
  pinfold chain run order.chain.yaml -v request=\"play some jazz\"
  pinfold chain run order.chain.yaml --input order.json --state state.json --trace trace.jsonl --json
  pinfold chain run order.chain.yaml -v request=hi --model model.gguf --backend big=https://api.openai.com/v1";

const RESUME_HELP: &str = "\
The state file is written again when the run stops the next time. A chain or prompt that was changed since is refused \
unless --allow-changed.

Examples:
  pinfold chain resume state.json
  pinfold chain resume state.json -v sure=yes
  pinfold chain resume state.json --answer '{\"sure\": true}' --json";

/// Run a chain
#[derive(Args)]
#[command(after_help = RUN_HELP)]
pub struct RunArgs {
    /// The chain file
    file: PathBuf,

    /// An input of the chain; JSON where it is no text. May be given again
    #[arg(short = 'v', long = "variable", value_name = "NAME=VALUE", value_parser = values::pair)]
    var: Vec<(String, String)>,

    /// A JSON file with inputs by name
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,

    /// Where the run is saved when it waits for a person, fails or is cancelled
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,

    #[command(flatten)]
    common: CommonArgs,
}

/// Go on with a run that was saved
#[derive(Args)]
#[command(after_help = RESUME_HELP)]
pub struct ResumeArgs {
    /// The file of --state
    state: PathBuf,

    /// The answer that the run waits for: JSON, or text where the question wants one
    #[arg(long, value_name = "JSON", conflicts_with = "var")]
    answer: Option<String>,

    /// A field of the answer that the run waits for; may be given again
    #[arg(short = 'v', long = "variable", value_name = "NAME=VALUE", value_parser = values::pair)]
    var: Vec<(String, String)>,

    /// The chain file, if it is not where it was
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,

    /// Go on although the chain or a prompt was changed, if what is done still fits
    #[arg(long)]
    allow_changed: bool,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Args)]
struct CommonArgs {
    #[command(flatten)]
    backends: BackendArgs,

    /// Append a line of JSON for each step to a file: digests, tokens, times; no text of users
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,

    /// With --trace: the messages and the outputs, too
    #[arg(long, requires = "trace")]
    trace_text: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl RunArgs {
    pub fn json(&self) -> bool {
        self.common.json
    }
}

impl ResumeArgs {
    pub fn json(&self) -> bool {
        self.common.json
    }
}

pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let chain = Chain::open(&args.file)?;
    if args.state.is_none() && !ask::somebody() && chain.steps().any(|step| step.human) {
        return Err(Failure::usage("a step of this chain asks a person, and nobody can be asked here")
            .hint("--state FILE saves the run there; `pinfold chain resume FILE` goes on with it"));
    }
    let values = values::values(args.input.as_deref(), &args.var, chain.input_schema())?;
    let run = chain.start(values)?;
    Runner::new(run, args.state.as_deref(), &args.common)?.go()
}

pub fn resume(args: &ResumeArgs) -> Result<Exit, Failure> {
    let file = args.chain.clone().map_or_else(|| Chain::of_state(&args.state), Ok)?;
    let changed = if args.allow_changed { Changed::Allow } else { Changed::Refuse };
    let mut run = Chain::open(file)?.load(&args.state, changed).map_err(|error| {
        let may = !args.allow_changed && matches!(error, Error::BadChain { .. });
        let failure = Failure::from(error);
        if may { failure.hint("--allow-changed goes on, if it is a change of the chain") } else { failure }
    })?;
    if args.answer.is_some() || !args.var.is_empty() {
        let schema = run.question_schema().cloned().ok_or_else(|| {
            Failure::usage("the run does not wait for an answer").hint("resume it without --answer and -v")
        })?;
        let answer = match &args.answer {
            Some(text) => values::value(text, &schema),
            None => Value::Object(values::values(None, &args.var, &schema)?),
        };
        run.answer(answer)?;
    }
    Runner::new(run, Some(&args.state), &args.common)?.go()
}

struct Runner<'a> {
    run: ChainRun,
    state: Option<&'a Path>,
    args: &'a CommonArgs,
    trace: Option<File>,
    interrupt: Interrupt,
}

impl<'a> Runner<'a> {
    fn new(run: ChainRun, state: Option<&'a Path>, args: &'a CommonArgs) -> Result<Self, Failure> {
        let open = |path: &PathBuf| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.map_err(crate::input::unreadable(&path.display().to_string()))
        };
        let trace = args.trace.as_ref().map(open).transpose()?;
        let interrupt = Interrupt::install(true)?;
        Ok(Self { run, state, args, trace, interrupt })
    }

    fn go(mut self) -> Result<Exit, Failure> {
        let cancel = self.interrupt.work();
        let backends = Opened::new(&self.args.backends, cancel.clone());
        loop {
            let outcome = self.advance(&backends, cancel.clone());
            match outcome {
                Ok(Outcome::Done(output)) => {
                    self.save()?;
                    self.print(&output)?;
                    return Ok(Exit::Done);
                }
                Ok(Outcome::Waiting(question)) => {
                    if !ask::somebody() || self.args.json || !self.ask(&question)? {
                        return self.wait(&question);
                    }
                }
                Err(error) => {
                    let failure = backends.failure(error);
                    return Err(match (self.save()?, &failure.hint) {
                        (Some(path), None) => failure
                            .hint(format!("what is done is kept: `pinfold chain resume {}`", path.display())),
                        _ => failure,
                    });
                }
            }
        }
    }

    fn advance(&mut self, backends: &Opened<'_>, cancel: pinfold::Cancel) -> pinfold::Result<Outcome> {
        let path = self.args.trace.clone().unwrap_or_default();
        let mut file = self.trace.take();
        let mut trace = |trace: &Trace| match &mut file {
            Some(file) => writeln!(file, "{}", trace.line()).map_err(Error::io(&path)),
            None => Ok(()),
        };
        let mut step = |id: &str| {
            if stderr().is_terminal() {
                note(&format!("step {id}"));
            }
        };
        let mut watch = ChainWatch {
            cancel,
            step: Some(&mut step),
            text: None,
            trace: Some(&mut trace),
            trace_text: self.args.trace_text,
        };
        let outcome = self.run.advance(backends, &mut watch);
        self.trace = file;
        outcome
    }

    /// Asks at the terminal until the answer is one; `false` if the person leaves.
    fn ask(&mut self, question: &Question) -> Result<bool, Failure> {
        loop {
            let Some(answer) = person::ask(question)? else { return Ok(false) };
            match self.run.answer(answer) {
                Ok(()) => return Ok(true),
                Err(Error::BadVariable { name, reason, .. }) => note(&format!("{name}: {reason}")),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn wait(&self, question: &Question) -> Result<Exit, Failure> {
        let saved = self.save()?;
        if self.args.json {
            output::print_json(&json!({ "waiting": question, "state": saved }))?;
        } else {
            output::print(&format!("{}\n", question.text))?;
            match saved {
                Some(path) => {
                    note(&format!("waiting: `pinfold chain resume {} --answer JSON`", path.display()))
                }
                None => note("waiting, and nothing is kept: --state FILE saves the run"),
            }
        }
        Ok(Exit::Waiting)
    }

    fn save(&self) -> Result<Option<&'a Path>, Failure> {
        if let Some(path) = self.state {
            self.run.save(path)?;
        }
        Ok(self.state)
    }

    fn print(&self, output: &Value) -> Result<(), Failure> {
        match output {
            _ if self.args.json => output::print_json(&json!({ "output": output })),
            Value::String(text) => output::print(&format!("{text}\n")),
            other => output::print_json(other),
        }
    }
}
