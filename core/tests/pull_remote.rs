//! The Hub, registries, TLS and redirects: who is asked what, and who is told a secret.
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod pull_support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pinfold::lock::{FilePin, Reference};
use pinfold::pull::{fetch, look, pull_file};
use pinfold::{Cancel, Digest, Error, PullOptions, PullWatch, Source, Store};
use pull_support::{Reply, Request, Server, assert_store_is_right, bytes, options, pin, store, tls};

const TOKEN: &str = "hf_verysecret";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn pull(pin: &FilePin, store: &Store, options: &PullOptions) -> pinfold::Result<std::path::PathBuf> {
    pull_file("model", pin, Path::new("."), store, options, PullWatch::default())
}

fn fetched(source: &Source, store: &Store, options: &PullOptions) -> pinfold::Result<pinfold::pull::Fetched> {
    fetch(source, Path::new("."), store, options, PullWatch::default())
}

/// Why something failed; never by a secret.
fn reason<T: std::fmt::Debug>(result: pinfold::Result<T>) -> String {
    match result {
        Err(Error::PullFailed { reason, .. }) if !reason.contains(TOKEN) => reason,
        other => panic!("{other:?}"),
    }
}

/// A Hub whose large files are elsewhere, and the place where they are.
fn hub(body: &Arc<Vec<u8>>, large: bool) -> (Server, Server, PullOptions) {
    let file = body.clone();
    let elsewhere = Server::start(move |request| {
        assert_eq!(request.header("authorization"), None, "the token went to a stranger");
        Reply::file(request, &file, Some("\"cdn\""))
    });
    let (cdn, body) = (elsewhere.url("signed?signature=verysecret"), body.clone());
    let hub = Server::start(move |request| answer(request, &body, large.then_some(cdn.as_str())));
    let options =
        PullOptions { hub_endpoint: Some(hub.url("hub/")), hub_token: Some(TOKEN.to_owned()), ..options() };
    (hub, elsewhere, options)
}

fn answer(request: &Request, body: &Arc<Vec<u8>>, cdn: Option<&str>) -> Reply {
    let refusal = |status, code: &str| Reply::status(status).with("x-error-code", code);
    let Some(path) = request.path.strip_prefix("/hub/") else { return refusal(404, "") };
    if path.starts_with("old/name/") {
        return Reply::redirect(307, request.path.replace("old/name", "owner/repo"));
    }
    if path.starts_with("gated/repo/") {
        return refusal(403, "GatedRepo");
    }
    if request.header("authorization") != Some("Bearer hf_verysecret")
        || !path.starts_with("owner/repo/resolve/")
    {
        return refusal(401, "RepoNotFound");
    }
    let known = [format!("{COMMIT}/sub%20folder/model.gguf"), "main/sub%20folder/model.gguf".to_owned()];
    if !known.iter().any(|known| path.ends_with(known.as_str())) {
        return refusal(404, "EntryNotFound");
    }
    let reply = match cdn {
        Some(cdn) => Reply::redirect(302, cdn)
            .with("x-linked-size", body.len().to_string())
            .with("x-linked-etag", format!("\"{}\"", Digest::of_bytes(body))),
        None => Reply::file(request, body, Some("\"6f6b9a8e6c1b4b7e\"")),
    };
    reply.with("x-repo-commit", COMMIT)
}

