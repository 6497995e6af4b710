//! What a verification is asked, and what it says.

use std::ffi::{c_char, c_void};
use std::mem::offset_of;
use std::ptr;
use std::sync::Arc;

use super::boundary::{self, Outcome, borrow, call, flag, quiet, reserved, texts};
use super::machine::item;
use super::sized::{self, Versioned};
use super::text::Text;
use super::{PINFOLD_NONE, pinfold_error, pinfold_status, pinfold_string};
use crate::api::{
    CallbackError, Cause, Difference, FileReport, GoldenOutcome, GoldenReport, VerifyOptions, VerifyProgress,
    VerifyReport,
};

/// Hears of a verification: of `total` things, `done` are done, and `subject` is looked at, which is empty once all is
/// done, and valid during the call alone. Called on the thread that verifies, before the call returns. Return 0 to go
/// on; anything else ends the verification with `PINFOLD_ERROR_CALLBACK`. It must not throw or `longjmp` out.
pub type pinfold_verify_progress =
    Option<unsafe extern "C" fn(user: *mut c_void, subject: *const c_char, done: u32, total: u32) -> i32>;

/// What is verified, and how strictly. Fill it with `pinfold_verify_options_init`, then change what you want. All
/// pointers are read during the call alone.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_verify_options {
    /// `sizeof(pinfold_verify_options)`.
    pub struct_size: usize,
    /// Names of checkpoints, adapters or goldens; everything if there are none.
    pub names: *const pinfold_string,
    /// The number of names.
    pub names_length: usize,
    /// Hears how far the verification is; NULL for none.
    pub progress: pinfold_verify_progress,
    /// Given to `progress`.
    pub progress_user: *mut c_void,
    /// 1 to hash every file (at first); 0 to trust one that was not touched since it was hashed last.
    pub full_check: u32,
    /// What a log-probability may differ by where another backend or version recorded a golden, in nats; 0.1 at first.
    pub tolerance: f32,
    /// Threads that compute; 0 to choose by the machine.
    pub threads: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: numbers, pointers and a nullable function pointer.
unsafe impl Versioned for pinfold_verify_options {
    const NAME: &'static str = "pinfold_verify_options";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        let VerifyOptions { names: _, full_check, tolerance, threads } = VerifyOptions::default();
        Self {
            struct_size: size_of::<Self>(),
            names: ptr::null(),
            names_length: 0,
            progress: None,
            progress_user: ptr::null_mut(),
            full_check: full_check.into(),
            tolerance,
            threads,
            reserved: 0,
        }
    }
}

impl pinfold_verify_options {
    /// # Safety
    /// Its pointers are as the header says.
    pub(super) unsafe fn to_api(self) -> Outcome<VerifyOptions> {
        reserved(self.reserved, offset_of!(Self, reserved), Self::NAME)?;
        // SAFETY: by the contract of this function.
        let names = unsafe { texts(self.names, self.names_length, "names") }?;
        let full_check = flag(self.full_check, "full_check")?;
        Ok(VerifyOptions { names, full_check, tolerance: self.tolerance, threads: self.threads })
    }

    pub(super) fn listener(self) -> Option<Arc<dyn VerifyProgress>> {
        self.progress.map(|hear| Arc::new(Progress { hear, user: self.progress_user }) as _)
    }
}

/// Sets the defaults; `struct_size` is `sizeof(pinfold_verify_options)`. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_verify_options_init(
    options_out: *mut pinfold_verify_options,
    struct_size: usize,
) {
    unsafe { sized::init(options_out, struct_size) }
}

struct Progress {
    hear: unsafe extern "C" fn(*mut c_void, *const c_char, u32, u32) -> i32,
    user: *mut c_void,
}

// SAFETY: the verification calls it on the thread of C's call, while that lasts, and nowhere else.
unsafe impl Send for Progress {}
// SAFETY: as above.
unsafe impl Sync for Progress {}

