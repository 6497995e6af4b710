//! `pinfold prompt`: prompt files.

pub mod given;
mod render;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use pinfold::PromptFile;
use pinfold::prompt::Warning;
use serde::Serialize;

use crate::output::{self, Exit, Failure};

const CHECK_HELP: &str = "\
A file is read with its partials: front matter, schemas, body. Whatever is not understood is an error with its line and \
column, and the exit code is 1.

Examples:
  pinfold prompt check prompts/*.prompt
  pinfold prompt check greet.prompt --json | jq -r '.files[] | select(.error) | .error.message'";

const LINT_HELP: &str = "\
What is not wrong, but may not be meant: values in system messages, roles that a variable gives, three braces, variables \
that are declared and not used, partials (they are trusted), JSON without a schema. Each warning has a code that stays \
the same. The exit code is 0, with --deny 1 if there is a warning.

Examples:
  pinfold prompt lint prompts/*.prompt
  pinfold prompt lint greet.prompt --deny
  pinfold prompt lint greet.prompt --json | jq -r '.warnings[].code'";

/// Check, render and lint prompt files (Dotprompt)
#[derive(Args)]
pub struct PromptCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Read prompt files, and say what is wrong with them
    #[command(after_help = CHECK_HELP)]
    Check(FileArgs),

    /// Show the messages that a prompt file makes of values
    Render(render::RenderArgs),

    /// Say what in prompt files may not be meant
    #[command(after_help = LINT_HELP)]
    Lint(LintArgs),
}

#[derive(Args)]
struct FileArgs {
    /// Prompt files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct LintArgs {
    #[command(flatten)]
    files: FileArgs,

    /// A warning is a failure
    #[arg(long)]
    deny: bool,
}

impl PromptCommand {
    pub fn json(&self) -> bool {
        match &self.action {
            Action::Check(args) => args.json,
            Action::Render(args) => args.json,
            Action::Lint(args) => args.files.json,
        }
    }
}

pub fn prompt(command: &PromptCommand) -> Result<Exit, Failure> {
    match &command.action {
        Action::Check(args) => check(args),
        Action::Render(args) => render::render(args),
        Action::Lint(args) => lint(args),
    }
}

#[derive(Serialize)]
struct Checked<'a> {
    path: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
}

fn check(args: &FileArgs) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut files = Vec::new();
    for path in &args.files {
        let (digest, variables, error) = match PromptFile::open(path) {
            Ok(prompt) => {
                if !args.json {
                    output::print(&format!("{}: {}\n", path.display(), facts(&prompt)))?;
                }
                (Some(prompt.digest().to_string()), Some(prompt.variables()), None)
            }
            Err(error) => {
                let failure = Failure::from(error);
                if !args.json {
                    failure.report(false);
                }
                exit = failure.exit;
                (None, None, Some(failure))
            }
        };
        files.push(Checked { path, digest, variables, error });
    }
    if args.json {
        output::print_json(&serde_json::json!({ "files": files }))?;
    }
    Ok(exit)
}

/// What there is in a prompt, in a line.
fn facts(prompt: &PromptFile) -> String {
    let variables = match prompt.variables() {
        names if names.is_empty() => "no variables".to_owned(),
        names => format!("variables {}", output::excerpt(&names.join(", "), 200)),
    };
    let output = if prompt.output_schema().is_some() { ", output by schema" } else { "" };
    let model = prompt.model().map(|model| format!(", model {}", output::excerpt(model, 80)));
    format!("ok: {variables}{output}{}", model.unwrap_or_default())
}

fn lint(args: &LintArgs) -> Result<Exit, Failure> {
    let mut warnings: Vec<Warning> = Vec::new();
    let mut exit = Exit::Done;
    for path in &args.files.files {
        match PromptFile::open(path) {
            Ok(prompt) => warnings.extend(prompt.lint()),
            // With JSON there is one object: the first failure's.
            Err(error) if args.files.json => return Err(error.into()),
            Err(error) => {
                let failure = Failure::from(error);
                failure.report(false);
                exit = failure.exit;
            }
        }
    }
    if args.files.json {
        output::print_json(&serde_json::json!({ "warnings": warnings }))?;
    } else {
        for warning in &warnings {
            output::print(&format!("{warning}\n"))?;
        }
    }
    Ok(if args.deny && !warnings.is_empty() && exit == Exit::Done { Exit::Failed } else { exit })
}
