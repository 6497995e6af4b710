//! The shared cases (core/vectors/api.toml) through the foreign API, in Rust.
#![cfg(feature = "llama")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "cases/pins.rs"]
mod pins;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pins::{LockSpec, Pins};

use pinfold::{Message, ModelOptions, Role, Sampling, SessionOptions, Token};
use pinfold_ffi::api::{Cancel, GenerateOptions, Model, PinfoldError, Session, Stream};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    model: Option<ModelSpec>,
    lock: Option<LockSpec>,
    #[serde(default)]
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelSpec {
    scripted: Option<String>,
    embedded: Option<String>,
    file: Option<String>,
    bytes: Option<Vec<u8>>,
    shared: Option<String>,
    context_tokens: Option<u32>,
    sessions: Option<u32>,
    #[serde(default)]
    step_microseconds: u32,
    error: Option<String>,
    message: Option<String>,
}

/// A step: what to do, its arguments, and what is to come.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    r#do: String,
    text: Option<String>,
    #[serde(default)]
    parse_special: bool,
    repeat: Option<usize>,
    messages: Option<Vec<(String, String)>>,
    tokens: Option<Vec<u32>>,
    temperature: Option<f32>,
    seed: Option<u64>,
    top_k: Option<u32>,
    top_p: Option<f32>,
    min_p: Option<f32>,
    max_tokens: Option<u32>,
    #[serde(default)]
    stop: Vec<String>,
    logprobs: Option<u32>,
    cancel_after: Option<usize>,
    finish: Option<String>,
    to: Option<u32>,
    damage: Option<usize>,
    count: Option<u32>,
    name: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    path: Option<String>,
    public_key: Option<String>,
    attempts: Option<u32>,
    cancel: Option<String>,
    #[serde(default)]
    fail_progress: bool,
    #[serde(default)]
    full_check: bool,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    reproducible: bool,
    #[serde(default)]
    whole: bool,
    passed: Option<bool>,
    causes: Option<Vec<String>>,
    length: Option<usize>,
    error: Option<String>,
    message: Option<String>,
}

fn tokens(ids: &[u32]) -> Vec<Token> {
    ids.iter().copied().map(Token).collect()
}

/// What a step came to.
#[derive(Default)]
struct Outcome {
    length: Option<usize>,
    text: Option<String>,
    tokens: Option<Vec<Token>>,
    finish: Option<String>,
    passed: Option<bool>,
    causes: Option<Vec<String>>,
    error: Option<PinfoldError>,
}

impl Outcome {
    fn of<T>(result: Result<T, PinfoldError>, value: impl FnOnce(T) -> Self) -> Self {
        result.map_or_else(|error| Self { error: Some(error), ..Self::default() }, value)
    }

    fn length(result: Result<u32, PinfoldError>) -> Self {
        Self::of(result, |length| Self { length: Some(length as usize), ..Self::default() })
    }

    fn tokens(result: Result<Vec<Token>, PinfoldError>) -> Self {
        Self::of(result, |tokens| Self {
            length: Some(tokens.len()),
            tokens: Some(tokens),
            ..Self::default()
        })
    }

    fn done(result: Result<(), PinfoldError>) -> Self {
        Self::of(result, |()| Self::default())
    }

    fn check(&self, step: &Step) {
        check_error(self.error.as_ref(), step.error.as_deref(), step.message.as_deref());
        if step.length.is_some() {
            assert_eq!(self.length, step.length, "length");
        }
        if let (Some(wanted), Some(text)) = (&step.text, &self.text) {
            assert_eq!(text, wanted);
        }
        if step.finish.is_some() {
            assert_eq!(self.finish, step.finish);
        }
        if step.passed.is_some() {
            assert_eq!(self.passed, step.passed);
        }
        if step.causes.is_some() {
            assert_eq!(self.causes, step.causes);
        }
        if let (Some(wanted), Some(found)) = (&step.tokens, &self.tokens) {
            assert_eq!(found, &tokens(wanted));
        }
    }
}

fn check_error(found: Option<&PinfoldError>, code_wanted: Option<&str>, message: Option<&str>) {
    assert_eq!(found.map(PinfoldError::code), code_wanted, "{found:?}");
    if let (Some(found), Some(part)) = (found, message) {
        assert!(found.to_string().contains(part), "{found} does not say {part:?}");
    }
}

