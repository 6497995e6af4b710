//! `pinfold schema`: whether outputs can be constrained by a schema, and whether values satisfy it.

mod cases;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use pinfold::constraint::Grammars;
use pinfold::{Constraint, Error, Tokenizer};
use serde_json::{Value, json};

use crate::input;
use crate::options::{Located, locate};
use crate::output::{self, Exit, Failure};
use crate::pins::PinArgs;

const HELP: &str = "\
Examples:
  pinfold schema check person.schema.json
  pinfold schema check person.schema.json --instance ada.json
  pinfold schema check --cases maskbench.jsonl --model model.gguf --json";

const CHECK_HELP: &str = "\
A schema is compiled for the vocabulary of a checkpoint, as `pinfold run --schema` does; what cannot be enforced is an \
error. An instance must be valid, and each of its tokens allowed.

Each line of a file of cases is {\"schema\": ..., \"tests\": [{\"data\": ..., \"valid\": true}, ...]}, as in MaskBench. \
Each `data` is written in two ways, with and without a space after commas and colons. The counts are those of MaskBench, \
one for each schema:
  compile_errors        the schema was refused
  validation_errors     a valid instance was refused
  invalidation_errors   an invalid instance was let through
  passing               none of these

Examples:
  pinfold schema check person.schema.json --instance ada.json
  pinfold schema check --cases maskbench.jsonl --model model.gguf --json";

/// Check JSON Schemas
#[derive(Args)]
#[command(after_help = HELP)]
pub struct SchemaCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Check(CheckArgs),
}

/// Check whether outputs can be constrained by a schema
#[derive(Args)]
#[command(after_help = CHECK_HELP)]
struct CheckArgs {
    /// The file of the schema
    #[arg(required_unless_present = "cases", conflicts_with = "cases")]
    schema: Option<PathBuf>,

    /// A file of a JSON value that must satisfy the schema
    #[arg(long, value_name = "FILE", conflicts_with = "cases")]
    instance: Option<PathBuf>,

    /// Count over a file of schemas with valid and invalid instances, one schema a line
    #[arg(long, value_name = "FILE")]
    cases: Option<PathBuf>,

    /// The checkpoint whose vocabulary is used: a name or a GGUF file, which needs no weights
    #[arg(long, visible_alias = "tokenizer", value_name = "MODEL", default_value = "intent")]
    model: OsString,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    pins: PinArgs,
}

impl SchemaCommand {
    pub fn json(&self) -> bool {
        let Action::Check(args) = &self.action;
        args.json
    }
}

pub fn schema(command: &SchemaCommand) -> Result<Exit, Failure> {
    let Action::Check(args) = &command.action;
    let tokenizer = tokenizer(args)?;
    let grammars = Grammars::new(tokenizer.vocabulary())?;
    match (&args.cases, &args.schema) {
        (Some(cases), _) => cases::count(cases, &tokenizer, &grammars, args.json),
        (None, Some(schema)) => one(args, schema, &tokenizer, &grammars),
        (None, None) => Err(Failure::usage("there is no schema")),
    }
}

fn tokenizer(args: &CheckArgs) -> Result<Tokenizer, Failure> {
    Ok(match locate(&args.model, &args.pins)? {
        Located::Embedded(embedded) => Tokenizer::load_bytes(embedded.name, embedded.bytes)?,
        Located::Pinned(pinned) => Tokenizer::load(pinned.path)?,
        Located::File(path) => Tokenizer::load(path)?,
    })
}

fn one(args: &CheckArgs, path: &Path, tokenizer: &Tokenizer, grammars: &Grammars) -> Result<Exit, Failure> {
    let constraint = Constraint::JsonSchema(input::json_file(path)?);
    let masks = grammars.compile(&constraint)?;
    if let Some(instance) = &args.instance {
        let value = input::json_file(instance)?;
        constraint.parse(&value.to_string())?;
        let walk = cases::walk(masks, tokenizer, &value.to_string())?;
        if !walk.accepted {
            let reason =
                "it satisfies the schema, but the tokens of its compact form are not allowed in this order";
            return Err(Error::BadOutput { reason: reason.into(), text: String::new() }.into());
        }
    }
    let valid = args.instance.as_ref().map(|_| true);
    match args.json {
        true => output::print_json(&json!({ "compiles": true, "valid": valid }))?,
        false if args.instance.is_some() => output::print("the instance satisfies the schema\n")?,
        false => output::print("outputs can be constrained by this schema\n")?,
    }
    Ok(Exit::Done)
}

/// A value as Python's `json.dumps` writes it: a space after each comma and colon.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{}: {}", json!(name), spaced(value));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}
