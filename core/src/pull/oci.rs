//! Registries: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>.

use std::io::Read;

use serde::Deserialize;
use ureq::http::{HeaderMap, Method, StatusCode, Uri, header};

use super::fault::Fault;
use super::http::Client;
use super::remote::Seen;
use super::url;
use super::worker::Hint;
use crate::checkpoint::Digest;
use crate::lock::{Reference, Source};

/// Bytes of a manifest at most, as the specification advises.
const LIMIT: u64 = 4 << 20;

const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";

/// The types of layers that are the weights of a model.
const WEIGHTS: [&str; 4] = [
    "application/vnd.ollama.image.model",
    "application/vnd.docker.ai.gguf.v3",
    "application/vnd.cncf.model.weight.v1.raw",
    "application/vnd.cncf.model.weight.v1.gguf",
];

/// A manifest, or an index of manifests.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: Option<std::collections::BTreeMap<String, String>>,
}

/// The address of a registry. One on this machine is asked without TLS.
fn base(registry: &str, repository: &str) -> Result<String, Fault> {
    let plain: Uri =
        format!("http://{registry}/").parse().map_err(|_| Fault::lasting("the registry is malformed"))?;
    let scheme = if url::is_this_machine(&plain) { "http" } else { "https" };
    // The registry that Docker means by its own name is another host.
    let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
    Ok(format!("{scheme}://{host}/v2/{repository}"))
}

/// The address of the blob with a digest.
pub(super) fn blob(registry: &str, repository: &str, digest: Digest) -> Result<Uri, Fault> {
    url::parse(&format!("{}/blobs/sha256:{digest}", base(registry, repository)?))
}

/// The address of a manifest.
pub(super) fn manifest(registry: &str, repository: &str, reference: &Reference) -> Result<Uri, Fault> {
    let (Reference::Tag(text) | Reference::Digest(text)) = reference;
    url::parse(&format!("{}/manifests/{text}", base(registry, repository)?))
}

/// Which blob a manifest names.
pub(super) fn look(
    client: &Client,
    registry: &str,
    repository: &str,
    reference: &Reference,
) -> Result<Seen, Fault> {
    let (bytes, own) = get(client, &manifest(registry, repository, reference)?)?;
    if let Reference::Digest(wanted) = reference {
        check(wanted, own)?;
    }
    let mut found = read(&bytes)?;
    if let [only] = found.manifests.as_slice() {
        let inner = Reference::Digest(only.digest.clone());
        let (bytes, own) = get(client, &manifest(registry, repository, &inner)?)?;
        check(&only.digest, own)?;
        found = read(&bytes)?;
    }
    let layer = choose(&found)?;
    let digest = layer.digest.strip_prefix("sha256:").and_then(|digest| digest.parse().ok());
    let digest = digest
        .ok_or_else(|| Fault::lasting("the layer has no SHA-256 digest, which is the only one supported"))?;
    let revision = format!("sha256:{own}");
    let source = Source::Oci {
        registry: registry.to_owned(),
        repository: repository.to_owned(),
        reference: Reference::Digest(revision.clone()),
    };
    Ok(Seen { digest: Some(digest), size: Some(layer.size), revision: Some(revision), source })
}

fn check(wanted: &str, own: Digest) -> Result<(), Fault> {
    if wanted.strip_prefix("sha256:").and_then(|digest| digest.parse().ok()) == Some(own) {
        return Ok(());
    }
    Err(Fault::lasting(format!("the manifest has the digest sha256:{own}, not {wanted}")))
}

/// A manifest's bytes and their digest.
fn get(client: &Client, url: &Uri) -> Result<(Vec<u8>, Digest), Fault> {
    let answer = client.send(&Method::GET, url, &[(header::ACCEPT, ACCEPT)])?;
    let last = answer.last();
    if last.status != StatusCode::OK {
        let fault = Fault::refusal(last.status, &last.headers);
        return Err(match hint(last.status, &last.headers) {
            Some(hint) => fault.explain(|reason| format!("{reason}: {hint}")),
            None => fault,
        });
    }
    let mut bytes = Vec::new();
    answer.body.into_reader().take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(Fault::lasting(format!("the manifest is larger than {} MiB", LIMIT >> 20)));
    }
    let digest = Digest::of_bytes(&bytes);
    Ok((bytes, digest))
}

fn read(bytes: &[u8]) -> Result<Manifest, Fault> {
    let manifest: Manifest = serde_json::from_slice(bytes)
        .map_err(|error| Fault::lasting(format!("the manifest cannot be read: {error}")))?;
    match manifest.schema_version {
        2 => Ok(manifest),
        version => Err(Fault::lasting(format!("the manifest is of version {version}, not 2"))),
    }
}