#[test]
fn a_file_of_the_hub() {
    for large in [true, false] {
        let body = bytes(30, 100_000);
        let (hub, elsewhere, options) = hub(&body, large);
        let source: Source = "hf:owner/repo/sub folder/model.gguf@main".parse().unwrap();
        let recorded: Source = format!("hf:owner/repo/sub folder/model.gguf@{COMMIT}").parse().unwrap();
        let digest = Digest::of_bytes(&body);

        let offer = look(&source, Path::new("."), &options, &Cancel::new()).unwrap();
        assert_eq!((offer.digest, offer.size), (large.then_some(digest), Some(100_000)));
        assert_eq!(offer.revision.as_deref(), Some(COMMIT));
        assert_eq!(hub.sent() + elsewhere.sent(), 0);

        let folder = tempfile::tempdir().unwrap();
        let got = fetched(&source, &store(folder.path()), &options).unwrap();
        assert_eq!((got.digest, got.size, &got.source), (digest, 100_000, &recorded));
        assert_store_is_right(&store(folder.path()));
        assert_eq!(hub.sent() + elsewhere.sent(), 100_000);
        let last = hub.requests().pop().unwrap();
        assert!(last.path.contains(COMMIT), "the branch might move: {}", last.path);

        let folder = tempfile::tempdir().unwrap();
        let pin = FilePin { sources: vec![recorded], ..pin(&body, &[]) };
        let before = hub.requests().len();
        pull(&pin, &store(folder.path()), &options).unwrap();
        if large {
            assert!(hub.requests().len() - before < 4, "the Hub is asked for every part");
        }
    }
}

/// A branch may have moved to other weights of the same size.
#[test]
fn what_the_hub_says_of_its_bytes_is_enough_to_refuse_them() {
    let (_hub, elsewhere, options) = hub(&bytes(39, 500_000), true);
    let folder = tempfile::tempdir().unwrap();
    let sources = vec!["hf:owner/repo/sub folder/model.gguf@main".parse().unwrap()];
    let old = FilePin { sources, ..pin(&bytes(40, 500_000), &[]) };
    let told = reason(pull(&old, &store(folder.path()), &options));
    let digest = Digest::of_bytes(&bytes(39, 500_000)).to_string();
    assert!(told.contains("other bytes now") && told.contains(&digest), "{told}");
    assert!(elsewhere.sent() <= 16 << 10);
}

#[test]
fn a_renamed_repository_of_the_hub_is_followed() {
    let body = bytes(31, 50_000);
    let (_hub, _elsewhere, options) = hub(&body, true);
    let folder = tempfile::tempdir().unwrap();
    let source: Source = "hf:old/name/sub folder/model.gguf@main".parse().unwrap();
    let got = fetched(&source, &store(folder.path()), &options).unwrap();
    assert_eq!(got.digest, Digest::of_bytes(&body));
}

