//! Edits of lock files: they change what they must and nothing else.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use pinfold::checkpoint::Digest;
use pinfold::lock::{AdapterPin, CheckpointPin, Expected, FilePin, Golden, GoldenInput, Recorded};
use pinfold::{Error, LockFile, Message, Role, Sampling, Source, Token};

fn digest(text: &str) -> Digest {
    Digest::of_bytes(text.as_bytes())
}

fn file(sources: &[&str], bytes: &str) -> FilePin {
    FilePin {
        sources: sources.iter().map(|source| source.parse().unwrap()).collect(),
        sha256: digest(bytes),
        size: bytes.len() as u64,
        licence: "MIT".to_owned(),
        minisig: None,
    }
}

fn checkpoint(bytes: &str) -> CheckpointPin {
    CheckpointPin {
        file: file(&["file:intent.gguf"], bytes),
        architecture: "llama".to_owned(),
        quantization: "Q8_0".to_owned(),
        context_length: 512,
        tokenizer_sha256: digest("tokenizer"),
        chat_template_sha256: None,
    }
}

fn adapter(base: &CheckpointPin) -> AdapterPin {
    AdapterPin {
        file: file(&["https://example.com/style.gguf"], "style"),
        architecture: "llama".to_owned(),
        base: "intent".to_owned(),
        base_sha256: base.file.sha256,
    }
}

fn golden() -> Golden {
    Golden {
        checkpoint: "intent".to_owned(),
        input: GoldenInput::Text("play \"jazz\"\n".to_owned()),
        sampling: Sampling::default(),
        preset: None,
        max_tokens: 8,
        stop: Vec::new(),
        expected: Expected {
            prompt_sha256: digest("prompt"),
            tokens: vec![1, 2],
            text: "a\r\nb".to_owned(),
            logprobs: vec![-0.012, 0.0],
            finish: "stop".to_owned(),
        },
        recorded: Recorded { runtime: "0.1.0".into(), backend: "scripted".into(), llama_cpp: "".into() },
    }
}

fn parse(text: &str) -> LockFile {
    LockFile::from_bytes("pinfold.lock", text).unwrap()
}

#[test]
fn a_new_file_reads_like_the_guide() {
    let mut lock = LockFile::open_or_new("/none/pinfold.lock").unwrap();
    let mut pin = checkpoint("weights");
    pin.file.sources.push("hf:acme/intent/intent.gguf".parse().unwrap());
    lock.set_golden("jazz", &golden()).unwrap_err();
    lock.set_checkpoint("intent", &pin).unwrap();
    let mut second = golden();
    second.input =
        GoldenInput::Messages(vec![Message::new(Role::System, "Short."), Message::new(Role::User, "Hi")]);
    second.sampling = Sampling { temperature: 0.2, seed: 7, ..Default::default() };
    second.sampling.logit_bias.insert(Token(5), f32::NEG_INFINITY);
    second.stop = vec!["\n".to_owned(), "end".to_owned()];
    lock.set_golden("chat.1", &second).unwrap();
    lock.set_adapter("style", &adapter(&pin)).unwrap();
    lock.set_sampling("precise", &Sampling { temperature: 0.1, ..Default::default() }).unwrap();
    let wanted = format!(
        r#"version = 1

[checkpoints.intent]
sources = [
    "file:intent.gguf",
    "hf:acme/intent/intent.gguf@main",
]
sha256 = "{weights}"
size = 7
format = "gguf"
architecture = "llama"
quantization = "Q8_0"
context_length = 512
licence = "MIT"
tokenizer_sha256 = "{tokenizer}"

[adapters.style]
sources = ["https://example.com/style.gguf"]
sha256 = "{style}"
size = 5
format = "gguf"
architecture = "llama"
licence = "MIT"
base = "intent"
base_sha256 = "{weights}"

[sampling.precise]
temperature = 0.1

[goldens."chat.1"]
checkpoint = "intent"
messages = [
    {{ role = "system", content = "Short." }},
    {{ role = "user", content = "Hi" }},
]
sampling = {{ temperature = 0.2, seed = 7, logit_bias = {{ 5 = -inf }} }}
max_tokens = 8
stop = ["\n", "end"]
tokens = [1, 2]
text = "a\r\nb"
logprobs = [-0.012, 0.0]
prompt_sha256 = "{prompt}"
finish = "stop"
recorded = {{ runtime = "0.1.0", backend = "scripted", llama_cpp = "" }}
"#,
        weights = digest("weights"),
        tokenizer = digest("tokenizer"),
        style = digest("style"),
        prompt = digest("prompt"),
    );
    assert_eq!(lock.text(), wanted);
    assert!(lock.remove_golden("chat.1").unwrap() && lock.remove_adapter("style").unwrap());
    assert!(lock.remove_checkpoint("intent").unwrap() && lock.remove_sampling("precise").unwrap());
    assert!(!lock.remove_checkpoint("intent").unwrap(), "it is gone");
    assert_eq!(lock.text(), "version = 1\n");
}

