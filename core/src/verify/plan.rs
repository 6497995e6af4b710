//! What is verified, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{CheckedCheckpoint, Files, why_not};
use super::golden::{self, Changed};
use super::report::{another_preset, changed_fields};
use super::{Cause, GoldenOutcome, GoldenReport, VerifyOptions, VerifyReport, VerifyWatch};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::lock::{Golden, Lock, LockFile, Pinned};
use crate::model::{Model, ModelOptions};
use crate::store::Store;

/// Loads a checkpoint.
pub(super) type Load<'a> = dyn Fn(&Pinned, &ModelOptions, &Cancel) -> Result<Model> + 'a;

/// What goldens are recorded and replayed with.
pub(super) fn model_options(context_tokens: u32, threads: u32) -> ModelOptions {
    ModelOptions { context_tokens, sessions: 1, threads, reproducible: true, ..ModelOptions::default() }
}

#[cfg(feature = "llama")]
pub(super) fn load(pinned: &Pinned, options: &ModelOptions, cancel: &Cancel) -> Result<Model> {
    let watch = crate::model::LoadWatch { cancel: cancel.clone(), progress: None };
    Model::load_pinned(pinned, options, watch)
}

#[cfg(not(feature = "llama"))]
pub(super) fn load(_: &Pinned, _: &ModelOptions, _: &Cancel) -> Result<Model> {
    Err(Error::Unsupported { what: "goldens in a build without llama.cpp".to_owned() })
}

/// See [`super::verify`].
pub(super) fn verify(
    lock: &LockFile,
    store: &Store,
    options: &VerifyOptions,
    watch: VerifyWatch<'_>,
    load: &Load<'_>,
) -> Result<VerifyReport> {
    golden::check_tolerance(options.tolerance)?;
    let names = Names::choose(lock, &options.names)?;
    let total = names.checkpoints.len() + names.adapters.len() + names.goldens.len();
    let files = Files { lock, store, check: options.check, cancel: watch.cancel.clone() };
    let mut progress = Progress { watch, done: 0, total: total as u32 };
    let contents = lock.lock();

    let mut checked = BTreeMap::new();
    for &name in &names.checkpoints {
        progress.next(name)?;
        if let Some(pin) = contents.checkpoints.get(name) {
            checked.insert(name, files.checkpoint(name, pin)?);
        }
    }
    let mut reports = Vec::new();
    for &name in &names.adapters {
        progress.next(name)?;
        if let Some(pin) = contents.adapters.get(name) {
            let base = checked.get(pin.base.as_str()).and_then(|base| base.usable.as_ref());
            reports.push(files.adapter(name, pin, base)?);
        }
    }
    let mut replays = Replays { lock: contents, options, load, reports: BTreeMap::new() };
    for (name, checkpoint) in &checked {
        let goldens = names.goldens.iter().filter_map(|&golden| contents.goldens.get_key_value(golden));
        let goldens: Vec<_> = goldens.filter(|(_, golden)| golden.checkpoint == *name).collect();
        replays.checkpoint(checkpoint, &goldens, &mut progress)?;
    }
    for &name in &names.goldens {
        if let Some(golden) = contents.goldens.get(name)
            && !checked.contains_key(golden.checkpoint.as_str())
        {
            let detail = format!("its checkpoint {:?} is not pinned", golden.checkpoint);
            replays.skip(name, golden, Some(Cause::Lock), detail, &mut progress)?;
        }
    }
    progress.end();
    reports.extend(checked.into_values().map(|checkpoint| checkpoint.report));
    reports.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(VerifyReport { files: reports, goldens: replays.reports.into_values().collect() })
}

/// The names of what is verified.
#[derive(Default)]
struct Names<'a> {
    checkpoints: BTreeSet<&'a str>,
    adapters: BTreeSet<&'a str>,
    goldens: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    fn choose(file: &'a LockFile, names: &[String]) -> Result<Self> {
        let lock = file.lock();
        let mut chosen = Self::default();
        if names.is_empty() {
            chosen.checkpoints.extend(lock.checkpoints.keys().map(String::as_str));
            chosen.adapters.extend(lock.adapters.keys().map(String::as_str));
            chosen.goldens.extend(lock.goldens.keys().map(String::as_str));
            return Ok(chosen);
        }
        for name in names {
            if !chosen.add(lock, name) {
                let known = lock.files().map(|(name, _)| name).chain(lock.goldens.keys());
                return Err(Error::not_pinned(file.path(), name, known));
            }
        }
        Ok(chosen)
    }

    /// Adds what a name stands for; false if that is nothing.
    fn add(&mut self, lock: &'a Lock, name: &str) -> bool {
        let checkpoint = lock.checkpoints.get_key_value(name);
        if let Some((name, _)) = checkpoint {
            self.checkpoints.insert(name);
            let goldens = lock.goldens.iter().filter(|(_, golden)| golden.checkpoint == *name);
            self.goldens.extend(goldens.map(|(name, _)| name.as_str()));
        }
        let adapter = lock.adapters.get_key_value(name);
        if let Some((name, pin)) = adapter {
            self.adapters.insert(name);
            self.checkpoints.extend(lock.checkpoints.get_key_value(&pin.base).map(|(name, _)| name.as_str()));
        }
        let golden = lock.goldens.get_key_value(name);
        if let Some((name, golden)) = golden {
            self.goldens.insert(name);
            let checkpoint = lock.checkpoints.get_key_value(&golden.checkpoint);
            self.checkpoints.extend(checkpoint.map(|(name, _)| name.as_str()));
        }
        checkpoint.is_some() || adapter.is_some() || golden.is_some()
    }
}

