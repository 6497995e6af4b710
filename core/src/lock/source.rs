//! Where the bytes of a pin can be had.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::checkpoint::Digest;
use crate::error::Error;

/// A place that bytes can be had from. Displayed and parsed as it stands in a lock file:
///
/// - `file:PATH`, relative to the folder of the lock file; the path stands there as it is, without escapes;
/// - `https://HOST/PATH` (`http://` only to this machine);
/// - `hf:OWNER/REPO/FILE@REVISION`, a file of a repository of the Hugging Face Hub, also without escapes;
/// - `oci:REGISTRY/REPOSITORY:TAG` or `...@sha256:DIGEST`, an artifact of an OCI registry;
///   `ollama:NAME:TAG` is read as `oci:registry.ollama.ai/library/NAME:TAG`.
///
/// Lock files are shared, so that a URL with a user name or password is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// A file of this machine.
    File(PathBuf),
    /// A URL.
    Url(String),
    /// A file of the Hugging Face Hub.
    Hub {
        /// `OWNER/REPO`.
        repository: String,
        /// The path of the file in the repository.
        file: String,
        /// A commit, a branch or a tag; `main` where none was given.
        revision: String,
    },
    /// An artifact of an OCI registry.
    Oci {
        /// The host, with the port if there is one.
        registry: String,
        /// The repository.
        repository: String,
        /// Which artifact of it.
        reference: Reference,
    },
}

/// Which artifact of an OCI repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A name that may move.
    Tag(String),
    /// The digest of a manifest: `sha256:` and 64 hexadecimal digits.
    Digest(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // One spelling for all systems.
            Self::File(path) if cfg!(windows) => {
                write!(f, "file:{}", path.display().to_string().replace('\\', "/"))
            }
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Url(url) => f.write_str(url),
            Self::Hub { repository, file, revision } => write!(f, "hf:{repository}/{file}@{revision}"),
            Self::Oci { registry, repository, reference } => {
                let separator = match reference {
                    Reference::Tag(_) => ':',
                    Reference::Digest(_) => '@',
                };
                write!(f, "oci:{registry}/{repository}{separator}{reference}")
            }
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(text) | Self::Digest(text) => f.write_str(text),
        }
    }
}

impl FromStr for Source {
    type Err = Error;

    /// # Errors
    /// [`Error::BadSource`].
    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|reason| Error::BadSource { source_text: shown(text), reason: reason.into() })
    }
}

/// The registry of Ollama's models, and the folder of those that have no other.
const OLLAMA: &str = "registry.ollama.ai";
const OLLAMA_LIBRARY: &str = "library";

/// Characters of a source at most.
const LONGEST: usize = 2000;

const FORMS: &str = "write file:PATH, https://HOST/PATH, hf:OWNER/REPO/FILE@REVISION, oci:REGISTRY/REPOSITORY:TAG \
                     or ollama:NAME:TAG";

type Parsed<T> = Result<T, &'static str>;

fn parse(text: &str) -> Parsed<Source> {
    if text.chars().any(char::is_control) {
        return Err("it has a control character in it, such as a line break: remove it");
    }
    if text.chars().count() > LONGEST {
        return Err("it has more than 2000 characters");
    }
    match text.split_once(':') {
        Some(("file", path)) => parse_file(path),
        Some(("https" | "http", _)) => parse_url(text),
        Some(("hf", rest)) => parse_hub(rest),
        Some(("oci", rest)) => parse_oci(rest),
        Some(("ollama", rest)) => parse_ollama(rest),
        _ => Err(FORMS),
    }
}

fn parse_file(path: &str) -> Parsed<Source> {
    if path.starts_with("//") {
        return Err("write file:PATH with a path that is relative or begins with one /, not a URL");
    }
    if path.trim().is_empty() {
        return Err("the path is missing: write file:PATH");
    }
    Ok(Source::File(PathBuf::from(path)))
}

fn parse_url(url: &str) -> Parsed<Source> {
    const FORM: &str = "write https://HOST/PATH";
    let (scheme, rest) = url.split_once("://").ok_or(FORM)?;
    let (authority, path) = rest.split_once('/').ok_or(FORM)?;
    if authority.contains('@') {
        return Err("lock files are shared: leave the user name and password out");
    }
    let host = host_of(authority).ok_or("the host or its port is malformed")?;
    if scheme == "http" && !["localhost", "127.0.0.1", "[::1]"].contains(&host) {
        return Err("http:// is for this machine only (localhost, 127.0.0.1, [::1]): write https://");
    }
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(
            "spaces and other characters than ASCII must be percent-encoded in a URL, a space as %20",
        );
    }
    if path.contains('#') {
        return Err("a fragment (#...) is never sent: leave it out");
    }
    if path.is_empty() { Err(FORM) } else { Ok(Source::Url(url.to_owned())) }
}

