//! How downloads are done, and what of that the environment says.

use std::fmt;
use std::path::{Path, PathBuf};

use ureq::http::Uri;

use super::url;
use crate::error::{Error, Result};

/// How downloads are done.
#[derive(Clone, PartialEq, Eq)]
pub struct PullOptions {
    /// Connections for one file, 1 to 16.
    pub connections: u32,
    /// Attempts at one source before the next is tried, 1 to 100. Those that brought bytes do not count.
    pub attempts: u32,
    /// Milliseconds before the second attempt, up to 60 000. The wait is doubled for each further one, up to
    /// half a minute, and shortened at random by up to a half. A server that asks for more gets more.
    pub backoff_ms: u32,
    /// Milliseconds without a byte after which a connection is given up, 100 to 3 600 000.
    pub stall_timeout_ms: u32,
    /// Bytes that one request asks for, 4096 to 1 GiB.
    pub part_bytes: u64,
    /// The Hub's address; by default `HF_ENDPOINT` of the environment, or else `https://huggingface.co`.
    pub hub_endpoint: Option<String>,
    /// The Hub's access token; by default `HF_TOKEN` or `HUGGING_FACE_HUB_TOKEN` of the environment, or else
    /// what `hf auth login` left. It is sent to the endpoint only. An empty one stands for none at all.
    pub hub_token: Option<String>,
    /// A PEM file of certificates that are trusted beside Mozilla's; by default `SSL_CERT_FILE` of the environment,
    /// if that file exists.
    pub certificates: Option<PathBuf>,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            connections: 4,
            attempts: 5,
            backoff_ms: 500,
            stall_timeout_ms: 30_000,
            part_bytes: 32 << 20,
            hub_endpoint: None,
            hub_token: None,
            certificates: None,
        }
    }
}

impl fmt::Debug for PullOptions {
    /// All but the token: what is printed may go to logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PullOptions")
            .field("connections", &self.connections)
            .field("attempts", &self.attempts)
            .field("backoff_ms", &self.backoff_ms)
            .field("stall_timeout_ms", &self.stall_timeout_ms)
            .field("part_bytes", &self.part_bytes)
            .field("hub_endpoint", &self.hub_endpoint)
            .field("hub_token", &self.hub_token.as_ref().map(|_| "***"))
            .field("certificates", &self.certificates)
            .finish()
    }
}

impl PullOptions {
    /// # Errors
    /// [`Error::InvalidOption`].
    pub fn validate(&self) -> Result<()> {
        let within = |option, value: u64, least: u64, most: u64| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(Error::option(option, format!("must be {least} to {most}, not {value}"))),
        };
        within("connections", self.connections.into(), 1, 16)?;
        within("attempts", self.attempts.into(), 1, 100)?;
        within("backoff_ms", self.backoff_ms.into(), 0, 60_000)?;
        within("stall_timeout_ms", self.stall_timeout_ms.into(), 100, 3_600_000)?;
        within("part_bytes", self.part_bytes, 4096, 1 << 30)?;
        endpoint_of(self.hub_endpoint.as_deref().unwrap_or(HUB))?;
        token_of(self.hub_token.as_deref().unwrap_or_default())?;
        Ok(())
    }
}

const HUB: &str = "https://huggingface.co";

/// A variable of the environment, if it is set to more than spaces.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The file of certificates. As for OpenSSL, one that the environment names may be absent.
pub(crate) fn certificates(given: Option<&Path>) -> Option<PathBuf> {
    let variable = || {
        let path = variable("SSL_CERT_FILE").map(PathBuf::from)?;
        let exists = path.exists();
        if !exists {
            tracing::warn!("SSL_CERT_FILE names a file that does not exist: {}", path.display());
        }
        exists.then_some(path)
    };
    given.map(Path::to_owned).or_else(variable)
}

/// The Hub's address, without a slash at its end.
pub(super) fn hub_endpoint(options: &PullOptions) -> Result<Uri> {
    let text = options.hub_endpoint.clone().or_else(|| variable("HF_ENDPOINT"));
    endpoint_of(text.as_deref().unwrap_or(HUB))
}

fn endpoint_of(text: &str) -> Result<Uri> {
    let bad = |reason: &str| Error::option("hub_endpoint", format!("{reason}, as in {HUB}"));
    let url = url::parse(text.trim_end_matches('/')).map_err(|fault| match fault.into_reason() {
        Ok(reason) => bad(&reason),
        Err(error) => error,
    })?;
    if url.query().is_some() { Err(bad("the address may have no query")) } else { Ok(url) }
}

/// The Hub's token, looked for where the Hub's own tools look.
pub(super) fn hub_token(options: &PullOptions) -> Result<Option<String>> {
    if let Some(token) = &options.hub_token {
        return token_of(token);
    }
    for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] {
        if let Some(token) = variable(name) {
            return token_of(&token);
        }
    }
    let implicit = variable("HF_HUB_DISABLE_IMPLICIT_TOKEN").is_none_or(|off| off == "0");
    let home = || {
        let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
        let cache = cache.or_else(|| dirs::home_dir().map(|home| home.join(".cache")));
        variable("HF_HOME").map(PathBuf::from).or_else(|| Some(cache?.join("huggingface")))
    };
    let path = variable("HF_TOKEN_PATH").map(PathBuf::from).or_else(|| Some(home()?.join("token")));
    let text = path.filter(|_| implicit).and_then(|path| std::fs::read_to_string(path).ok());
    token_of(&text.unwrap_or_default())
}

/// A token that can stand in a header; `None` for an empty one.
fn token_of(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::option("hub_token", "has characters that no token has"));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        let default = PullOptions::default();
        default.validate().unwrap();
        let bad = [
            PullOptions { connections: 0, ..default.clone() },
            PullOptions { connections: 17, ..default.clone() },
            PullOptions { attempts: 0, ..default.clone() },
            PullOptions { backoff_ms: 60_001, ..default.clone() },
            PullOptions { stall_timeout_ms: 99, ..default.clone() },
            PullOptions { part_bytes: 4095, ..default.clone() },
            PullOptions { hub_endpoint: Some("http://hub.example".into()), ..default.clone() },
            PullOptions { hub_endpoint: Some("https://hub.example/?a".into()), ..default.clone() },
            PullOptions { hub_token: Some("hf_secret\r\nX: y".into()), ..default.clone() },
        ];
        for options in bad {
            let error = options.validate().unwrap_err();
            assert!(matches!(error, Error::InvalidOption { .. }), "{options:?}: {error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_token_is_not_printed() {
        let options = PullOptions { hub_token: Some("hf_secret".into()), ..PullOptions::default() };
        assert!(!format!("{options:?}").contains("secret"));
        assert!(format!("{options:?}").contains("part_bytes: 33554432"));
    }

    #[test]
    fn an_endpoint_has_no_slash_at_its_end_and_a_token_no_space() {
        let options = PullOptions {
            hub_endpoint: Some("http://localhost:8/hub/".into()),
            hub_token: Some(" hf_abc\n".into()),
            ..PullOptions::default()
        };
        options.validate().unwrap();
        assert_eq!(hub_endpoint(&options).unwrap().to_string(), "http://localhost:8/hub");
        assert_eq!(hub_token(&options).unwrap().as_deref(), Some("hf_abc"));
        let none = PullOptions { hub_token: Some(String::new()), ..options };
        assert_eq!(hub_token(&none).unwrap(), None);
    }
}