#[test]
fn refusals_of_the_hub_say_what_to_do_and_no_secret() {
    let body = bytes(32, 1000);
    let (_hub, elsewhere, options) = hub(&body, true);
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    for (source, token, hint) in [
        ("hf:gated/repo/a@main", TOKEN, "accept its terms"),
        ("hf:owner/none/a@main", TOKEN, "HF_TOKEN"),
        ("hf:owner/repo/none.gguf@main", TOKEN, "no such file"),
        ("hf:owner/repo/sub folder/model.gguf@main", "", "HF_TOKEN"),
    ] {
        let options = PullOptions { hub_token: Some(token.to_owned()), ..options.clone() };
        let source: Source = source.parse().unwrap();
        let fetched = reason(fetched(&source, &store, &options));
        assert!(fetched.contains(hint), "{fetched}");
        let pin = FilePin { sources: vec![source.clone()], ..pin(&body, &[]) };
        let pulled = reason(pull(&pin, &store, &options));
        assert!(pulled.contains(hint) && pulled.starts_with(&source.to_string()), "{pulled}");
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

/// The address that the Hub redirects to is good for a while only.
#[test]
fn an_expired_address_is_asked_for_again() {
    let body = bytes(33, 200_000);
    let count = AtomicUsize::new(0);
    let file = body.clone();
    let cdn = Server::start(move |request| match count.fetch_add(1, Ordering::SeqCst) % 3 {
        2 => Reply::status(403),
        _ => Reply::file(request, &file, Some("\"cdn\"")),
    });
    let to = cdn.url("signed");
    let first = Server::start(move |_| Reply::redirect(302, to.clone()));
    let folder = tempfile::tempdir().unwrap();
    let options = PullOptions { connections: 1, ..options() };
    pull(&pin(&body, &[&first.url("a")]), &store(folder.path()), &options).unwrap();
}

/// A registry with anonymous tokens, an issuer of them, and a place where blobs are.
struct Registry {
    main: Server,
    issuer: Server,
    elsewhere: Server,
    manifest: String,
}

fn registry(body: &Arc<Vec<u8>>, layer_type: &str) -> Registry {
    let file = body.clone();
    let elsewhere = Server::start(move |request| {
        assert_eq!(request.header("authorization"), None, "the token went to a stranger");
        Reply::file(request, &file, Some("\"blob\""))
    });
    let issuer = Server::start(|request| {
        assert!(request.path.starts_with("/token?service=reg&scope=repository%3Alibrary%2Fsmall%3Apull"));
        Reply::text(r#"{"token": "anonymous"}"#)
    });
    let digest = Digest::of_bytes(body);
    let manifest = format!(
        r#"{{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {{"mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:00", "size": 2}},
            "layers": [{{"mediaType": "application/vnd.ollama.image.license", "digest": "sha256:11", "size": 3}},
                       {{"mediaType": "{layer_type}", "digest": "sha256:{digest}", "size": {}}}]}}"#,
        body.len()
    );
    let realm = format!(
        r#"Bearer realm="{}",service="reg",scope="repository:library/small:pull""#,
        issuer.url("token")
    );
    let (text, blobs) = (manifest.clone(), elsewhere.url("blob"));
    let of_manifest = format!("sha256:{}", Digest::of_bytes(manifest.as_bytes()));
    let main = Server::start(move |request| {
        if request.header("authorization") != Some("Bearer anonymous") {
            return Reply::status(401).with("www-authenticate", realm.clone());
        }
        let path = request.path.strip_prefix("/v2/library/small/").unwrap_or_default();
        match path.split_once('/') {
            Some(("manifests", wanted)) if wanted == "latest" || wanted == of_manifest => {
                assert!(
                    request.header("accept").unwrap().contains("application/vnd.oci.image.manifest.v1+json")
                );
                Reply::text(text.clone())
            }
            Some(("manifests", "huge")) => Reply::text(" ".repeat(5 << 20)),
            Some(("manifests", wanted)) if wanted.starts_with("sha256:") => Reply::text(text.clone()),
            Some(("blobs", wanted)) if wanted == format!("sha256:{digest}") => {
                Reply::redirect(307, blobs.clone())
            }
            _ => Reply::status(404),
        }
    });
    Registry { main, issuer, elsewhere, manifest }
}

impl Registry {
    fn source(&self, reference: Reference) -> Source {
        let registry = format!("127.0.0.1:{}", self.main.port());
        Source::Oci { registry, repository: "library/small".to_owned(), reference }
    }
}

#[test]
fn an_artifact_of_a_registry() {
    for layer in ["application/vnd.ollama.image.model", "application/vnd.docker.ai.gguf.v3"] {
        let body = bytes(34, 100_000);
        let registry = registry(&body, layer);
        let folder = tempfile::tempdir().unwrap();
        let tag = registry.source(Reference::Tag("latest".to_owned()));
        let got = fetched(&tag, &store(folder.path()), &options()).unwrap();
        let own = format!("sha256:{}", Digest::of_bytes(registry.manifest.as_bytes()));
        assert_eq!((got.digest, got.size), (Digest::of_bytes(&body), 100_000));
        assert_eq!(got.source, registry.source(Reference::Digest(own.clone())));
        assert_eq!(registry.elsewhere.sent(), 100_000);
        assert_store_is_right(&store(folder.path()));
        assert_eq!(registry.issuer.requests().len(), 2, "one token to look, one to download");

        let offer = look(&tag, Path::new("."), &options(), &Cancel::new()).unwrap();
        assert_eq!((offer.digest, offer.size, offer.revision), (Some(got.digest), Some(100_000), Some(own)));

        // By its digest the blob is found even if the tag is gone.
        let folder = tempfile::tempdir().unwrap();
        let pin =
            FilePin { sources: vec![registry.source(Reference::Tag("gone".to_owned()))], ..pin(&body, &[]) };
        pull(&pin, &store(folder.path()), &options()).unwrap();
    }
}

#[test]
fn what_a_registry_may_not_give() {
    let body = bytes(35, 1000);
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let odd = registry(&body, "application/x");
    let try_it = |reference| reason(fetched(&odd.source(reference), &store, &options()));
    let tag = |name: &str| Reference::Tag(name.to_owned());
    let several = try_it(tag("latest"));
    assert!(
        several.contains("application/x sha256:") && several.contains("application/vnd.ollama.image.license"),
        "{several}"
    );
    assert!(try_it(tag("none")).contains("no such artifact"));
    assert!(try_it(tag("huge")).contains("larger than 4 MiB"));
    let other = Digest::of_bytes(b"another manifest");
    let swapped = try_it(Reference::Digest(format!("sha256:{other}")));
    assert!(swapped.contains("the manifest has the digest"), "{swapped}");
}

#[test]
fn a_server_is_trusted_by_a_root_of_the_user_only() {
    let folder = tempfile::tempdir().unwrap();
    let (root, config) = tls::authority(folder.path());
    let body = bytes(36, 100_000);
    let file = body.clone();
    let server = Server::start_with(Some(config), move |request| Reply::file(request, &file, Some("\"v1\"")));
    let (_, stranger) = tls::authority(tempfile::tempdir().unwrap().path());
    let impostor = Server::start_with(Some(stranger), |_| Reply::status(404));
    let store = store(folder.path());
    let pin = pin(&body, &[&server.url("a")]);

    let untrusted = reason(pull(&pin, &store, &options()));
    assert!(untrusted.contains("SSL_CERT_FILE") && untrusted.contains("UnknownIssuer"), "{untrusted}");
    let options = PullOptions { certificates: Some(root.clone()), ..options() };
    let false_one = FilePin { sources: vec![impostor.url("a").parse().unwrap()], ..pin.clone() };
    assert!(reason(pull(&false_one, &store, &options)).contains("invalid peer certificate"));
    assert_eq!(impostor.requests().len() + server.requests().len(), 0, "who is not trusted is asked nothing");

    let path = pull(&pin, &store, &options).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), *body);
    assert_eq!(server.sent(), 100_000);
    assert_store_is_right(&store);
}

