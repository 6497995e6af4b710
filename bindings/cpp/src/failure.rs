//! The way of an error to C++.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pinfold_ffi::api::PinfoldError;

/// An error as cxx carries it: a text. It begins with the code, which has no space, and a space; `pinfold::Error`
/// takes them apart again.
#[derive(Debug)]
pub(crate) struct Failure(PinfoldError);

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl From<PinfoldError> for Failure {
    fn from(error: PinfoldError) -> Self {
        Self(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `what()` ends at the first zero character, which a path from the app may hold.
        write!(f, "{} {}", self.0.code(), self.0.to_string().replace('\0', "\u{FFFD}"))
    }
}

/// Does the work of a call. A panic, which would be a fault of ours, becomes an error: it must not unwind into C++,
/// and cxx would end the program.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let what = "a fault inside of Pinfold; please report it with what the standard error says";
        Err(PinfoldError::Engine(what.into()).into())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by a panic")]
mod tests {
    use super::*;

    #[test]
    fn an_error_begins_with_its_code_and_holds_no_zero() {
        let failure = Failure::from(PinfoldError::ContextFull("no room\0for it".into()));
        assert_eq!(failure.to_string(), "context_full no room\u{FFFD}for it");
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let failure = guard::<()>(|| panic!("a secret of the user")).unwrap_err().to_string();
        assert!(failure.starts_with("engine "));
        assert!(!failure.contains("secret"));
    }
}