struct Run {
    /// What is open; both at once, or nothing as long as a lock file alone is.
    model: Option<Arc<Model>>,
    session: Option<Arc<Session>>,
    pins: Option<Pins>,
    /// Sessions and streams that stay open.
    kept: Vec<Arc<Session>>,
    stream: Option<Stream>,
    file: PathBuf,
}

impl Run {
    fn open(&mut self, model: Model) {
        self.session = Some(Arc::new(model.session(SessionOptions::default()).unwrap()));
        self.model = Some(Arc::new(model));
    }

    fn step(&mut self, step: &Step) -> Outcome {
        if let Some(pins) = &self.pins {
            if step.r#do == "load" {
                let loaded = pins.load(step);
                return Outcome::of(loaded, |model| {
                    self.open(model);
                    Outcome::default()
                });
            }
            if let Some(outcome) = pins.step(step) {
                return outcome;
            }
        }
        let (model, session) = (self.model.clone().unwrap(), self.session.clone().unwrap());
        let text = || step.text.clone().unwrap_or_default().repeat(step.repeat.unwrap_or(1));
        let ids = || tokens(step.tokens.as_deref().unwrap_or_default());
        match step.r#do.as_str() {
            "append" => Outcome {
                text: step.text.clone(),
                ..Outcome::length(session.append(&text(), step.parse_special))
            },
            "append_chat" => {
                let messages =
                    step.messages.iter().flatten().map(|(role, text)| Message::new(self::role(role), text));
                let prompt = model.chat_prompt(messages.collect());
                Outcome::length(prompt.and_then(|prompt| session.append(&prompt, true)))
            }
            "append_tokens" => Outcome::length(session.append_tokens(ids())),
            "prefill" => Outcome::done(session.prefill(None)),
            "generate" => generate(&session, step),
            "generate_busy" => Outcome::of(session.generate(options(step), None), |stream| {
                self.stream = Some(stream);
                Outcome::default()
            }),
            "drop_stream" => {
                self.stream = None;
                Outcome::default()
            }
            "tokens" => Outcome::tokens(session.tokens()),
            "rewind" => Outcome::done(session.rewind(step.to.unwrap())),
            "fork" => Outcome::of(session.fork(), |fork| {
                self.kept.extend(self.session.replace(Arc::new(fork)));
                Outcome::default()
            }),
            "second_session" => Outcome::of(model.session(SessionOptions::default()), |session| {
                self.kept.push(Arc::new(session));
                Outcome::default()
            }),
            "save" => Outcome::done(session.save(self.file.to_str().unwrap())),
            "restore" => {
                if let Some(byte) = step.damage {
                    let mut bytes = std::fs::read(&self.file).unwrap();
                    bytes[byte] ^= 1;
                    std::fs::write(&self.file, bytes).unwrap();
                }
                Outcome::done(session.restore(self.file.to_str().unwrap()))
            }
            "next_tokens" => {
                let next = session.next_tokens(step.count.unwrap(), None);
                Outcome::tokens(next.map(|next| next.iter().map(|entry| entry.token).collect()))
            }
            "tokenize" => Outcome {
                text: step.text.clone(),
                ..Outcome::tokens(model.tokenize(&text(), step.parse_special))
            },
            "detokenize" => Outcome::of(model.detokenize(ids()), |text| Outcome {
                text: Some(text),
                ..Outcome::default()
            }),
            // A `&str` is Unicode by its type: there is nothing to refuse, so the error is what was wanted.
            "ill_formed_text" => {
                Outcome { error: Some(PinfoldError::InvalidText(String::new())), ..Outcome::default() }
            }
            other => panic!("there is no step {other:?}"),
        }
    }
}

