//! `pinfold run`: one answer, or one for each line of a file.

pub mod prompted;

use std::path::{Path, PathBuf};

use clap::Args;
use pinfold::{Cancel, FinishReason, Message, Role, Sampling, Session, Special};
use serde::Serialize;

use crate::answer::{Answer, Report, Wanted};
use crate::input::{self, Request, Requests};
use crate::interrupt::Interrupt;
use crate::options::{GenerateArgs, Loaded, ModelArgs};
use crate::output::{self, Exit, Failure};
use crate::progress::Bar;

const HELP: &str = "\
The prompt is one user message of the checkpoint's chat template, if it has one, else the beginning of a text to go \
on with. One newline at the end of a file or of stdin is dropped.

With --jsonl each line is {\"prompt\": \"...\"} or {\"prompt\": \"...\", \"system\": \"...\"}. A line that fails gives \
{\"error\": {\"code\", \"message\", \"line\"}} in its place, the others go on, and the exit code is that of the first \
failure.

Ctrl-C ends the answer (exit code 130), a second one the program.

Where the first argument is a prompt file (NAME.prompt), -v gives its variables, and the model is that of --backend, of \
--model, or of its front matter. Options of sampling that are given replace those of the file.

Examples:
  pinfold run greet.prompt -v name=Ada
  pinfold run greet.prompt --input values.json --backend openai:http://localhost:8000/v1#model --json
  pinfold run intent \"wake me at seven\"
  pinfold run model.gguf --system \"Answer in French.\" \"What is a sheepfold?\"
  pinfold run model.gguf --raw -n 64 -t 0.8 --seed 7 \"Once upon a time\"
  git diff | pinfold run model.gguf --system \"Summarize this change.\"
  pinfold run model.gguf --json --logprobs 3 \"Yes or no?\" | jq .logprobs
  pinfold run model.gguf --jsonl prompts.jsonl > answers.jsonl";

/// Answer a prompt
#[derive(Args)]
#[command(after_help = HELP)]
pub struct RunArgs {
    #[command(flatten)]
    model: ModelArgs,

    /// The prompt; `-` or nothing reads stdin
    prompt: Option<String>,

    /// Read the prompt from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "prompt")]
    file: Option<PathBuf>,

    /// Answer each line of a file (`-` for stdin), as one JSON object a line
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt", "file"])]
    jsonl: Option<PathBuf>,

    /// Print one JSON object: text, tokens, finish_reason, timings
    #[arg(long)]
    json: bool,

    /// With --json or --jsonl: the log-probabilities of each token and of the N likeliest there
    #[arg(long, value_name = "N")]
    logprobs: Option<u32>,

    /// Go on with the prompt as it is, without the chat template
    #[arg(long)]
    raw: bool,

    /// Instructions in front of the prompt
    #[arg(long, value_name = "TEXT", conflicts_with = "raw")]
    system: Option<String>,

    #[command(flatten)]
    prompted: prompted::PromptedArgs,

    #[command(flatten)]
    generate: GenerateArgs,
}

impl RunArgs {
    pub fn json(&self) -> bool {
        self.json || self.jsonl.is_some()
    }
}

pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    if args.logprobs.is_some() && !args.json() {
        return Err(Failure::usage("--logprobs has no place in plain text").hint("add --json"));
    }
    let sampling = args.generate.sampling.sampling()?;
    if Path::new(&args.model.model).extension().is_some_and(|ending| ending == "prompt") {
        return prompted::run(args, sampling);
    }
    args.prompted.refuse()?;
    let interrupt = Interrupt::install(true)?;
    // What can go wrong with the input does so before a large checkpoint is loaded.
    match &args.jsonl {
        Some(path) => {
            let requests = Requests::open(path)?;
            let cancel = interrupt.work();
            Runner::load(args, sampling, &cancel)?.lines(requests, &cancel)
        }
        None => {
            let prompt = input::prompt(args.prompt.as_deref(), args.file.as_deref())?;
            let cancel = interrupt.work();
            Runner::load(args, sampling, &cancel)?.once(Request { prompt, system: None }, &cancel)
        }
    }
}