impl VerifyProgress for Progress {
    fn verified(&self, subject: String, done: u32, total: u32) -> Result<(), CallbackError> {
        let subject = Text::new(subject);
        // SAFETY: C gave both together.
        match unsafe { (self.hear)(self.user, subject.data(), done, total) } {
            0 => Ok(()),
            _ => Err(CallbackError::Failed),
        }
    }
}

/// What changed: a `PINFOLD_CAUSE_`.
pub type pinfold_cause = i32;

/// Nothing.
pub const PINFOLD_CAUSE_NONE: pinfold_cause = 0;
/// The file is not on this machine.
pub const PINFOLD_CAUSE_MISSING: pinfold_cause = 1;
/// The bytes of the weights, or others that nothing below names.
pub const PINFOLD_CAUSE_WEIGHTS: pinfold_cause = 2;
/// The tokenizer.
pub const PINFOLD_CAUSE_TOKENIZER: pinfold_cause = 3;
/// The chat template.
pub const PINFOLD_CAUSE_CHAT_TEMPLATE: pinfold_cause = 4;
/// Other metadata of the file.
pub const PINFOLD_CAUSE_METADATA: pinfold_cause = 5;
/// The file would not run: the preflight refused it.
pub const PINFOLD_CAUSE_PREFLIGHT: pinfold_cause = 6;
/// The lock file contradicts itself or the file: an adapter's base, an architecture.
pub const PINFOLD_CAUSE_LOCK: pinfold_cause = 7;
/// The tokens of the prompt: the input, the tokenizer or the chat template.
pub const PINFOLD_CAUSE_PROMPT: pinfold_cause = 8;
/// The probabilities: the weights, or how they are computed.
pub const PINFOLD_CAUSE_COMPUTATION: pinfold_cause = 9;
/// The probabilities are as recorded, but another token was chosen: the sampler or its settings.
pub const PINFOLD_CAUSE_SAMPLER: pinfold_cause = 10;

fn cause(cause: Cause) -> pinfold_cause {
    match cause {
        Cause::Missing => PINFOLD_CAUSE_MISSING,
        Cause::Weights => PINFOLD_CAUSE_WEIGHTS,
        Cause::Tokenizer => PINFOLD_CAUSE_TOKENIZER,
        Cause::ChatTemplate => PINFOLD_CAUSE_CHAT_TEMPLATE,
        Cause::Metadata => PINFOLD_CAUSE_METADATA,
        Cause::Preflight => PINFOLD_CAUSE_PREFLIGHT,
        Cause::Lock => PINFOLD_CAUSE_LOCK,
        Cause::Prompt => PINFOLD_CAUSE_PROMPT,
        Cause::Computation => PINFOLD_CAUSE_COMPUTATION,
        Cause::Sampler => PINFOLD_CAUSE_SAMPLER,
    }
}

/// How a golden compares: a `PINFOLD_GOLDEN_`.
pub type pinfold_golden_outcome = i32;

/// The same, token for token and byte for byte.
pub const PINFOLD_GOLDEN_SAME: pinfold_golden_outcome = 1;
/// Recorded by another backend or version: tokens differ, but within the tolerance.
pub const PINFOLD_GOLDEN_WITHIN_TOLERANCE: pinfold_golden_outcome = 2;
/// Not the same.
pub const PINFOLD_GOLDEN_DIFFERENT: pinfold_golden_outcome = 3;
/// It could not be replayed, see the cause.
pub const PINFOLD_GOLDEN_NOT_RUN: pinfold_golden_outcome = 4;

