//! Why an attempt failed, and what that means for the next one.

use std::time::Duration;

use ureq::http::{HeaderMap, StatusCode, header};

use super::date;
use crate::error::Error;

/// The longest wait that a server may ask for; one that asks for more has to be tried another day.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why an attempt at a source failed. No reason names more of an address than its host: what stands behind
/// may be a secret.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The next attempt may succeed.
    Passing {
        /// What happened.
        reason: String,
        /// How long the server asks to wait.
        wait: Option<Duration>,
        /// Whether the server has too much to do.
        crowded: bool,
    },
    /// What is offered now is not what was offered before: the bytes of before are of no use.
    Changed(String),
    /// This source will not give the bytes.
    Lasting(String),
    /// It is not the source's fault, and no other source would help.
    Local(Error),
}

impl Fault {
    pub(crate) fn passing(reason: impl Into<String>) -> Self {
        Self::Passing { reason: reason.into(), wait: None, crowded: false }
    }

    pub(crate) fn lasting(reason: impl Into<String>) -> Self {
        Self::Lasting(reason.into())
    }

    /// The answer of a server that gives no bytes.
    pub(crate) fn refusal(status: StatusCode, headers: &HeaderMap) -> Self {
        let reason = match status.canonical_reason() {
            Some(words) => format!("the server answers {} {words}", status.as_u16()),
            None => format!("the server answers {}", status.as_u16()),
        };
        let passing = status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
            || status.is_success()
            || matches!(status.as_u16(), 408 | 425 | 429);
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Self::Changed(reason);
        }
        if !passing {
            return Self::Lasting(reason);
        }
        let crowded = matches!(status.as_u16(), 429 | 503);
        match retry_after(headers) {
            Some(wait) if wait > LONGEST_WAIT => {
                Self::Lasting(format!("{reason}, and asks to come again in {} s", wait.as_secs()))
            }
            wait => Self::Passing { reason, wait, crowded },
        }
    }

    /// The same with its reason changed.
    pub(crate) fn explain(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Passing { reason, wait, crowded } => {
                Self::Passing { reason: change(reason), wait, crowded }
            }
            Self::Changed(reason) => Self::Changed(change(reason)),
            Self::Lasting(reason) => Self::Lasting(change(reason)),
            Self::Local(error) => Self::Local(error),
        }
    }

    /// What to tell the user, where it is the source's fault.
    pub(crate) fn into_reason(self) -> Result<String, Error> {
        match self {
            Self::Passing { reason, .. } | Self::Changed(reason) | Self::Lasting(reason) => Ok(reason),
            Self::Local(error) => Err(error),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Local(error)
    }
}

impl From<ureq::Error> for Fault {
    fn from(error: ureq::Error) -> Self {
        use ureq::{Error as E, Timeout};
        match error {
            E::Timeout(Timeout::Connect | Timeout::Resolve) => Self::passing("no connection in time"),
            E::Timeout(_) => Self::passing("the connection stalls"),
            E::HostNotFound => Self::passing("the host is not found"),
            E::Io(error) => Self::from(error),
            E::LargeResponseHeader(..) => Self::passing("the headers are too large"),
            E::Protocol(error) => Self::passing(format!("the answer is not HTTP: {error}")),
            E::BodyStalled => Self::passing("the answer is cut off"),
            E::ConnectProxyFailed(reason) => Self::passing(format!("the proxy fails: {reason}")),
            E::BadUri(_) => Self::lasting("the address is malformed"),
            other => Self::lasting(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Fault {
    /// What reading from a connection said.
    fn from(error: std::io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<ureq::Error>()) {
            return Self::from(ureq::Error::from(error));
        }
        let text = error.to_string();
        if is_distrust(&error) {
            return Self::Lasting(format!(
                "TLS: {text}: if you trust this server, give its root by `certificates` or SSL_CERT_FILE"
            ));
        }
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::passing("the connection was closed too early"),
            std::io::ErrorKind::InvalidData => Self::passing(format!("TLS: {text}")),
            _ => Self::passing(text),
        }
    }
}

/// Whether the server's certificate was refused.
pub(crate) fn is_distrust(error: &std::io::Error) -> bool {
    // rustls is known to ureq alone, so its words tell.
    error.kind() == std::io::ErrorKind::InvalidData && error.to_string().contains("invalid peer certificate")
}

/// How long `Retry-After` asks to wait: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let after = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    // By the server's own clock, if it shows it: ours may be wrong.
    let now = text(header::DATE).and_then(date::parse).or_else(date::now)?;
    Some(Duration::from_secs(date::parse(after)?.saturating_sub(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn refusal(status: u16, of: &[(&'static str, &str)]) -> Fault {
        Fault::refusal(StatusCode::from_u16(status).unwrap(), &headers(of))
    }

    #[test]
    fn what_passes_and_what_lasts() {
        for status in [204, 408, 429, 500, 502, 503, 599] {
            assert!(matches!(refusal(status, &[]), Fault::Passing { wait: None, .. }), "{status}");
        }
        for status in [304, 400, 401, 403, 404, 410, 451, 501] {
            assert!(matches!(refusal(status, &[]), Fault::Lasting(_)), "{status}");
        }
        assert!(matches!(refusal(416, &[]), Fault::Changed(_)));
        assert!(matches!(refusal(429, &[]), Fault::Passing { crowded: true, .. }));
    }

    #[test]
    fn waits_are_seconds_or_dates_and_capped() {
        let wait = |of: &[(&'static str, &str)]| match refusal(503, of) {
            Fault::Passing { wait, .. } => wait.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        assert_eq!(wait(&[("retry-after", "-7")]), None);
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(wait(&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:57 GMT")]), Some(20));
        assert_eq!(wait(&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:17 GMT")]), Some(0));
        assert_eq!(wait(&[("retry-after", "Sun, 06 Nov 1994 08:49:17 GMT")]), Some(0));
        assert!(matches!(refusal(503, &[("retry-after", "3600")]), Fault::Lasting(_)));
    }
}
