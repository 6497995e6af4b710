//! `pinfold golden add`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use pinfold::lock::{self, GoldenInput};
use pinfold::verify::{self, GoldenRequest};
use pinfold::{LockFile, Message, Model, Role, Sampling};

use crate::input;
use crate::interrupt::Interrupt;
use crate::options::SamplingArgs;
use crate::output::{self, Exit, Failure, excerpt, quoted};
use crate::pins::{LockArgs, StoreArgs};
use crate::progress::Spinner;

const HELP: &str = "\
The prompt is one user message of the checkpoint's chat template, if it has one, else the beginning of a text to go \
on with. Generation is reproducible, which is slower than that of `run` (docs/adr/0007-reproducible-mode.md).

Examples:
  pinfold golden add greeting --checkpoint tiny \"Say hello.\"
  pinfold golden add story --checkpoint tiny --raw -n 64 \"Once upon a time\"
  pinfold golden add varied --checkpoint tiny -t 0.8 --seed 7 \"Say hello.\"
  pinfold golden add brief --checkpoint tiny --preset calm --system \"Be brief.\" --file question.txt";

/// Generate an answer and record it in the lock file
#[derive(Args)]
#[command(after_help = HELP)]
pub struct AddArgs {
    /// What the golden is to be called
    name: String,

    /// The prompt; `-` or nothing reads stdin
    prompt: Option<String>,

    /// The name of a checkpoint in the lock file
    #[arg(long, value_name = "NAME")]
    checkpoint: String,

    /// Read the prompt from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "prompt")]
    file: Option<PathBuf>,

    /// Go on with the prompt as it is, without the chat template; special tokens in it are parsed
    #[arg(long)]
    raw: bool,

    /// Instructions in front of the prompt
    #[arg(long, value_name = "TEXT", conflicts_with = "raw")]
    system: Option<String>,

    /// Tokens at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 128,
          value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: u32,

    /// A text that ends the answer; may be given again
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    stop: Vec<String>,

    /// Threads that compute; 0 chooses by the machine and the checkpoint
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: u32,

    /// Print the golden as one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    lock: LockArgs,

    #[command(flatten)]
    store: StoreArgs,

    /// Settings of the sampler that the lock file has under [sampling]
    #[arg(long, value_name = "NAME", help_heading = "Sampling", conflicts_with_all = [
        "temperature", "seed", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty",
        "frequency_penalty", "presence_penalty", "penalty_window",
    ])]
    preset: Option<String>,

    #[command(flatten)]
    sampling: SamplingArgs,
}

pub fn add(args: &AddArgs) -> Result<Exit, Failure> {
    let sampling = args.sampling.sampling()?;
    let interrupt = Interrupt::install(true)?;
    let lock = args.lock.open()?;
    lock::check_name(&args.name).map_err(Failure::usage)?;
    if lock.lock().goldens.contains_key(&args.name) {
        let message = format!("there is a golden named {} already", quoted(&args.name));
        return Err(Failure::new(Exit::Failed, "golden_exists", message)
            .hint("`pinfold golden update` records it anew, `pinfold golden remove` removes it"));
    }
    let sampling = match &args.preset {
        Some(preset) => named(&lock, preset)?,
        None => sampling,
    };
    let prompt = input::prompt(args.prompt.as_deref(), args.file.as_deref())?;
    let load = |context| super::load(&lock, &args.checkpoint, &args.store, args.threads, context, &interrupt);
    let model = load(0)?;
    let request = GoldenRequest {
        checkpoint: args.checkpoint.clone(),
        input: args.input(prompt, &model)?,
        sampling,
        preset: args.preset.clone(),
        max_tokens: args.max_tokens,
        stop: args.stop.clone(),
    };
    let model = match verify::context_tokens(&model, &request)? {
        0 => model,
        context => {
            drop(model);
            load(context)?
        }
    };
    let mut spinner = Spinner::start("generating");
    let golden = verify::record(&model, &request, &interrupt.work());
    spinner.stop();
    let golden = golden?;
    LockFile::edit(lock.path(), |lock| lock.set_golden(&args.name, &golden))?;
    if args.json {
        output::print_json(&super::json(&args.name, &golden))?;
    } else {
        output::print(&format!("{}\n", golden.expected.text))?;
        let (name, tokens) = (excerpt(&args.name, 80), golden.expected.tokens.len());
        output::note(&format!("recorded {name}: {tokens} tokens, ended by {}", golden.expected.finish));
    }
    Ok(Exit::Done)
}

/// The settings that the lock file has under this name.
pub fn named(lock: &LockFile, preset: &str) -> Result<Sampling, Failure> {
    let presets = &lock.lock().sampling;
    presets.get(preset).cloned().ok_or_else(|| {
        let known: Vec<_> = presets.keys().map(|name| excerpt(name, 80)).collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        let message = format!("the lock file has no settings named {}; it has: {known}", quoted(preset));
        Failure::new(Exit::Usage, "unknown_preset", message).hint("they stand below [sampling.NAME]")
    })
}

impl AddArgs {
    fn input(&self, prompt: String, model: &Model) -> Result<GoldenInput, Failure> {
        if !self.raw && model.facts().chat_template.is_some() {
            let system = self.system.clone().map(|text| Message::new(Role::System, text));
            let messages = system.into_iter().chain([Message::new(Role::User, prompt)]);
            return Ok(GoldenInput::Messages(messages.collect()));
        }
        if self.system.is_some() {
            let message = "there are instructions (--system), but no chat template to put them into";
            return Err(Failure::new(Exit::Checkpoint, "chat_template", message)
                .hint("put them at the beginning of the prompt"));
        }
        Ok(GoldenInput::Text(prompt))
    }
}