/// The outcome for a file. Set `struct_size` before `pinfold_verify_report_file` fills it. What it points to belongs to
/// the report.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_file_report {
    /// `sizeof(pinfold_file_report)`.
    pub struct_size: usize,
    /// Its name in the lock file.
    pub name: pinfold_string,
    /// What is wrong in words, for people; empty if nothing is.
    pub detail: pinfold_string,
    /// What is wrong, with what changed in it as far as that can be said.
    pub causes: *const pinfold_cause,
    /// The number of causes; 0 if nothing is wrong.
    pub causes_length: usize,
    /// 1 if it is as pinned, else 0.
    pub passed: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_file_report {
    const NAME: &'static str = "pinfold_file_report";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            detail: pinfold_string::NONE,
            causes: ptr::null(),
            causes_length: 0,
            passed: 0,
            reserved: 0,
        }
    }
}

/// The outcome for a golden. Set `struct_size` before `pinfold_verify_report_golden` fills it. Its texts belong to the
/// report.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct pinfold_golden_report {
    /// `sizeof(pinfold_golden_report)`.
    pub struct_size: usize,
    /// Its name in the lock file.
    pub name: pinfold_string,
    /// The name of its checkpoint.
    pub checkpoint: pinfold_string,
    /// All of it in words, for people.
    pub detail: pinfold_string,
    /// The text that was recorded; NULL if nothing differs.
    pub expected_text: pinfold_string,
    /// The text that is generated now; NULL if nothing differs.
    pub actual_text: pinfold_string,
    /// The index among the generated tokens of the first that differs; `PINFOLD_NONE` if none does.
    pub index: i64,
    /// The token that was recorded there; `PINFOLD_NONE` if the generation went on after the recorded end.
    pub expected_token: i64,
    /// The token that was chosen now; `PINFOLD_NONE` if the generation ended.
    pub actual_token: i64,
    /// The logit there of the token chosen now less that of the recorded one, before any filter; not a number if that
    /// cannot be said.
    pub margin: f32,
    /// The largest difference of a log-probability from the recorded one, in nats.
    pub deviation: f32,
    /// How it compares.
    pub outcome: pinfold_golden_outcome,
    /// What changed; `PINFOLD_CAUSE_NONE` if nothing did.
    pub cause: pinfold_cause,
    /// 1 if the same backend and version recorded it, so that it was compared byte for byte, else 0.
    pub exact: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers.
unsafe impl Versioned for pinfold_golden_report {
    const NAME: &'static str = "pinfold_golden_report";
    const FORMER: &'static [usize] = &[];

    fn defaults() -> Self {
        Self {
            struct_size: size_of::<Self>(),
            name: pinfold_string::NONE,
            checkpoint: pinfold_string::NONE,
            detail: pinfold_string::NONE,
            expected_text: pinfold_string::NONE,
            actual_text: pinfold_string::NONE,
            index: PINFOLD_NONE,
            expected_token: PINFOLD_NONE,
            actual_token: PINFOLD_NONE,
            margin: f32::NAN,
            deviation: 0.0,
            outcome: 0,
            cause: PINFOLD_CAUSE_NONE,
            exact: 0,
            reserved: 0,
        }
    }
}

/// What a verification found.
///
/// Freed by: you, with `pinfold_verify_report_free`. Threads: any, it does not change. May outlive: everything.
pub struct pinfold_verify_report {
    passed: bool,
    files: Vec<File>,
    goldens: Vec<Golden>,
}

struct File {
    name: Text,
    detail: Text,
    causes: Vec<pinfold_cause>,
    passed: bool,
}

struct Golden {
    report: GoldenReport,
    name: Text,
    checkpoint: Text,
    detail: Text,
    texts: Option<(Text, Text)>,
}

impl From<VerifyReport> for pinfold_verify_report {
    fn from(report: VerifyReport) -> Self {
        let VerifyReport { passed, files, goldens } = report;
        Self {
            passed,
            files: files.into_iter().map(File::from).collect(),
            goldens: goldens.into_iter().map(Golden::from).collect(),
        }
    }
}

impl From<FileReport> for File {
    fn from(report: FileReport) -> Self {
        let FileReport { name, passed, causes, detail } = report;
        let causes = causes.into_iter().map(cause).collect();
        Self { name: Text::new(name), detail: Text::new(detail), causes, passed }
    }
}