/// The layer that holds the weights.
fn choose(manifest: &Manifest) -> Result<&Descriptor, Fault> {
    if !manifest.manifests.is_empty() {
        let found = list(&manifest.manifests);
        return Err(Fault::lasting(format!(
            "it is an index of several manifests: name one by its digest: {found}"
        )));
    }
    let is_weights = |layer: &&Descriptor| WEIGHTS.contains(&layer.media_type.as_str());
    let is_titled = |layer: &&Descriptor| {
        let title = layer.annotations.as_ref().and_then(|notes| notes.get("org.opencontainers.image.title"));
        title.is_some_and(|title| title.to_ascii_lowercase().ends_with(".gguf"))
    };
    let by_type: Vec<_> = manifest.layers.iter().filter(is_weights).collect();
    let by_title: Vec<_> = manifest.layers.iter().filter(is_titled).collect();
    let all: Vec<_> = manifest.layers.iter().collect();
    for candidates in [by_type, by_title, all] {
        match candidates.as_slice() {
            [] => {}
            [only] => return Ok(only),
            _ => break,
        }
    }
    Err(Fault::lasting(match manifest.layers.as_slice() {
        [] => "the manifest has no layers".to_owned(),
        layers => format!("none of its layers stands out as the weights of a model: {}", list(layers)),
    }))
}

/// The first of some descriptors, for a message.
fn list(descriptors: &[Descriptor]) -> String {
    let short = |text: &str| text.chars().filter(|c| c.is_ascii_graphic()).take(80).collect::<String>();
    let names =
        descriptors.iter().take(8).map(|one| format!("{} {}", short(&one.media_type), short(&one.digest)));
    names.collect::<Vec<_>>().join(", ")
}

/// What to do about a refusal.
pub(super) const HINT: Hint = hint;

fn hint(status: StatusCode, _: &HeaderMap) -> Option<String> {
    let hint = match status.as_u16() {
        401 | 403 => "only what anybody may read can be pulled from a registry",
        404 => "there is no such artifact: check registry, repository and tag",
        _ => return None,
    };
    Some(hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(types: &[(&str, &str)]) -> String {
        let layer = |(index, (kind, title)): (usize, &(&str, &str))| {
            format!(
                r#"{{"mediaType":"{kind}","digest":"sha256:{index:064}","size":{index},
                    "annotations":{{"org.opencontainers.image.title":"{title}"}}}}"#
            )
        };
        let layers: Vec<_> = types.iter().enumerate().map(layer).collect();
        format!(r#"{{"schemaVersion":2,"layers":[{}]}}"#, layers.join(","))
    }

    fn chosen(manifest: &str) -> Result<u64, String> {
        let manifest = read(manifest.as_bytes()).map_err(|fault| fault.into_reason().unwrap())?;
        choose(&manifest).map(|layer| layer.size).map_err(|fault| fault.into_reason().unwrap())
    }

    #[test]
    fn the_weights_are_found() {
        let template = ("application/vnd.ollama.image.template", "");
        assert_eq!(chosen(&layers(&[template, ("application/vnd.ollama.image.model", ""), template])), Ok(1));
        assert_eq!(chosen(&layers(&[("text/plain", ""), ("application/vnd.docker.ai.gguf.v3", "")])), Ok(1));
        assert_eq!(chosen(&layers(&[("application/x", "README"), ("application/x", "a.GGUF")])), Ok(1));
        assert_eq!(chosen(&layers(&[("application/x", "")])), Ok(0));
    }

    #[test]
    fn doubt_names_the_layers() {
        let two = layers(&[("application/x", "a.gguf"), ("application/y", "b.gguf")]);
        let reason = chosen(&two).unwrap_err();
        assert!(reason.contains("application/x sha256:0") && reason.contains("application/y"), "{reason}");
        let several = layers(&[("application/vnd.ollama.image.model", ""); 2]);
        assert!(chosen(&several).is_err());
        assert!(chosen(&layers(&[])).unwrap_err().contains("no layers"));
        let index = r#"{"schemaVersion":2,"manifests":[
            {"mediaType":"m","digest":"sha256:a","size":1},{"mediaType":"m","digest":"sha256:b","size":1}]}"#;
        assert!(chosen(index).unwrap_err().contains("sha256:a"));
        for bad in ["", "{}", "[]", r#"{"schemaVersion":1}"#, r#"{"schemaVersion":2,"layers":[{}]}"#] {
            assert!(chosen(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_of_registries() {
        let digest = Digest::of_bytes(b"abc");
        let tag = Reference::Tag("latest".into());
        assert_eq!(
            manifest("registry.example:5000", "a/b", &tag).unwrap().to_string(),
            "https://registry.example:5000/v2/a/b/manifests/latest"
        );
        assert!(
            blob("docker.io", "a/b", digest)
                .unwrap()
                .to_string()
                .starts_with("https://registry-1.docker.io/v2/a/b/blobs/sha256:ba7816bf")
        );
        assert!(
            blob("localhost:5000", "a/b", digest).unwrap().to_string().starts_with("http://localhost:5000/")
        );
        assert!(blob("user@registry.example", "a", digest).is_err());
    }
}