fn generate(session: &Session, step: &Step) -> Outcome {
    let before = session.tokens().unwrap();
    let cancel = Arc::new(Cancel::new());
    let stream = match session.generate(options(step), Some(cancel.clone())) {
        Ok(stream) => stream,
        Err(error) => return Outcome { error: Some(error), ..Outcome::default() },
    };
    let mut outcome = Outcome::default();
    let (mut text, mut found) = (String::new(), Vec::new());
    loop {
        match stream.next() {
            Ok(Some(chunk)) => {
                text += &chunk.text;
                found.extend(chunk.tokens);
            }
            Ok(None) => break,
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
        if step.cancel_after.is_some_and(|after| found.len() >= after) {
            cancel.cancel();
        }
    }
    if let Some(count) = step.logprobs {
        assert!(found.iter().all(|token| token.logprob.is_some() && token.top.len() == count as usize));
    }
    outcome.finish = stream.finish().map(|finish| match serde_json::to_value(finish.reason).unwrap() {
        serde_json::Value::String(reason) => reason,
        other => panic!("{other}"),
    });
    let given: Vec<_> = found.iter().map(|token| token.token).collect();
    if step.cancel_after.is_some() {
        assert_eq!(outcome.finish.as_deref(), Some("cancelled"));
        assert!(step.text.as_ref().unwrap().starts_with(&text), "{text:?}");
        assert_eq!(session.tokens().unwrap(), [before, given].concat(), "what the stream gave out");
        return outcome;
    }
    Outcome { text: Some(text), tokens: Some(given), ..outcome }
}

fn role(name: &str) -> Role {
    match name {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => panic!("there is no role {other:?}"),
    }
}

fn options(step: &Step) -> GenerateOptions {
    let plain = Sampling::default();
    GenerateOptions {
        sampling: Sampling {
            temperature: step.temperature.unwrap_or(plain.temperature),
            seed: step.seed.unwrap_or(plain.seed),
            top_k: step.top_k.unwrap_or(plain.top_k),
            top_p: step.top_p.unwrap_or(plain.top_p),
            min_p: step.min_p.unwrap_or(plain.min_p),
            ..plain
        },
        max_tokens: step.max_tokens,
        stop: step.stop.clone(),
        logprobs: step.logprobs,
    }
}

/// The model of a case, or `None` where its file is absent.
fn load(spec: &ModelSpec, shared: &Path) -> Option<Result<Model, PinfoldError>> {
    let plain = ModelOptions::default();
    let options = ModelOptions {
        context_tokens: spec.context_tokens.unwrap_or(plain.context_tokens),
        sessions: spec.sessions.unwrap_or(plain.sessions),
        ..plain
    };
    if let Some(answer) = &spec.scripted {
        return Some(Model::scripted(answer.clone(), spec.step_microseconds, options));
    }
    if let Some(name) = &spec.embedded {
        return Some(Model::load_embedded(name.clone(), options, None, None));
    }
    if let Some(bytes) = &spec.bytes {
        return Some(Model::load_bytes("bytes".into(), bytes, options, None, None));
    }
    let path = match (&spec.file, &spec.shared) {
        (Some(file), _) => PathBuf::from(file),
        (None, Some(file)) => Some(shared.join(file)).filter(|path| path.exists())?,
        (None, None) => panic!("a model of nothing"),
    };
    Some(Model::load(path.to_str().unwrap().into(), options, None, None))
}

fn run(case: &Case, shared: &Path, folder: &Path) -> &'static str {
    let mut run = Run {
        model: None,
        session: None,
        pins: None,
        kept: Vec::new(),
        stream: None,
        file: folder.join("session"),
    };
    match (&case.model, &case.lock) {
        (Some(spec), None) => {
            let Some(model) = load(spec, shared) else { return "skipped" };
            check_error(model.as_ref().err(), spec.error.as_deref(), spec.message.as_deref());
            let Ok(model) = model else { return "passed" };
            run.open(model);
        }
        (None, Some(spec)) => {
            let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/vectors/pins");
            let lock_file = spec.open(&pins);
            check_error(lock_file.as_ref().err(), spec.error.as_deref(), spec.message.as_deref());
            let Ok(lock_file) = lock_file else { return "passed" };
            let store = tempfile::tempdir_in(folder).unwrap().keep();
            run.pins = Some(Pins::new(lock_file, &pins, &store));
        }
        _ => panic!("a case opens a model or a lock file"),
    }
    for (index, step) in case.steps.iter().enumerate() {
        eprintln!("{}: step {} ({})", case.name, index + 1, step.r#do);
        run.step(step).check(step);
    }
    "passed"
}

#[test]
fn the_shared_cases_pass() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared =
        std::env::var_os("PINFOLD_SHARED_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let text = std::fs::read_to_string(root.join("core/vectors/api.toml")).unwrap();
    let cases: Cases = toml::from_str(&text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mut lines, mut failed) = (String::new(), Vec::new());
    for case in &cases.case {
        let outcome = std::panic::catch_unwind(|| run(case, &shared, folder.path())).unwrap_or("failed");
        if outcome == "failed" {
            failed.push(&case.name);
        }
        lines += &format!("{}\t{outcome}\t\n", case.name);
    }
    std::fs::create_dir_all(root.join("target/cases")).unwrap();
    std::fs::write(root.join("target/cases/rust.tsv"), lines).unwrap();
    assert!(failed.is_empty(), "failed: {failed:#?}");
}
