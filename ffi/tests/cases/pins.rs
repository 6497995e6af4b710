//! The steps of a case that opens a lock file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use pinfold::{Digest, ModelOptions};
use pinfold_ffi::api::{
    CallbackError, Cancel, LockFile, Model, PinfoldError, PinnedFile, PullOptions, PullProgress, Store,
    StoreOptions, StoreProgress, VerifyOptions, VerifyProgress,
};
use serde::Deserialize;

use super::{Outcome, Step};

/// How a case opens its lock file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockSpec {
    file: Option<String>,
    public_key: Option<String>,
    bytes_of: Option<String>,
    find: Option<String>,
    pub error: Option<String>,
    pub message: Option<String>,
}

impl LockSpec {
    pub fn open(&self, folder: &Path) -> Result<LockFile, PinfoldError> {
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        match (&self.file, &self.bytes_of, &self.find) {
            (Some(file), ..) => match &self.public_key {
                Some(key) => LockFile::open_signed(&path(file), key),
                None => LockFile::open(&path(file)),
            },
            (_, Some(file), _) => {
                LockFile::open_bytes(&path("embedded.lock"), &fs::read(folder.join(file)).unwrap())
            }
            (_, _, Some(inside)) => LockFile::find(&path(inside)),
            _ => panic!("a lock file of nothing"),
        }
    }
}

/// A lock file, and a store for this case alone.
pub struct Pins {
    pub lock_file: LockFile,
    pub store: Store,
    /// Of the lock file.
    pub folder: PathBuf,
}

impl Pins {
    pub fn new(lock_file: LockFile, folder: &Path, store: &Path) -> Self {
        let options = StoreOptions { root: Some(store.to_str().unwrap().into()), quota: None };
        Self { lock_file, store: Store::open(options).unwrap(), folder: folder.to_owned() }
    }

    pub fn load(&self, step: &Step) -> Result<Model, PinfoldError> {
        let options = ModelOptions { reproducible: step.reproducible, ..ModelOptions::default() };
        self.lock_file.load(name(step), &self.store, options, None, None)
    }