/// A document as a person writes one, with CRLF, comments and spellings of many kinds.
fn personal() -> String {
    let text = format!(
        r#"# Pins of the app, see the wiki.
version = 1   # never touch

# --- checkpoints ---
[ checkpoints . "intent" ]  # the small one
sources = [
  # our mirror first
  'file:intent.gguf',  # in the repository
  "hf:acme/intent/a.gguf",
]
size = 0x7
sha256 = "{weights}" # of the release
format = "gguf"
  architecture = "llama"
quantization = "Q8_0"; context
"#,
        weights = digest("weights").to_string().to_uppercase(),
    );
    let text = text.replace("; context", "\ncontext_length = 5_12");
    let rest = format!(
        r#"licence = """
MIT"""
tokenizer_sha256 = "{tokenizer}"
# what comes next
# speaks of goldens

# --- goldens ---
[goldens]
jazz.checkpoint = "intent"
jazz.input = 'play "jazz"'
jazz.sampling = {{ temperature = 0.20, seed = 7 }} # warm
jazz.max_tokens = 8
jazz.tokens = [1, 2]
jazz.text = "a"
jazz.logprobs = [-0.012, 0]
jazz.prompt_sha256 = "{prompt}"
jazz.finish = "stop"
jazz.recorded.runtime = "0.1.0"
jazz.recorded.backend = "scripted"
jazz.recorded.llama_cpp = "" # none

# the end
"#,
        tokenizer = digest("tokenizer"),
        prompt = digest("prompt"),
    );
    (text + &rest).replace('\n', "\r\n")
}

/// The lines that stand in one of the two only.
fn changed_lines(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let only = |one: &str, other: &str| {
        let mut rest: Vec<&str> = other.split_inclusive('\n').collect();
        let lines = one.split_inclusive('\n').filter(|line| match rest.iter().position(|r| r == line) {
            Some(place) => {
                rest.remove(place);
                false
            }
            None => true,
        });
        lines.map(str::to_owned).collect()
    };
    (only(before, after), only(after, before))
}

#[test]
fn an_update_changes_the_values_that_changed() {
    let text = personal();
    let mut lock = parse(&text);
    let mut pin = lock.lock().checkpoints["intent"].clone();
    lock.set_checkpoint("intent", &pin).unwrap();
    assert_eq!(lock.text(), text, "nothing changed");

    pin.file.sha256 = digest("new");
    pin.context_length = 1024;
    pin.file.sources.push("ollama:intent".parse().unwrap());
    lock.set_checkpoint("intent", &pin).unwrap();
    let (gone, come) = changed_lines(&text, lock.text());
    assert_eq!(gone.len(), 2, "{gone:#?}");
    assert_eq!(
        come,
        [
            "  \"oci:registry.ollama.ai/library/intent:latest\",\r\n".to_owned(),
            format!("sha256 = \"{}\" # of the release\r\n", digest("new")),
            "context_length = 1024\r\n".to_owned(),
        ]
    );

    pin.file.sources.remove(0);
    pin.chat_template_sha256 = Some(digest("template"));
    let before = lock.text().to_owned();
    lock.set_checkpoint("intent", &pin).unwrap();
    let (gone, come) = changed_lines(&before, lock.text());
    assert_eq!(gone, ["  'file:intent.gguf',  # in the repository\r\n"]);
    assert_eq!(come, [format!("chat_template_sha256 = \"{}\"\r\n", digest("template"))]);
}

#[test]
fn dotted_keys_and_inline_tables_are_edited_in_their_own_style() {
    let text = personal();
    let mut lock = parse(&text);
    let mut golden = lock.lock().goldens["jazz"].clone();
    golden.sampling.top_k = 40;
    golden.sampling.seed = 8;
    golden.stop = vec!["\r\n".to_owned()];
    golden.recorded.backend = "cpu".to_owned();
    golden.expected.logprobs[0] = -0.5;
    lock.set_golden("jazz", &golden).unwrap();
    let (gone, come) = changed_lines(&text, lock.text());
    assert_eq!(gone.len(), 3, "{gone:#?}");
    assert_eq!(
        come,
        [
            "jazz.sampling = { temperature = 0.20, seed = 8, top_k = 40 } # warm\r\n",
            "jazz.logprobs = [-0.5, 0]\r\n",
            "jazz.recorded.backend = \"cpu\"\r\n",
            "jazz.stop = [\"\\r\\n\"]\r\n",
        ]
    );
    golden.sampling = Sampling::default();
    let before = lock.text().to_owned();
    lock.set_golden("jazz", &golden).unwrap();
    let (gone, come) = changed_lines(&before, lock.text());
    assert_eq!((gone.len(), come.len()), (1, 0), "{gone:#?} {come:#?}");
}

#[test]
fn a_new_entry_stands_after_the_last_of_its_section() {
    let mut lock = parse(&personal());
    lock.set_checkpoint("other", &checkpoint("other")).unwrap();
    let text = lock.text();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part:?} in {text}"));
    assert!(
        place("# speaks of goldens\r\n\r\n[checkpoints.other]\r\n") < place("# --- goldens ---"),
        "{text}"
    );
    assert!(!text.replace("\r\n", "").contains('\n'), "a line ends in another way");
    assert!(lock.remove_checkpoint("other").unwrap());
    assert_eq!(lock.text(), personal(), "as it was");

    lock.set_golden("second", &golden()).unwrap();
    let text = lock.text();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part:?} in {text}"));
    assert!(place("jazz.recorded.llama_cpp") < place("[goldens.second]"), "{text}");
}

#[test]
fn an_entry_takes_its_lines_with_it_and_no_other() {
    let text = personal();
    let mut lock = parse(&text);
    let refused = lock.remove_checkpoint("intent").unwrap_err();
    assert!(matches!(&refused, Error::BadLock { reason, .. } if reason.contains("\"intent\"")), "{refused}");
    assert_eq!(lock.text(), text, "a refused edit changes nothing");
    assert!(lock.remove_golden("jazz").unwrap());
    let (gone, come) = changed_lines(&text, lock.text());
    assert!(gone.iter().all(|line| line.starts_with("jazz.")) && come.is_empty(), "{gone:#?}");
    assert!(lock.remove_checkpoint("intent").unwrap());
    for comment in
        ["# never touch", "# --- checkpoints ---", "# speaks of goldens", "# --- goldens ---", "# the end"]
    {
        assert!(lock.text().contains(comment), "{comment}");
    }
}

#[test]
fn tables_in_other_places_are_edited_there() {
    for text in [
        "version = 1\nsampling = { a = { top_k = 1 }, b = { top_k = 2 } }\n",
        "sampling.a.top_k = 1\nversion = 1\nsampling.b.top_k = 2",
        "version = 1\n[sampling]\na = { top_k = 1 } # a\nb.top_k = 2 # b\n[checkpoints]",
        "version = 1\n[sampling.a] # a\n[sampling.b]\ntop_k = 2\n[sampling.a.logit_bias]\n3 = 1.0",
        "version = 1\n[sampling.a.logit_bias]\n3 = 1.0\n",
        "\u{feff}sampling.a.logit_bias.3 = 1 # three\nversion = 1",
    ] {
        let mut lock = parse(text);
        let wanted = Sampling { temperature: 0.5, top_p: 0.5, ..lock.lock().sampling["a"].clone() };
        lock.set_sampling("a", &wanted).unwrap();
        lock.set_sampling("c", &wanted).unwrap();
        for comment in ["# a", "# b", "# three", "\u{feff}"] {
            assert_eq!(text.contains(comment), lock.text().contains(comment), "{}", lock.text());
        }
        let read = parse(lock.text());
        assert_eq!(
            (&read.lock().sampling["a"], &read.lock().sampling["c"]),
            (&wanted, &wanted),
            "{}",
            lock.text()
        );
        for name in ["c", "a"] {
            assert!(lock.remove_sampling(name).unwrap(), "{}", lock.text());
        }
        assert!(!lock.text().contains("top_p"), "{}", lock.text());
    }
}

#[test]
fn what_would_not_be_valid_is_refused_and_changes_nothing() {
    let mut lock = parse(&personal());
    let intent = lock.lock().checkpoints["intent"].clone();
    let (weights, text) = (checkpoint("weights"), lock.text().to_owned());
    assert!(lock.set_checkpoint("bad name", &weights).is_err());
    assert!(lock.set_checkpoint("[\n]", &weights).is_err());
    assert!(lock.set_sampling("a", &Sampling { seed: u64::MAX, ..Default::default() }).is_err());
    assert!(lock.set_sampling("a", &Sampling { top_p: f32::NAN, ..Default::default() }).is_err());
    assert!(lock.set_adapter("intent", &adapter(&intent)).is_err(), "a checkpoint has the name");
    assert!(lock.set_golden("g", &Golden { checkpoint: "none".into(), ..golden() }).is_err());
    assert!(lock.set_golden("g", &Golden { preset: Some("none".into()), ..golden() }).is_err());
    let mut bad = golden();
    bad.expected.logprobs.pop();
    assert!(lock.set_golden("g", &bad).is_err());
    let mut no_source = weights.clone();
    no_source.file.sources.clear();
    assert!(lock.set_checkpoint("a", &no_source).is_err());
    no_source.file.sources = vec![Source::Url("file:x".to_owned())];
    assert!(matches!(lock.set_checkpoint("a", &no_source), Err(Error::BadSource { .. })));
    assert_eq!(lock.text(), text);
}