struct Progress<'a> {
    watch: VerifyWatch<'a>,
    done: u32,
    total: u32,
}

impl Progress<'_> {
    /// Tells what is looked at now.
    fn next(&mut self, name: &str) -> Result<()> {
        self.watch.cancel.check()?;
        if let Some(progress) = &mut self.watch.progress {
            progress(name, self.done, self.total);
        }
        self.done += 1;
        Ok(())
    }

    fn end(&mut self) {
        if let Some(progress) = &mut self.watch.progress {
            progress("", self.done, self.total);
        }
    }
}

/// Replays goldens, those of one checkpoint after the other.
struct Replays<'a> {
    lock: &'a Lock,
    options: &'a VerifyOptions,
    load: &'a Load<'a>,
    reports: BTreeMap<String, GoldenReport>,
}

impl Replays<'_> {
    fn checkpoint(
        &mut self,
        checkpoint: &CheckedCheckpoint,
        goldens: &[(&String, &Golden)],
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        if goldens.is_empty() {
            return Ok(());
        }
        let Some(pinned) = &checkpoint.usable else {
            let (cause, detail) = why_not(&checkpoint.report);
            for (name, golden) in goldens {
                self.skip(name, golden, cause, detail.clone(), progress)?;
            }
            return Ok(());
        };
        // Those that need more context than a model has by default wait for one that has it.
        let mut waiting = BTreeMap::from([(0, goldens.to_vec())]);
        while let Some((context_tokens, goldens)) = waiting.pop_first() {
            let options = model_options(context_tokens, self.options.threads);
            let model = match (self.load)(pinned, &options, &progress.watch.cancel) {
                Ok(model) => model,
                Err(Error::Cancelled) => return Err(Error::Cancelled),
                Err(error) => {
                    for (name, golden) in goldens {
                        self.skip(name, golden, None, error.to_string(), progress)?;
                    }
                    continue;
                }
            };
            for (name, golden) in goldens {
                let needed = golden::context_tokens(&model, &golden.input, golden.max_tokens);
                // What is wrong with the prompt comes up again in the replay.
                let needed = needed.unwrap_or(context_tokens);
                if context_tokens == 0 && needed > 0 {
                    waiting.entry(needed).or_default().push((name, golden));
                    continue;
                }
                progress.next(name)?;
                let report = self.golden(&model, name, golden, checkpoint.changed, &progress.watch.cancel)?;
                self.reports.insert(name.clone(), report);
            }
        }
        Ok(())
    }

    fn golden(
        &self,
        model: &Model,
        name: &str,
        golden: &Golden,
        changed: Changed,
        cancel: &Cancel,
    ) -> Result<GoldenReport> {
        let replay = |golden: &Golden| match golden::replay(
            model,
            name,
            golden,
            self.options.tolerance,
            Some(changed),
            cancel,
        ) {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            Err(error) => Ok(not_run(name, golden, cause_of(&error), error.to_string())),
            Ok(report) => Ok(report),
        };
        let preset = golden.preset.as_deref().and_then(|name| Some((name, self.lock.sampling.get(name)?)));
        let Some((preset, sampling)) = preset.filter(|(_, sampling)| **sampling != golden.sampling) else {
            return replay(golden);
        };
        // An app that uses the settings by their name now gets what they give now.
        let fields = changed_fields(&golden.sampling, sampling);
        let mut report = replay(&Golden { sampling: sampling.clone(), ..golden.clone() })?;
        if report.outcome != GoldenOutcome::NotRun {
            report.outcome = GoldenOutcome::Different;
        }
        report.cause = report.cause.or(Some(Cause::Sampler));
        report.detail = another_preset(preset, &fields, &report.detail);
        Ok(report)
    }

    fn skip(
        &mut self,
        name: &str,
        golden: &Golden,
        cause: Option<Cause>,
        detail: String,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        progress.next(name)?;
        self.reports.insert(name.to_owned(), not_run(name, golden, cause, detail));
        Ok(())
    }
}

fn not_run(name: &str, golden: &Golden, cause: Option<Cause>, detail: String) -> GoldenReport {
    GoldenReport {
        name: name.to_owned(),
        checkpoint: golden.checkpoint.clone(),
        outcome: GoldenOutcome::NotRun,
        exact: false,
        cause,
        difference: None,
        deviation: 0.0,
        detail,
    }
}

/// What is behind an error of a replay.
fn cause_of(error: &Error) -> Option<Cause> {
    match error {
        Error::ChatTemplate { .. } => Some(Cause::Prompt),
        Error::InvalidOption { .. } | Error::UnknownToken { .. } => Some(Cause::Lock),
        _ => None,
    }
}
