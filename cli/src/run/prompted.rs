//! `pinfold run x.prompt`: a prompt file with its values, answered once.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::Args;
use pinfold::Sampling;
use pinfold::backend::{Reply, Request};
use serde_json::{Value, json};

use super::RunArgs;
use crate::backends::{self, ServerArgs};
use crate::interrupt::Interrupt;
use crate::output::{self, Exit, Failure};
use crate::prompt::given::{self, VariableArgs};

/// Tokens that an answer has at most where neither the file nor the user says.
pub const MAX_TOKENS: u32 = 512;

/// What belongs to a prompt file.
#[derive(Args)]
#[command(next_help_heading = "Prompt files")]
pub struct PromptedArgs {
    #[command(flatten)]
    variables: VariableArgs,

    /// A file with the turns before: a JSON list of messages
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,

    /// The checkpoint in place of the front matter's
    #[arg(id = "prompt_model", long = "model", value_name = "MODEL")]
    model: Option<OsString>,

    /// What answers: a checkpoint, or openai:URL#MODEL, llama-server:URL#MODEL, llama-cpp-python:URL#MODEL
    #[arg(long, value_name = "BACKEND", conflicts_with = "prompt_model")]
    backend: Option<OsString>,

    #[command(flatten)]
    server: ServerArgs,
}

impl PromptedArgs {
    /// That none of it was given.
    pub fn refuse(&self) -> Result<(), Failure> {
        let VariableArgs { variables, input } = &self.variables;
        let given = !variables.is_empty()
            || input.is_some()
            || self.history.is_some()
            || self.model.is_some()
            || self.backend.is_some();
        match given {
            true => {
                Err(Failure::usage("-v, --input, --history, --model and --backend go with a prompt file")
                    .hint("pinfold run NAME.prompt -v name=value"))
            }
            false => Ok(()),
        }
    }
}

pub fn run(args: &RunArgs, sampling: Sampling) -> Result<Exit, Failure> {
    if args.prompt.is_some()
        || args.file.is_some()
        || args.jsonl.is_some()
        || args.logprobs.is_some()
        || args.raw
        || args.system.is_some()
        || args.generate.slide.is_some()
    {
        let message =
            "a prompt file takes no PROMPT, --file, --jsonl, --logprobs, --raw, --system or --slide";
        return Err(Failure::usage(message).hint("give its variables by -v, or by --input"));
    }
    let interrupt = Interrupt::install(true)?;
    let cancel = interrupt.work();
    let prompt = backends::prompt(Path::new(&args.model.model), &args.model.engine, &cancel)?;
    let own = &args.prompted;
    let values = own.variables.values(&prompt)?;
    let history = given::history(own.history.as_deref())?;
    let mut request = Request::new(&prompt, &values, &history)?;
    request.sampling = merged(request.sampling, sampling);
    request.max_tokens = max_tokens(args.generate.max_tokens, request.max_tokens);
    request.stop.extend(args.generate.stop.iter().cloned());
    let name = own.backend.as_deref().or(own.model.as_deref()).or(prompt.model().map(OsStr::new));
    let Some(name) = name else {
        return Err(Failure::usage("the prompt names no model")
            .hint("give --model, --backend, or `model:` in its front matter"));
    };
    request.cancel = cancel;
    let backend = own.server.open(name, &args.model.engine, args.generate.ctx, &request.cancel)?;
    if args.json {
        let reply = backend.reply(&request, &mut |_| {})?;
        output::print_json(&as_json(&backend.name(), &reply))?;
        return Ok(Exit::Done);
    }
    let (mut open, mut closed) = (false, Ok(()));
    let reply = backend.reply(&request, &mut |text| {
        open = !text.ends_with('\n');
        if closed.is_ok() {
            closed = output::print(text);
            // Nobody reads on.
            if closed.is_err() {
                request.cancel.cancel();
            }
        }
    });
    closed?;
    if open {
        output::print("\n")?;
    }
    for call in calls(&reply?) {
        output::print_json_line(&json!({ "tool_call": call }))?;
    }
    Ok(Exit::Done)
}

/// What was given on the command line goes before what the file says.
pub fn max_tokens(given: u32, of_file: Option<u32>) -> Option<u32> {
    match given {
        0 => None,
        MAX_TOKENS => Some(of_file.unwrap_or(MAX_TOKENS)),
        given => Some(given),
    }
}

/// The settings of the file, with those that were given.
pub fn merged(of_file: Sampling, given: Sampling) -> Sampling {
    fn pick<T: PartialEq>(file: T, given: T, default: T) -> T {
        if given == default { file } else { given }
    }
    let default = Sampling::default();
    Sampling {
        temperature: pick(of_file.temperature, given.temperature, default.temperature),
        seed: pick(of_file.seed, given.seed, default.seed),
        logit_bias: of_file.logit_bias,
        penalty_window: pick(of_file.penalty_window, given.penalty_window, default.penalty_window),
        repetition_penalty: pick(
            of_file.repetition_penalty,
            given.repetition_penalty,
            default.repetition_penalty,
        ),
        frequency_penalty: pick(
            of_file.frequency_penalty,
            given.frequency_penalty,
            default.frequency_penalty,
        ),
        presence_penalty: pick(of_file.presence_penalty, given.presence_penalty, default.presence_penalty),
        top_k: pick(of_file.top_k, given.top_k, default.top_k),
        typical_p: pick(of_file.typical_p, given.typical_p, default.typical_p),
        top_p: pick(of_file.top_p, given.top_p, default.top_p),
        min_p: pick(of_file.min_p, given.min_p, default.min_p),
    }
}

/// The calls of a reply as JSON.
pub fn calls(reply: &Reply) -> Vec<Value> {
    let call = |call: &pinfold::prompt::ToolCall| {
        json!({
            "id": call.id.as_ref().map(|id| id.as_str()),
            "name": call.name.as_str(),
            "arguments": call.arguments.to_json(),
        })
    };
    reply.tool_calls.iter().map(call).collect()
}

fn as_json(backend: &str, reply: &Reply) -> Value {
    json!({
        "backend": backend,
        "text": reply.text,
        "value": reply.value,
        "tool_calls": calls(reply),
        "finish_reason": reply.finish,
        "usage": {
            "prompt_tokens": reply.prompt_tokens,
            "cached_tokens": reply.cached_tokens,
            "generated_tokens": reply.generated_tokens,
        },
        "neutralized": reply.neutralized,
        "seconds": reply.seconds,
    })
}