struct Runner<'a> {
    args: &'a RunArgs,
    loaded: Loaded,
    session: Session,
    wanted: Wanted<'a>,
}

impl<'a> Runner<'a> {
    fn load(args: &'a RunArgs, sampling: Sampling, cancel: &Cancel) -> Result<Self, Failure> {
        let loaded = args.model.load(args.generate.ctx, cancel)?;
        let session = loaded.model.session_with(args.generate.session())?;
        let constraint = args.generate.constraint.read()?;
        let wanted = Wanted { args: &args.generate, constraint, sampling, logprobs: args.logprobs };
        Ok(Self { args, loaded, session, wanted })
    }

    fn once(&self, request: Request, cancel: &Cancel) -> Result<Exit, Failure> {
        if self.args.json {
            let answer = self.answer(request, cancel, |_| Ok(()))?;
            output::print_json(&self.report(&answer))?;
            return Ok(exit(&answer));
        }
        let mut open = false;
        let answer = self.answer(request, cancel, |text| {
            open = !text.ends_with('\n');
            output::print(text)
        });
        // What came stays readable, whatever comes after it.
        if open {
            output::print("\n")?;
        }
        let answer = answer?;
        if answer.full {
            let capacity = self.loaded.model.context_tokens();
            output::note(&format!("note: the context of {capacity} tokens is full; see --ctx and --slide"));
        }
        Ok(exit(&answer))
    }

    fn lines(&self, mut requests: Requests, cancel: &Cancel) -> Result<Exit, Failure> {
        let mut outcome = Exit::Done;
        let mut bar = Bar::new(requests.length, "answering".into());
        while let Some(request) = requests.read()? {
            let answer = request.and_then(|request| self.answer(request, cancel, |_| Ok(())));
            match answer {
                Ok(answer) => {
                    bar.aside(|| output::print_json_line(&self.report(&answer)))?;
                    if answer.finish.reason == FinishReason::Cancelled {
                        return Ok(Exit::Cancelled);
                    }
                }
                Err(failure) => {
                    if outcome == Exit::Done {
                        outcome = failure.exit;
                    }
                    let error = LineFailure { failure, line: requests.line };
                    bar.aside(|| output::print_json_line(&serde_json::json!({ "error": error })))?;
                }
            }
            bar.set(requests.position);
        }
        Ok(outcome)
    }

    /// Answers a request, from an empty session: what came before changes nothing.
    fn answer(
        &self,
        request: Request,
        cancel: &Cancel,
        show: impl FnMut(&str) -> Result<(), Failure>,
    ) -> Result<Answer, Failure> {
        self.session.rewind(0)?;
        let system = request.system.or_else(|| self.args.system.clone());
        if self.args.raw || self.loaded.model.facts().chat_template.is_none() {
            if system.is_some() {
                let message = "there are instructions (system), but no chat template to put them into";
                return Err(Failure::new(Exit::Checkpoint, "chat_template", message)
                    .hint("put them at the beginning of the prompt"));
            }
            self.session.append(&request.prompt, Special::Plain)?;
        } else {
            let system = system.map(|text| Message::new(Role::System, text));
            let messages: Vec<_> =
                system.into_iter().chain([Message::new(Role::User, request.prompt)]).collect();
            let markers = self.args.generate.markers.into();
            let prompt = self.loaded.model.prompt(&messages.iter().collect(), markers)?;
            self.session.append_tokens(&prompt.tokens)?;
        }
        self.wanted.generate(&self.session, cancel, show)
    }

    fn report<'b>(&'b self, answer: &'b Answer) -> Report<'b> {
        Report::new(&self.loaded, answer, self.args.logprobs.is_some())
    }
}

#[derive(Serialize)]
struct LineFailure {
    #[serde(flatten)]
    failure: Failure,
    line: usize,
}

fn exit(answer: &Answer) -> Exit {
    match answer.finish.reason {
        FinishReason::Cancelled => Exit::Cancelled,
        _ => Exit::Done,
    }
}
