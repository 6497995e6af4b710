//! The values of lock files, stores and verifications on their way between C++ and `api`.

use std::time::{SystemTime, UNIX_EPOCH};

use pinfold::verify::{Cause, Difference, FileReport, GoldenOutcome, GoldenReport};
use pinfold_ffi::api::{
    Collected, DamagedEntry, PinnedAdapter, PinnedCheckpoint, PinnedFile, PinnedGolden, PullOptions,
    StoreEntry, StoreOptions, VerifyOptions, VerifyReport,
};

use crate::bridge::ffi;

impl From<&ffi::StoreOptions> for StoreOptions {
    fn from(options: &ffi::StoreOptions) -> Self {
        Self { root: (&options.root).into(), quota: options.has_quota.then_some(options.quota) }
    }
}

impl From<&ffi::PullOptions> for PullOptions {
    fn from(options: &ffi::PullOptions) -> Self {
        Self {
            connections: options.connections,
            attempts: options.attempts,
            hub_endpoint: (&options.hub_endpoint).into(),
            hub_token: (&options.hub_token).into(),
            certificates: (&options.certificates).into(),
            stall_timeout_ms: options.stall_timeout_ms,
        }
    }
}

impl From<&ffi::VerifyOptions> for VerifyOptions {
    fn from(options: &ffi::VerifyOptions) -> Self {
        let ffi::VerifyOptions { names, full_check, tolerance, threads } = options;
        Self { names: names.clone(), full_check: *full_check, tolerance: *tolerance, threads: *threads }
    }
}

impl From<StoreEntry> for ffi::StoreEntry {
    fn from(entry: StoreEntry) -> Self {
        let StoreEntry { digest, size, path, used, pinned_by } = entry;
        Self { digest, size, path, was_used: used.is_some(), used: used.map_or(0, microseconds), pinned_by }
    }
}

/// Since 1970; before that below 0.
fn microseconds(time: SystemTime) -> i64 {
    let count = |duration: std::time::Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => count(after),
        Err(before) => -count(before.duration()),
    }
}

impl From<DamagedEntry> for ffi::DamagedEntry {
    fn from(damaged: DamagedEntry) -> Self {
        Self { entry: damaged.entry.into(), actual_digest: damaged.actual_digest }
    }
}

impl From<Collected> for ffi::Collected {
    fn from(collected: Collected) -> Self {
        Self { removed: collected.removed.into_iter().map(Into::into).collect(), freed: collected.freed }
    }
}

impl From<PinnedCheckpoint> for ffi::PinnedCheckpoint {
    fn from(pin: PinnedCheckpoint) -> Self {
        Self {
            name: pin.name,
            sources: pin.sources,
            digest: pin.digest,
            size: pin.size,
            licence: pin.licence,
            is_signed: pin.signed,
            architecture: pin.architecture,
            quantization: pin.quantization,
            context_length: pin.context_length,
            tokenizer_digest: pin.tokenizer_digest,
            chat_template_digest: pin.chat_template_digest.into(),
        }
    }
}

impl From<PinnedAdapter> for ffi::PinnedAdapter {
    fn from(pin: PinnedAdapter) -> Self {
        Self {
            name: pin.name,
            sources: pin.sources,
            digest: pin.digest,
            size: pin.size,
            licence: pin.licence,
            is_signed: pin.signed,
            architecture: pin.architecture,
            base: pin.base,
            base_digest: pin.base_digest,
        }
    }
}

impl From<PinnedGolden> for ffi::PinnedGolden {
    fn from(golden: PinnedGolden) -> Self {
        let PinnedGolden { name, checkpoint, text, runtime, backend, llama_cpp } = golden;
        Self { name, checkpoint, text, runtime, backend, llama_cpp }
    }
}

impl From<PinnedFile> for ffi::PinnedFile {
    fn from(file: PinnedFile) -> Self {
        let PinnedFile { name, path, digest } = file;
        Self { name, path, digest }
    }
}

impl From<VerifyReport> for ffi::VerifyReport {
    fn from(report: VerifyReport) -> Self {
        Self {
            passed: report.passed,
            files: report.files.into_iter().map(Into::into).collect(),
            goldens: report.goldens.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Cause> for ffi::Cause {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::Missing => Self::Missing,
            Cause::Weights => Self::Weights,
            Cause::Tokenizer => Self::Tokenizer,
            Cause::ChatTemplate => Self::ChatTemplate,
            Cause::Metadata => Self::Metadata,
            Cause::Preflight => Self::Preflight,
            Cause::Lock => Self::Lock,
            Cause::Prompt => Self::Prompt,
            Cause::Computation => Self::Computation,
            Cause::Sampler => Self::Sampler,
        }
    }
}

impl From<FileReport> for ffi::FileReport {
    fn from(report: FileReport) -> Self {
        let FileReport { name, passed, causes, detail } = report;
        let causes = causes.into_iter().map(|cause| ffi::Cause::from(cause).repr).collect();
        Self { name, passed, causes, detail }
    }
}

impl From<GoldenReport> for ffi::GoldenReport {
    fn from(report: GoldenReport) -> Self {
        Self {
            name: report.name,
            checkpoint: report.checkpoint,
            outcome: match report.outcome {
                GoldenOutcome::Same => ffi::GoldenOutcome::Same,
                GoldenOutcome::WithinTolerance => ffi::GoldenOutcome::WithinTolerance,
                GoldenOutcome::Different => ffi::GoldenOutcome::Different,
                GoldenOutcome::NotRun => ffi::GoldenOutcome::NotRun,
            },
            exact: report.exact,
            has_cause: report.cause.is_some(),
            cause: report.cause.map_or(ffi::Cause::Missing, Into::into),
            has_difference: report.difference.is_some(),
            difference: report.difference.into(),
            deviation: report.deviation,
            detail: report.detail,
        }
    }
}

impl From<Option<Difference>> for ffi::Difference {
    fn from(difference: Option<Difference>) -> Self {
        let difference = difference.unwrap_or(Difference {
            index: 0,
            expected_token: None,
            actual_token: None,
            expected_text: String::new(),
            actual_text: String::new(),
            margin: None,
        });
        Self {
            index: difference.index,
            expected_token: difference.expected_token.into(),
            actual_token: difference.actual_token.into(),
            expected_text: difference.expected_text,
            actual_text: difference.actual_text,
            has_margin: difference.margin.is_some(),
            margin: difference.margin.unwrap_or_default(),
        }
    }
}
