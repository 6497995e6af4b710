//! How a server is asked.

use std::fmt;
use std::path::PathBuf;

use ureq::http::Uri;

use crate::error::{Error, Result};
use crate::pull::url;

/// What a server understands beside OpenAI's chat completions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// Nothing: what OpenAI documents.
    #[default]
    OpenAi,
    /// `llama-server` of llama.cpp: more filters of sampling, grammars in GBNF, variables of the chat template.
    LlamaServer,
    /// `llama-cpp-python[server]`: more filters of sampling, and schemas in its own form.
    LlamaCppPython,
}

/// How a server is asked. `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenAiOptions {
    /// What the server understands.
    pub dialect: Dialect,
    /// The key; empty for none. Without it the environment has it, see [`api_key_env`](Self::api_key_env).
    pub api_key: Option<String>,
    /// The variable of the environment that has the key. That of the default is sent over TLS, or to this machine,
    /// only; a key that is asked for by name or given is refused elsewhere.
    pub api_key_env: String,
    /// A PEM file of certificates that are trusted beside Mozilla's; without it that of `SSL_CERT_FILE`.
    pub certificates: Option<PathBuf>,
    /// Milliseconds in which a connection has to stand.
    pub connect_timeout_ms: u32,
    /// Milliseconds until the first byte of the answer: the server reads the prompt in that time.
    pub first_byte_timeout_ms: u32,
    /// Milliseconds between two pieces of the answer.
    pub idle_timeout_ms: u32,
    /// Milliseconds for the whole request, retries included.
    pub total_timeout_ms: u32,
    /// Attempts, 1 to 20, as long as nothing was answered: a server that refuses the connection, has too much to do
    /// (429) or fails (5xx) is asked again.
    pub attempts: u32,
    /// Milliseconds before the second attempt, at most a minute; doubled with each. A server that asks for more, at
    /// most a minute, gets it.
    pub backoff_ms: u32,
    /// Whether the server has to follow schemas to the letter (`strict`); OpenAI refuses many schemas then.
    pub strict_schema: bool,
}

/// The variable that OpenAI's own clients read.
const KEY_VARIABLE: &str = "OPENAI_API_KEY";

impl Default for OpenAiOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            api_key: None,
            api_key_env: KEY_VARIABLE.to_owned(),
            certificates: None,
            connect_timeout_ms: 10_000,
            first_byte_timeout_ms: 300_000,
            idle_timeout_ms: 60_000,
            total_timeout_ms: 900_000,
            attempts: 4,
            backoff_ms: 500,
            strict_schema: false,
        }
    }
}

impl fmt::Debug for OpenAiOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dialect,
            api_key,
            api_key_env,
            certificates,
            connect_timeout_ms,
            first_byte_timeout_ms,
            idle_timeout_ms,
            total_timeout_ms,
            attempts,
            backoff_ms,
            strict_schema,
        } = self;
        formatter
            .debug_struct("OpenAiOptions")
            .field("dialect", dialect)
            .field("api_key", &api_key.as_ref().map(|_| "..."))
            .field("api_key_env", api_key_env)
            .field("certificates", certificates)
            .field("connect_timeout_ms", connect_timeout_ms)
            .field("first_byte_timeout_ms", first_byte_timeout_ms)
            .field("idle_timeout_ms", idle_timeout_ms)
            .field("total_timeout_ms", total_timeout_ms)
            .field("attempts", attempts)
            .field("backoff_ms", backoff_ms)
            .field("strict_schema", strict_schema)
            .finish()
    }
}

