//! The Hugging Face Hub: <https://huggingface.co/docs/hub/models-downloading>.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::{HeaderMap, Method, StatusCode, Uri};

use super::fault::Fault;
use super::http::{Answer, Client};
use super::remote::Seen;
use super::url::{self, Origin};
use super::worker::Hint;
use crate::checkpoint::Digest;
use crate::lock::Source;

/// What stands in a segment of a path as it is (RFC 3986, section 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of a file.
pub(super) fn address(endpoint: &Uri, repository: &str, file: &str, revision: &str) -> Result<Uri, Fault> {
    let path = |text: &str| {
        let segments: Vec<_> =
            text.split('/').map(|segment| utf8_percent_encode(segment, SEGMENT).to_string()).collect();
        segments.join("/")
    };
    let revision = utf8_percent_encode(revision, SEGMENT);
    let endpoint = endpoint.to_string();
    let endpoint = endpoint.trim_end_matches('/');
    url::parse(&format!("{endpoint}/{}/resolve/{revision}/{}", path(repository), path(file)))
}

/// What a file is now. The Hub answers itself; where its bytes are stored is not asked.
pub(super) fn look(client: &Client, url: &Uri, repository: &str, file: &str) -> Result<Seen, Fault> {
    let home = Origin::of(url);
    let answer = client.send_within(&Method::HEAD, url, &[], |next| Origin::of(next) == home)?;
    let last = answer.last();
    if last.status.is_client_error() || last.status.is_server_error() {
        let fault = Fault::refusal(last.status, &last.headers);
        return Err(match hint(last.status, &last.headers) {
            Some(hint) => fault.explain(|reason| format!("{reason}: {hint}")),
            None => fault,
        });
    }
    let header = |name: &str| answer.hops.iter().rev().find_map(|hop| hop.header(name));
    let commit = header("x-repo-commit").filter(|commit| is_commit(commit));
    let commit = commit.ok_or_else(|| Fault::lasting("it does not answer as the Hub does"))?.to_owned();
    let digest = digest(&answer);
    let own_size = || last.header("content-length").filter(|_| last.status == StatusCode::OK);
    let size = header("x-linked-size").or_else(own_size).and_then(|size| size.parse().ok());
    let source =
        Source::Hub { repository: repository.to_owned(), file: file.to_owned(), revision: commit.clone() };
    Ok(Seen { digest, size, revision: Some(commit), source })
}

/// What the Hub, or who stands in for it, says of a file before it redirects to where the bytes are: the ETag of
/// a large file is its SHA-256. That of a small one is none.
pub(super) fn digest(answer: &Answer) -> Option<Digest> {
    let etag = answer.hops.iter().rev().find_map(|hop| hop.header("x-linked-etag"))?;
    etag.trim_matches('"').parse().ok()
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What to do about a refusal. The Hub says by a header what it means.
pub(super) const HINT: Hint = hint;

fn hint(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let code = headers.get("x-error-code").and_then(|code| code.to_str().ok());
    let hint = match (status.as_u16(), code) {
        (_, Some("GatedRepo")) => {
            "the repository is gated: accept its terms on its page, then set HF_TOKEN to a token of that account"
        }
        (_, Some("RevisionNotFound")) => "there is no such revision",
        (_, Some("EntryNotFound")) => "there is no such file at this revision",
        (401, _) | (_, Some("RepoNotFound")) => {
            "there is no such repository, or it is private: check the name, or set HF_TOKEN to a token that may read it"
        }
        (403, _) => {
            "the token in HF_TOKEN may not read it: accept the terms of the repository on its page, or use another token"
        }
        (404, _) => "there is no such file: check repository, file and revision",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_escaped() {
        let endpoint = "https://hub.example/base".parse().unwrap();
        let url = address(&endpoint, "owner/repo.v1", "sub folder/ü#1?.gguf", "refs/pr/1").unwrap();
        assert_eq!(
            url.to_string(),
            "https://hub.example/base/owner/repo.v1/resolve/refs%2Fpr%2F1/sub%20folder/%C3%BC%231%3F.gguf"
        );
        let endpoint = "https://hub.example".parse().unwrap();
        let url = address(&endpoint, "a/b", "c", "main").unwrap();
        assert_eq!(url.to_string(), "https://hub.example/a/b/resolve/main/c");
    }

    #[test]
    fn refusals_say_what_to_do() {
        let say = |status: u16, code: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-error-code", code.parse().unwrap());
            hint(StatusCode::from_u16(status).unwrap(), &headers).unwrap_or_default()
        };
        assert!(say(401, "GatedRepo").contains("accept its terms"));
        assert!(say(403, "GatedRepo").contains("accept its terms"));
        assert!(say(401, "").contains("HF_TOKEN"));
        assert!(say(404, "RevisionNotFound").contains("revision"));
        assert!(say(404, "EntryNotFound").contains("file"));
        assert_eq!(say(500, ""), "");
    }
}
