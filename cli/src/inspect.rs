//! `pinfold inspect`: what is in a file, and whether it can run.

mod report;
mod value;

use std::ffi::OsString;

use clap::Args;
use pinfold::checkpoint::{self, Header};
use pinfold::{Checkpoint, Defect, Error, ModelOptions, Pinned};

use crate::options::{Located, locate};
use crate::output::{self, Align, Exit, Failure, Table, excerpt, size};
use crate::pins::PinArgs;
use report::Report;

const HELP: &str = "\
Only the header is read, so it is fast for files of any size. A file that would not run is shown as far as it can \
be read, with what is wrong with it, and the exit code is 3.

Examples:
  pinfold inspect model.gguf
  pinfold inspect model.gguf --tensors | grep attn
  pinfold inspect intent --ctx 256
  pinfold inspect model.gguf --json | jq -r .chat_template";

/// How many tensors are shown where not all are asked for.
const SOME: usize = 20;

/// Show what is in a GGUF file, and whether it can run
#[derive(Args)]
#[command(after_help = HELP)]
pub struct InspectArgs {
    /// The path of a GGUF file, or a name of the lock file or of an embedded checkpoint
    #[arg(value_name = "FILE")]
    model: OsString,

    /// Tokens of the context that the memory is estimated for; 0 as `run` chooses
    #[arg(short, long, value_name = "TOKENS", default_value_t = 0)]
    ctx: u32,

    /// Show all tensors, not only the first 20
    #[arg(long)]
    tensors: bool,

    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pins: PinArgs,
}

/// What the preflight says of a file.
enum Verdict {
    Runs(Box<Checkpoint>),
    /// The header is well-formed, but not that of a checkpoint that can run.
    Refused(Box<Header>, Box<Defect>),
    Unreadable(Box<Defect>),
}

pub fn inspect(args: &InspectArgs) -> Result<Exit, Failure> {
    let (size, header) = match locate(&args.model, &args.pins)? {
        Located::Embedded(embedded) => {
            (embedded.bytes.len() as u64, Header::from_bytes(embedded.bytes).map_err(Box::new))
        }
        Located::Pinned(Pinned { path, .. }) | Located::File(path) => match checkpoint::inspect(&path) {
            Ok(header) => (header.file_size, Ok(header)),
            Err(Error::BadCheckpoint { defect, .. }) => {
                let facts = std::fs::metadata(&path).map_err(Error::io(&path))?;
                (facts.len(), Err(defect))
            }
            Err(error) => return Err(error.into()),
        },
    };
    let verdict = match header {
        Err(defect) => Verdict::Unreadable(defect),
        Ok(header) => match Checkpoint::from_header(header.clone()) {
            Ok(checkpoint) => Verdict::Runs(Box::new(checkpoint)),
            Err(defect) => Verdict::Refused(Box::new(header), Box::new(defect)),
        },
    };
    let options = ModelOptions { context_tokens: args.ctx, sessions: 1, ..ModelOptions::default() };
    let report = Report::new(args.model.to_string_lossy().into_owned(), size, &verdict, &options);
    if args.json {
        output::print_json(&report)?;
    } else {
        output::print(&text(&report, args.tensors))?;
    }
    Ok(if report.runs { Exit::Done } else { Exit::Checkpoint })
}

fn text(report: &Report<'_>, all_tensors: bool) -> String {
    let mut text = facts(report).to_string();
    let Some(content) = &report.content else { return text };

    text += &format!("\nmetadata ({} keys)\n", content.metadata.len());
    let mut table = Table::new(&[("key", Align::Left), ("type", Align::Left), ("value", Align::Left)]);
    for (key, found) in content.metadata.iter() {
        table.row([excerpt(key, 60), value::kind(found), value::shown(found)]);
    }
    text += &table.to_string();

    text += &format!("\ntensors ({})\n", content.tensors.len());
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("type", Align::Left),
        ("shape", Align::Left),
        ("bytes", Align::Right),
    ]);
    let shown = if all_tensors { usize::MAX } else { SOME };
    for tensor in content.tensors.iter().take(shown) {
        let shape: Vec<_> = tensor.shape.iter().map(u64::to_string).collect();
        let bytes = tensor.bytes.map_or_else(|| "?".into(), |bytes| bytes.to_string());
        table.row([excerpt(tensor.name, 63), tensor.kind.into(), shape.join(" x "), bytes]);
    }
    text += &table.to_string();
    if let more @ 1.. = content.tensors.len().saturating_sub(shown) {
        text += &format!("... and {more} more; --tensors shows all\n");
    }

    if let Some(template) = content.chat_template {
        text += "\nchat template\n";
        for line in template.lines() {
            text += &format!("  {}\n", excerpt(line, usize::MAX));
        }
    }
    text
}

fn facts(report: &Report<'_>) -> Table {
    let mut table = Table::facts();
    table.fact("file", &report.file);
    table.fact("size", format!("{} ({} bytes)", size(report.file_size), report.file_size));
    match &report.defect {
        None => table.fact("verdict", "can run"),
        Some(defect) => table.fact("verdict", format!("refused ({}): {}", defect.code, defect.message)),
    }
    let Some(content) = &report.content else { return table };
    let (version, offset) = (content.version, content.data_offset);
    table
        .fact("format", format!("GGUF {version}, aligned to {}, data from byte {offset}", content.alignment));
    for (name, value) in
        [("name", content.name), ("licence", content.license), ("architecture", content.architecture)]
    {
        if let Some(value) = value {
            table.fact(name, excerpt(value, 80));
        }
    }
    table.fact("parameters", output::count(content.parameters));
    let quantization = content.quantization.map_or(String::new(), |name| format!(", {name}"));
    table.fact("weights", size(content.weight_bytes) + &quantization);
    if let Some(shape) = &content.hyperparameters {
        table.fact("context", format!("{} tokens", shape.context_length));
        table.fact(
            "body",
            format!(
                "{} layers of width {}, {} heads ({} for keys and values), feed-forward {}",
                shape.layers, shape.width, shape.heads, shape.kv_heads, shape.feed_forward
            ),
        );
    }
    let tokenizer = &content.tokenizer;
    let names = [tokenizer.model, tokenizer.pre].into_iter().flatten().map(|name| excerpt(name, 40));
    let names = names.collect::<Vec<_>>().join(", ");
    table.fact("tokenizer", format!("{names}, {} tokens", tokenizer.vocabulary.unwrap_or(0)));
    for special in &tokenizer.special {
        let spelling = special.text.map_or(String::new(), |text| format!("  {}", excerpt(text, 40)));
        table.fact(&format!("  {}", excerpt(special.name, 20)), format!("{}{spelling}", special.id));
    }
    if let Some(adds) = tokenizer.add_bos {
        table.fact("  adds bos", if adds { "yes" } else { "no" });
    }
    let template = content.chat_template.map_or("none: completes text", |_| "see below");
    table.fact("chat template", template);
    if let Some(memory) = &content.memory {
        let free = memory.available.map_or(String::new(), |free| format!("; {} are free", size(free)));
        table.fact(
            "memory",
            format!(
                "{} for {} tokens of context (weights {}, cache {}, compute {}){free}",
                size(memory.total),
                memory.context_tokens,
                size(memory.weights),
                size(memory.kv_cache),
                size(memory.compute)
            ),
        );
    }
    table
}