impl OpenAiOptions {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::InvalidOption`].
    pub(super) fn validate(&self) -> Result<()> {
        for (option, value) in [
            ("connect_timeout_ms", self.connect_timeout_ms),
            ("first_byte_timeout_ms", self.first_byte_timeout_ms),
            ("idle_timeout_ms", self.idle_timeout_ms),
            ("total_timeout_ms", self.total_timeout_ms),
        ] {
            if value == 0 {
                return Err(Error::option(option, "must be at least 1"));
            }
        }
        if !(1..=20).contains(&self.attempts) {
            return Err(Error::option("attempts", format!("must be from 1 to 20, but is {}", self.attempts)));
        }
        if self.backoff_ms > 60_000 {
            return Err(Error::option(
                "backoff_ms",
                format!("must be at most 60000, but is {}", self.backoff_ms),
            ));
        }
        Ok(())
    }

    /// The key for a server.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for one that cannot stand in a header, or that would travel unencrypted.
    pub(super) fn key(&self, server: &Uri) -> Result<Option<String>> {
        let variable = || std::env::var(&self.api_key_env).ok();
        let key = self.api_key.clone().or_else(variable).map(|key| key.trim().to_owned());
        let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(None) };
        if !key.bytes().all(|byte| (0x21..0x7F).contains(&byte)) {
            return Err(Error::option("api_key", "it has bytes that cannot stand in a header"));
        }
        if server.scheme_str() == Some("https") || url::is_this_machine(server) {
            return Ok(Some(key));
        }
        if self.api_key.is_none() && self.api_key_env == KEY_VARIABLE {
            return Ok(None);
        }
        Err(Error::option("api_key", "a key is not sent unencrypted: use https, or give no key"))
    }
}

/// The address of chat completions below `base`, e.g. `https://api.openai.com/v1`.
///
/// # Errors
/// [`Error::InvalidOption`]; the address is not quoted, as it may hold a secret.
pub(super) fn address(base: &str) -> Result<Uri> {
    let bad = |what: &str| Error::option("url", what);
    if base.contains(['?', '#']) {
        return Err(bad("it must not have `?` or `#`"));
    }
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix("/chat/completions").unwrap_or(base);
    let url: Uri = format!("{base}/chat/completions").parse().map_err(|_| bad("it is malformed"))?;
    let Some(authority) = url.authority() else {
        return Err(bad("it names no host; it looks like http://localhost:8080/v1"));
    };
    if authority.as_str().contains('@') {
        return Err(bad("it carries a user name or password; give a key instead"));
    }
    match url.scheme_str() {
        Some("http" | "https") => Ok(url),
        _ => Err(bad("it must begin with http:// or https://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_completed() {
        for (base, whole) in [
            ("http://localhost:8000/v1", "http://localhost:8000/v1/chat/completions"),
            ("https://a.example/v1/", "https://a.example/v1/chat/completions"),
            ("https://a.example/v1/chat/completions", "https://a.example/v1/chat/completions"),
            ("http://10.0.0.7:8080", "http://10.0.0.7:8080/chat/completions"),
        ] {
            assert_eq!(address(base).unwrap().to_string(), whole);
        }
        for bad in [
            "",
            "localhost:80",
            "ftp://a/v1",
            "https://me:secret@a/v1",
            "https://a/v1?key=secret",
            "http://a b/",
        ] {
            let error = address(bad).unwrap_err();
            assert!(matches!(error, Error::InvalidOption { option: "url", .. }), "{bad}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn keys_stay_secret() {
        let [local, far, tls] = ["http://127.0.0.1/v1", "http://a.example/v1", "https://a.example/v1"]
            .map(|base| address(base).unwrap());
        let given = OpenAiOptions { api_key: Some(" secret\n".into()), ..OpenAiOptions::default() };
        assert!(!format!("{given:?}").contains("secret"));
        assert_eq!(given.key(&local).unwrap().as_deref(), Some("secret"));
        assert_eq!(given.key(&tls).unwrap().as_deref(), Some("secret"));
        assert!(!given.key(&far).unwrap_err().to_string().contains("secret"));
        let none = OpenAiOptions { api_key: Some(String::new()), ..given.clone() };
        assert_eq!(none.key(&far).unwrap(), None);
        let injected = OpenAiOptions { api_key: Some("secret\r\nX: y".into()), ..given };
        assert!(!injected.key(&tls).unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn ranges_are_checked() {
        let default = OpenAiOptions::default();
        default.validate().unwrap();
        for bad in [
            OpenAiOptions { attempts: 0, ..default.clone() },
            OpenAiOptions { attempts: 21, ..default.clone() },
            OpenAiOptions { idle_timeout_ms: 0, ..default.clone() },
            OpenAiOptions { backoff_ms: 60_001, ..default.clone() },
        ] {
            assert!(matches!(bad.validate(), Err(Error::InvalidOption { .. })), "{bad:?}");
        }
    }
}