fn parse_hub(rest: &str) -> Parsed<Source> {
    const FORM: &str = "write hf:OWNER/REPO/FILE@REVISION";
    let (path, revision) = rest.rsplit_once('@').unwrap_or((rest, "main"));
    let mut parts = path.splitn(3, '/');
    let (Some(owner), Some(repository), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(FORM);
    };
    if !is_name(owner) || !is_name(repository) {
        return Err("the owner and the repository are made of letters, digits, `.`, `_` and `-`");
    }
    if file.is_empty() {
        return Err(FORM);
    }
    if file.contains('\\') || file.split('/').any(|part| ["", ".", ".."].contains(&part)) {
        return Err(
            "the file is a path in the repository, with / between its parts, and no `.` or `..` among them",
        );
    }
    // What git allows in a name, but for what no one uses.
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/+".contains(&byte);
    if revision.is_empty()
        || !revision.bytes().all(fits)
        || revision.contains("..")
        || revision.starts_with(['-', '/'])
    {
        return Err("what follows the last @ is the revision: a commit, a branch or a tag");
    }
    let repository = format!("{owner}/{repository}");
    Ok(Source::Hub { repository, file: file.to_owned(), revision: revision.to_owned() })
}

fn parse_oci(rest: &str) -> Parsed<Source> {
    const FORM: &str = "write oci:REGISTRY/REPOSITORY:TAG or oci:REGISTRY/REPOSITORY@sha256:DIGEST";
    let (registry, rest) = rest.split_once('/').ok_or(FORM)?;
    if registry.contains('@') {
        return Err("lock files are shared: leave the user name and password out");
    }
    host_of(registry).ok_or("the registry is a host, with :PORT behind it if there is one")?;
    let (repository, reference) = artifact(rest)?;
    let reference = reference.ok_or("the tag is missing: end with :TAG or @sha256:DIGEST")?;
    Ok(Source::Oci { registry: registry.to_owned(), repository, reference })
}

fn parse_ollama(name: &str) -> Parsed<Source> {
    let (name, reference) = artifact(name)?;
    let repository = if name.contains('/') { name } else { format!("{OLLAMA_LIBRARY}/{name}") };
    // As Ollama does.
    let reference = reference.unwrap_or_else(|| Reference::Tag("latest".to_owned()));
    Ok(Source::Oci { registry: OLLAMA.to_owned(), repository, reference })
}

/// A repository, and which artifact of it if that is said.
fn artifact(text: &str) -> Parsed<(String, Option<Reference>)> {
    let (repository, reference) = if let Some((repository, digest)) = text.split_once('@') {
        let hex = digest.strip_prefix("sha256:").filter(|hex| hex.parse::<Digest>().is_ok());
        let hex = hex.ok_or("what follows the @ is a digest: sha256: and 64 hexadecimal digits")?;
        (repository, Some(Reference::Digest(format!("sha256:{}", hex.to_ascii_lowercase()))))
    } else if let Some((repository, tag)) = text.split_once(':') {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=128).contains(&tag.len()) || !tag.bytes().all(fits) || tag.starts_with(['.', '-']) {
            return Err("a tag is made of 1 to 128 letters, digits, `.`, `_` and `-`");
        }
        (repository, Some(Reference::Tag(tag.to_owned())))
    } else {
        (text, None)
    };
    if !repository.split('/').all(is_name) {
        return Err("a repository is made of letters, digits, `.`, `_` and `-`, with / between its parts");
    }
    Ok((repository.to_owned(), reference))
}

/// Part of the name of a repository.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(fits) && !text.starts_with(['.', '-'])
}

/// The host of `HOST[:PORT]`, if both are well-formed.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.find(']')) {
        Some(end) => authority.split_at(end + 2),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let well_formed = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !host.is_empty()
                && host.bytes().all(fits)
                && host.starts_with(|c: char| c.is_ascii_alphanumeric())
        }
    };
    let port_fits = port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
        });
    (well_formed && port_fits).then_some(host)
}

/// A source for a message: without what may be a secret, and not too long.
fn shown(text: &str) -> String {
    let place = text.find("://").map(|place| place + 3).or(text.starts_with("oci:").then_some(4));
    let (scheme, rest) = text.split_at(place.unwrap_or(text.len()));
    let text = if rest.contains('@') && !rest.contains("@sha256:") {
        format!("{scheme}...")
    } else if let Some((path, _)) = rest.split_once('?') {
        format!("{scheme}{path}?...")
    } else {
        text.to_owned()
    };
    if text.chars().count() > 200 { text.chars().take(200).chain(['…']).collect() } else { text }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