    /// What a step comes to; `None` if it is no step of a lock file.
    pub fn step(&self, step: &Step) -> Option<Outcome> {
        let Self { lock_file, store, .. } = self;
        Some(match step.r#do.as_str() {
            "checkpoints" => text(lock_file.checkpoints().iter().map(|pin| {
                let template = pin.chat_template_digest.as_ref().map_or("no template", |_| "template");
                let signed = if pin.signed { "signed" } else { "unsigned" };
                let facts = [&pin.name, &pin.architecture, &pin.quantization, &pin.licence, &pin.sources[0]];
                let facts = facts.map(String::as_str).join(" ");
                format!("{facts} {} {signed} {template}", pin.context_length)
            })),
            "adapters" => text(lock_file.adapters().iter().map(|pin| {
                let facts = [&pin.name, &pin.architecture, &pin.base, &pin.licence, &pin.sources[0]];
                facts.map(String::as_str).join(" ")
            })),
            "goldens" => {
                text(lock_file.goldens().iter().map(|pin| format!("{} {}", pin.name, pin.checkpoint)))
            }
            "sampling" => Outcome::of(lock_file.sampling(name(step)), |found| {
                let wanted = (step.temperature.unwrap(), step.seed.unwrap(), step.top_k.unwrap());
                assert_eq!((found.temperature, found.seed, found.top_k), wanted);
                Outcome::default()
            }),
            "resolve" => {
                let file = lock_file.resolve(name(step), store, step.full_check);
                Outcome::of(file, |file| self.is_pinned(&file))
            }
            "pull" => self.pull(step),
            "check_signature" => {
                let key = step.public_key.as_ref().unwrap();
                Outcome::done(lock_file.check_signature(name(step), store, key))
            }
            "verify" => self.verify(step),
            "entries" => Outcome::of(store.entries(), |entries| count(entries.len())),
            "remove" => Outcome::of(store.remove(&self.digest(step)), |removed| count(removed.into())),
            "collect" => Outcome::of(store.collect(step.dry_run), |found| count(found.removed.len())),
            "verify_store" => {
                let watch = Watch::new(step);
                let damaged = store.verify(Vec::new(), Some(watch.clone()), Some(watch.cancel.clone()));
                Outcome::of(damaged, |damaged| count(damaged.len()))
            }
            "import_file" => {
                let path = self.folder.join(step.path.as_ref().unwrap());
                let expected = step.name.as_ref().map(|_| self.digest(step));
                let imported = store.import_file(path.to_str().unwrap(), expected, None, None);
                Outcome::of(imported, |digest| {
                    assert_eq!(digest, Digest::of_file(&path).unwrap().to_string());
                    Outcome::default()
                })
            }
            "damage_stored" => {
                let digest = self.digest(step);
                let entries = store.entries().unwrap();
                let path = PathBuf::from(&entries.iter().find(|entry| entry.digest == digest).unwrap().path);
                let mut bytes = fs::read(&path).unwrap();
                bytes[step.damage.unwrap()] ^= 1;
                fs::remove_file(&path).unwrap();
                fs::write(&path, bytes).unwrap();
                Outcome::default()
            }
            _ => return None,
        })
    }

    fn pull(&self, step: &Step) -> Outcome {
        let watch = Watch::new(step);
        let attempts = step.attempts.unwrap_or(PullOptions::default().attempts);
        let options = PullOptions { attempts, ..PullOptions::default() };
        let cancel = Some(watch.cancel.clone());
        let file = self.lock_file.pull(name(step), &self.store, options, Some(watch.clone()), cancel);
        Outcome::of(file, |file| {
            if step.whole {
                let pins = self.lock_file.checkpoints();
                let size = pins.iter().find(|pin| pin.name == name(step)).unwrap().size;
                assert_eq!(*watch.last.lock().unwrap(), Some((size, size)));
            }
            assert!(file.path.starts_with(&self.store.root()));
            self.is_pinned(&file)
        })
    }

    fn verify(&self, step: &Step) -> Outcome {
        let watch = Watch::new(step);
        let names = step.names.clone();
        let options = VerifyOptions { names, threads: 1, ..VerifyOptions::default() };
        let cancel = Some(watch.cancel.clone());
        let report = self.lock_file.verify(&self.store, options, Some(watch), cancel);
        Outcome::of(report, |report| {
            let files = report.files.iter().flat_map(|file| file.causes.iter().copied());
            let goldens = report.goldens.iter().filter_map(|golden| golden.cause);
            let causes = files.chain(goldens).map(|cause| serde_json::to_value(cause).unwrap());
            let causes = causes.map(|cause| cause.as_str().unwrap().to_owned()).collect();
            Outcome { passed: Some(report.passed), causes: Some(causes), ..Outcome::default() }
        })
    }

    fn is_pinned(&self, file: &PinnedFile) -> Outcome {
        assert_eq!(file.digest, Digest::of_file(&file.path).unwrap().to_string());
        Outcome::default()
    }

    /// The digest that the checkpoint of a step is pinned to.
    fn digest(&self, step: &Step) -> String {
        let pins = self.lock_file.checkpoints();
        pins.into_iter().find(|pin| pin.name == name(step)).unwrap().digest
    }
}

fn name(step: &Step) -> &str {
    step.name.as_ref().unwrap()
}

fn count(length: usize) -> Outcome {
    Outcome { length: Some(length), ..Outcome::default() }
}

fn text(lines: impl Iterator<Item = String>) -> Outcome {
    Outcome { text: Some(lines.collect::<Vec<_>>().join("\n")), ..Outcome::default() }
}

/// Hears of the work of a step, and stops it as the step says.
struct Watch {
    cancel: Arc<Cancel>,
    cancels: bool,
    fails: bool,
    last: Mutex<Option<(u64, u64)>>,
}

impl Watch {
    fn new(step: &Step) -> Arc<Self> {
        let cancel = Arc::new(Cancel::new());
        if step.cancel.as_deref() == Some("before") {
            cancel.cancel();
        }
        let cancels = step.cancel.as_deref() == Some("progress");
        Arc::new(Self { cancel, cancels, fails: step.fail_progress, last: Mutex::default() })
    }

    fn hear(&self, done: u64, total: u64) -> Result<(), CallbackError> {
        *self.last.lock().unwrap() = Some((done, total));
        if self.cancels {
            self.cancel.cancel();
        }
        if self.fails { Err(CallbackError::Failed) } else { Ok(()) }
    }
}

impl PullProgress for Watch {
    fn pulled(&self, _: String, done: u64, total: u64) -> Result<(), CallbackError> {
        self.hear(done, total)
    }
}

impl VerifyProgress for Watch {
    fn verified(&self, _: String, done: u32, total: u32) -> Result<(), CallbackError> {
        self.hear(done.into(), total.into())
    }
}

impl StoreProgress for Watch {
    fn processed(&self, done: u64, total: u64) -> Result<(), CallbackError> {
        self.hear(done, total)
    }
}
