use std::path::Path;

use proptest::prelude::*;

use super::*;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn parse(text: &str) -> Source {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn good_sources_are_displayed_in_one_way() {
    for (text, displayed) in [
        ("file:a.gguf", None),
        ("file:./a b/100%.gguf", None),
        ("file:../a%20b#?.gguf", None),
        ("file:/models/a.gguf", None),
        ("file:C:/models/a.gguf", None),
        ("file: spaces ", None),
        ("https://example.com/a.gguf", None),
        ("https://example.com:8443/a%20b.gguf?download=true", None),
        ("https://[2001:db8::1]/a", None),
        ("https://example.com/a@b", None),
        ("http://localhost/a", None),
        ("http://127.0.0.1:8080/a", None),
        ("http://[::1]:8080/a", None),
        ("hf:acme/m/a.gguf@main", None),
        ("hf:acme/m/a.gguf", Some("hf:acme/m/a.gguf@main")),
        ("hf:acme/m/dir/a b%é.gguf@refs/pr/1", None),
        ("hf:acme/m/a@b.gguf@v1.0+x", None),
        ("oci:ghcr.io/acme/m:v1", None),
        ("oci:localhost:5000/m:latest", None),
        ("ollama:qwen3", Some("oci:registry.ollama.ai/library/qwen3:latest")),
        ("ollama:qwen3:0.6b", Some("oci:registry.ollama.ai/library/qwen3:0.6b")),
        ("ollama:acme/m:q4_K_M", Some("oci:registry.ollama.ai/acme/m:q4_K_M")),
    ] {
        let source = parse(text);
        assert_eq!(source.to_string(), displayed.unwrap_or(text));
        assert_eq!(parse(&source.to_string()), source);
    }
    let artifact = parse(&format!("oci:ghcr.io/acme/m@sha256:{}", HEX.to_uppercase()));
    assert_eq!(artifact.to_string(), format!("oci:ghcr.io/acme/m@sha256:{HEX}"));
    assert_eq!(
        parse(&format!("ollama:m@sha256:{HEX}")),
        parse(&format!("oci:registry.ollama.ai/library/m@sha256:{HEX}"))
    );
}

#[test]
fn the_parts_are_what_they_seem() {
    assert_eq!(parse("file:C:\\models\\a b.gguf"), Source::File("C:\\models\\a b.gguf".into()));
    let hub = |file: &str, revision: &str| Source::Hub {
        repository: "acme/m".to_owned(),
        file: file.to_owned(),
        revision: revision.to_owned(),
    };
    assert_eq!(parse("hf:acme/m/a/b.gguf"), hub("a/b.gguf", "main"));
    assert_eq!(parse("hf:acme/m/a@b@c"), hub("a@b", "c"));
    let oci = |registry: &str, repository: &str, tag: &str| Source::Oci {
        registry: registry.to_owned(),
        repository: repository.to_owned(),
        reference: Reference::Tag(tag.to_owned()),
    };
    assert_eq!(parse("oci:localhost:5000/a/b:c"), oci("localhost:5000", "a/b", "c"));
}

#[test]
fn other_texts_say_what_would_be_right() {
    for (text, reason) in [
        ("", "write file:PATH"),
        ("a.gguf", "write file:PATH"),
        ("C:\\a.gguf", "write file:PATH"),
        ("ftp://example.com/a", "write file:PATH"),
        ("FILE:a", "write file:PATH"),
        ("file:", "the path is missing"),
        ("file:  ", "the path is missing"),
        ("file:///a", "not a URL"),
        ("file:a\nb", "control character"),
        ("file:a\0b", "control character"),
        ("https:example.com/a", "write https://HOST/PATH"),
        ("https://example.com", "write https://HOST/PATH"),
        ("https://example.com/", "write https://HOST/PATH"),
        ("https:///a", "the host or its port"),
        ("https://exa mple.com/a", "the host or its port"),
        ("https://example.com:0/a", "the host or its port"),
        ("https://example.com:99999/a", "the host or its port"),
        ("https://example.com:+1/a", "the host or its port"),
        ("https://[::1/a", "the host or its port"),
        ("https://me@example.com/a", "user name and password"),
        ("https://me:secret@example.com/a", "user name and password"),
        ("https://example.com/a b", "percent-encoded"),
        ("https://example.com/é", "percent-encoded"),
        ("https://example.com/a#b", "fragment"),
        ("http://example.com/a", "for this machine only"),
        ("http://localhost.example.com/a", "for this machine only"),
        ("hf:acme/m", "write hf:OWNER/REPO/FILE@REVISION"),
        ("hf:acme/m/", "write hf:OWNER/REPO/FILE@REVISION"),
        ("hf:a b/m/c", "the owner and the repository"),
        ("hf:../m/c", "the owner and the repository"),
        ("hf:acme/m/../c", "no `.` or `..`"),
        ("hf:acme/m/a//c", "no `.` or `..`"),
        ("hf:acme/m/a\\c", "no `.` or `..`"),
        ("hf:acme/m/c@", "the revision"),
        ("hf:acme/m/c@a b", "the revision"),
        ("hf:acme/m/c@../..", "the revision"),
        ("hf:acme/m/c@-x", "the revision"),
        ("oci:m:v1", "write oci:REGISTRY"),
        ("oci:ghcr.io/acme/m", "the tag is missing"),
        ("oci:ghcr.io/acme/m:", "a tag is made of"),
        ("oci:ghcr.io/acme/m:a b", "a tag is made of"),
        ("oci:ghcr.io/acme/m@sha256:12", "64 hexadecimal digits"),
        ("oci:ghcr.io/acme/m@md5:12", "64 hexadecimal digits"),
        ("oci:ghcr.io//m:v1", "a repository is made of"),
        ("oci:me:secret@ghcr.io/m:v1", "user name and password"),
        ("oci:g h/m:v1", "the registry is a host"),
        ("ollama:", "a repository is made of"),
        ("ollama:../m", "a repository is made of"),
    ] {
        match text.parse::<Source>() {
            Err(Error::BadSource { reason: found, source_text }) => {
                assert!(found.contains(reason), "{text:?}: {found}");
                assert!(!source_text.contains("secret"), "{source_text}");
            }
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let long = format!("file:{}", "x".repeat(5000)).parse::<Source>().unwrap_err();
    assert!(long.to_string().len() < 400, "{long}");
}

#[test]
fn messages_keep_secrets() {
    for text in [
        "https://me:sec/ret@example.com",
        "https://example.com/a?token=sec/ret x",
        "http://example.com/a?token=sec/ret",
        "oci:me:sec/ret@example.com/m:v1",
        "ftp://me:sec/ret@example.com/a",
    ] {
        let error = text.parse::<Source>().unwrap_err().to_string();
        assert!(!error.contains("sec/ret"), "{error}");
    }
}

proptest! {
    #[test]
    fn what_is_read_comes_back(text in "(file:|https://|http://localhost|hf:|oci:|ollama:)?[a-z./@: %?#é\\\\\\[\\]0-9-]{0,24}") {
        if let Ok(source) = text.parse::<Source>() {
            let displayed = source.to_string();
            prop_assert_eq!(displayed.parse::<Source>().ok(), Some(source));
        }
    }

    #[test]
    fn any_text_has_an_answer(text in any::<String>()) {
        let _ = text.parse::<Source>().map_err(|error| error.to_string());
    }

    #[test]
    fn a_path_comes_back(path in "[^\\p{Cc}]{1,40}") {
        prop_assume!(!path.trim().is_empty() && !path.starts_with("//"));
        let source = Source::File(Path::new(&path).to_owned());
        prop_assert_eq!(source.to_string().parse::<Source>().ok(), Some(source));
    }
}