#[test]
fn certificates_that_cannot_be_read_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let pin = pin(b"x", &["https://127.0.0.1:1/x"]);
    let with =
        |path: &Path| pull(&pin, &store, &PullOptions { certificates: Some(path.to_owned()), ..options() });
    let path = folder.path().join("roots.pem");
    assert!(matches!(with(&path), Err(Error::Io { path: at, .. }) if at == path));
    for text in ["", "no PEM", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(with(&path), Err(Error::InvalidOption { option: "certificates", .. })), "{text:?}");
    }
}

/// A handshake that is broken off may work the next time; one that is not TLS will not.
#[test]
fn broken_handshakes() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let (root, _) = tls::authority(folder.path());
    let plain = Server::start(|_| Reply::raw(Vec::new()));
    let url = plain.url("a").replace("http://", "https://");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("https://{}/a", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(drop));
    for url in [url, closed] {
        let options = PullOptions { certificates: Some(root.clone()), attempts: 2, ..options() };
        let told = reason(pull(&pin(b"x", &[&url]), &store, &options));
        assert!(told.contains("after 2 attempts"), "{told}");
    }
}

#[test]
fn redirects_are_followed_up_to_ten_times() {
    let body = bytes(37, 50_000);
    let file = body.clone();
    let server = Server::start(move |request| match request.path.trim_start_matches('/').parse::<u32>() {
        Ok(0) => Reply::file(request, &file, Some("\"v1\"")),
        Ok(left) => Reply::redirect([301, 302, 303, 307, 308][left as usize % 5], format!("{}", left - 1)),
        Err(_) => Reply::redirect(302, "http://example.com/insecure?secret=1"),
    });
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    pull(&pin(&body, &[&server.url("10")]), &store, &options()).unwrap();
    let other = bytes(38, 50_000);
    assert!(reason(pull(&pin(&other, &[&server.url("11")]), &store, &options())).contains("more than 10"));
    let insecure = reason(pull(&pin(&other, &[&server.url("x")]), &store, &options()));
    assert!(insecure.contains("http is not secure") && !insecure.contains("secret"), "{insecure}");
}
