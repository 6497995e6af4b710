//! Corrupted checkpoints end in an error or in a model that runs, never in a dead process.
//!
//! Every file is tried in a child process: this test's own program, told by an environment variable to be a
//! worker. A worker that dies is counted and replaced, and the work goes on behind the file that it died of.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use common::gguf::Gguf;
use common::hostile;
use common::mutate::{Seeded, mutate};
use pinfold::Error;
#[cfg(not(feature = "llama"))]
use pinfold::checkpoint;
use pinfold::checkpoint::Header;

/// Set for a worker: it reads paths of files, one in a line, and answers each with one line.
const WORKER: &str = "PINFOLD_CORRUPTIONS_WORKER";
/// How long a file may take; most take milliseconds.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many mutations are tried instead of the default.
const COUNT: &str = "PINFOLD_CORRUPTIONS";

/// What is done with each file: it is loaded, a text is tokenized, and eight tokens are generated.
#[cfg(feature = "llama")]
fn run_one(path: &Path) -> Result<(), Error> {
    use pinfold::{GenerateOptions, Model, ModelOptions, Offload, Special};
    let options = ModelOptions {
        context_tokens: 128,
        sessions: 1,
        threads: 1,
        offload: Offload::cpu_only(),
        ..ModelOptions::default()
    };
    let model = Model::load(path, &options)?;
    let text = "Once upon a time,\n\u{1}\t<s> h\u{e9}llo \u{4e2d}\u{1f600}";
    for special in [Special::Parse, Special::Plain] {
        model.tokenize(text, special)?;
    }
    let options = GenerateOptions { max_tokens: Some(8), ..GenerateOptions::default() };
    model.session()?.complete(text, &options).map(drop)
}

#[cfg(not(feature = "llama"))]
fn run_one(path: &Path) -> Result<(), Error> {
    checkpoint::open(path).map(drop)
}

fn answer(path: &Path) -> String {
    match run_one(path) {
        Ok(()) => "ran".into(),
        Err(Error::BadCheckpoint { defect, .. }) => format!("refused: {}", defect.code()),
        // Of other errors only the variant, which is what a caller sees.
        Err(other) => format!("error: {}", format!("{other:?}").split([' ', '(', '{']).next().unwrap_or("?")),
    }
}

/// Not a test of its own: the body of a worker process.
#[test]
fn worker() {
    if std::env::var_os(WORKER).is_none() {
        return;
    }
    // One that hangs counts as dead too.
    let (sender, beats) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        while beats.recv().is_ok() {
            if beats.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                std::process::abort();
            }
        }
    });
    let mut output = std::io::stdout();
    for line in std::io::stdin().lines() {
        sender.send(()).unwrap();
        let answer = answer(Path::new(&line.unwrap()));
        sender.send(()).unwrap();
        writeln!(output, "\n@{answer}").and_then(|()| output.flush()).unwrap();
    }
}

struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["worker", "--exact", "--nocapture", "--test-threads=1"])
            .env(WORKER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// The worker's answer; `None` if it died.
    fn ask(&mut self, path: &Path) -> Option<String> {
        writeln!(self.input, "{}", path.display()).and_then(|()| self.input.flush()).ok()?;
        let mut line = String::new();
        while self.output.read_line(&mut line).ok()? > 0 {
            if let Some(answer) = line.trim_end().strip_prefix('@') {
                return Some(answer.to_owned());
            }
            line.clear();
        }
        None
    }
}

/// Tries files and counts what becomes of them.
struct Trial {
    worker: Worker,
    file: tempfile::NamedTempFile,
    counts: BTreeMap<String, usize>,
    deaths: Vec<String>,
}

impl Trial {
    fn new() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        Self { worker: Worker::start(), file, counts: BTreeMap::new(), deaths: Vec::new() }
    }

    fn try_bytes(&mut self, what: &str, bytes: &[u8]) -> String {
        std::fs::write(self.file.path(), bytes).unwrap();
        let answer = self.worker.ask(self.file.path()).unwrap_or_else(|| {
            let mut dead = std::mem::replace(&mut self.worker, Worker::start());
            drop(dead.input);
            let status = dead.child.wait().unwrap();
            self.deaths.push(format!("{what}: {status}"));
            "died".into()
        });
        *self.counts.entry(answer.clone()).or_default() += 1;
        answer
    }

    /// Prints the counts, and fails if a worker died.
    fn finish(self, what: &str) {
        let total: usize = self.counts.values().sum();
        println!("{what}: {total} files");
        for (answer, count) in &self.counts {
            println!("{count:>8} {answer}");
        }
        assert!(
            self.deaths.is_empty(),
            "{} of {total} killed the process:\n{}",
            self.deaths.len(),
            self.deaths.join("\n")
        );
    }
}

fn count(default: u64) -> u64 {
    std::env::var(COUNT).ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

#[test]
fn mutations_of_a_real_checkpoint() {
    let Some(path) = common::shared("checkpoints/stories260K.gguf") else { return };
    let bytes = std::fs::read(path).unwrap();
    let header = Header::from_bytes(&bytes).unwrap().data_offset as usize;
    let mut trial = Trial::new();
    assert_eq!(trial.try_bytes("the file itself", &bytes), "ran");
    for seed in 0..count(4000) {
        let mut bytes = bytes.clone();
        let change = mutate(&mut bytes, header, seed);
        trial.try_bytes(&format!("seed {seed}: {change}"), &bytes);
    }
    trial.finish("mutations of stories260K.gguf");
}

#[test]
fn prefixes() {
    let mut trial = Trial::new();
    let bytes = Gguf::tiny_llama().bytes();
    // The test of the preflight takes every one of them; the process need not be asked so often.
    for end in (0..bytes.len()).step_by(13) {
        let answer = trial.try_bytes(&format!("{end} bytes"), &bytes[..end]);
        assert!(answer != "ran", "{end} of {} bytes", bytes.len());
    }
    assert_eq!(trial.try_bytes("the whole file", &bytes), "ran");
    if let Some(path) = common::shared("checkpoints/stories260K.gguf") {
        let bytes = std::fs::read(path).unwrap();
        let mut random = Seeded::new(7);
        for _ in 0..200 {
            let end = random.below(bytes.len());
            let answer = trial.try_bytes(&format!("{end} bytes of stories260K.gguf"), &bytes[..end]);
            assert!(answer != "ran", "{end} of {} bytes", bytes.len());
        }
    }
    trial.finish("prefixes");
}

/// Every known key with every hostile value; and two of them at a time, seeded.
#[test]
fn hostile_metadata() {
    let mut trial = Trial::new();
    for (what, gguf) in hostile::single_keys().chain((0..count(2000)).map(hostile::pair_of_keys)) {
        trial.try_bytes(&what, &gguf.bytes());
    }
    trial.finish("hostile metadata");
}

#[test]
fn hostile_tensors() {
    let mut trial = Trial::new();
    for (what, gguf) in hostile::tensors() {
        trial.try_bytes(&what, &gguf.bytes());
    }
    trial.finish("hostile tensors");
}