impl From<GoldenReport> for Golden {
    fn from(report: GoldenReport) -> Self {
        let texts = |found: &Difference| {
            (Text::new(found.expected_text.as_str()), Text::new(found.actual_text.as_str()))
        };
        Self {
            name: Text::new(report.name.as_str()),
            checkpoint: Text::new(report.checkpoint.as_str()),
            detail: Text::new(report.detail.as_str()),
            texts: report.difference.as_ref().map(texts),
            report,
        }
    }
}

impl Golden {
    fn to_c(&self) -> pinfold_golden_report {
        let GoldenReport { outcome, exact, deviation, .. } = self.report;
        let token = |token: Option<u32>| token.map_or(PINFOLD_NONE, i64::from);
        let mut golden = pinfold_golden_report {
            name: self.name.borrowed(),
            checkpoint: self.checkpoint.borrowed(),
            detail: self.detail.borrowed(),
            deviation,
            outcome: match outcome {
                GoldenOutcome::Same => PINFOLD_GOLDEN_SAME,
                GoldenOutcome::WithinTolerance => PINFOLD_GOLDEN_WITHIN_TOLERANCE,
                GoldenOutcome::Different => PINFOLD_GOLDEN_DIFFERENT,
                GoldenOutcome::NotRun => PINFOLD_GOLDEN_NOT_RUN,
            },
            cause: self.report.cause.map_or(PINFOLD_CAUSE_NONE, cause),
            exact: exact.into(),
            ..pinfold_golden_report::defaults()
        };
        if let Some(difference) = &self.report.difference {
            golden.index = difference.index.into();
            golden.expected_token = token(difference.expected_token);
            golden.actual_token = token(difference.actual_token);
            golden.margin = difference.margin.unwrap_or(f32::NAN);
        }
        if let Some((expected, actual)) = &self.texts {
            golden.expected_text = expected.borrowed();
            golden.actual_text = actual.borrowed();
        }
        golden
    }
}

/// Whether everything is as pinned, or within the tolerance; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_verify_report_passed(report: *const pinfold_verify_report) -> bool {
    quiet(false, || unsafe { report.as_ref() }.is_some_and(|report| report.passed))
}

/// The number of files; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_verify_report_files_length(report: *const pinfold_verify_report) -> usize {
    quiet(0, || unsafe { report.as_ref() }.map_or(0, |report| report.files.len()))
}

/// The outcome for the file at `index`, counted from 0, in the order of their names. What it points to is valid until
/// the report is freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_verify_report_file(
    report: *const pinfold_verify_report,
    index: usize,
    file_out: *mut pinfold_file_report,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let found = item(&borrow(report, "report")?.files, index)?;
            let file = pinfold_file_report {
                name: found.name.borrowed(),
                detail: found.detail.borrowed(),
                causes: found.causes.as_ptr(),
                causes_length: found.causes.len(),
                passed: found.passed.into(),
                ..pinfold_file_report::defaults()
            };
            sized::write(file_out, &file)
        })
    }
}

/// The number of goldens; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_verify_report_goldens_length(report: *const pinfold_verify_report) -> usize {
    quiet(0, || unsafe { report.as_ref() }.map_or(0, |report| report.goldens.len()))
}

/// The outcome for the golden at `index`, counted from 0, in the order of their names. Its texts are valid until the
/// report is freed.
///
/// Fails with `PINFOLD_ERROR_INVALID_OPTION` if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_verify_report_golden(
    report: *const pinfold_verify_report,
    index: usize,
    golden_out: *mut pinfold_golden_report,
    error_out: *mut *mut pinfold_error,
) -> pinfold_status {
    unsafe {
        call(error_out, || {
            let golden = item(&borrow(report, "report")?.goldens, index)?;
            sized::write(golden_out, &golden.to_c())
        })
    }
}

/// Frees the report; NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_verify_report_free(report: *mut pinfold_verify_report) {
    unsafe { boundary::free(report) }
}
