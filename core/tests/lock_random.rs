//! Random edits of lock files that people wrote: the text reads as what was set, and no line changes that does not
//! have to.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use fastrand::Rng;
use pinfold::checkpoint::Digest;
use pinfold::lock::{AdapterPin, CheckpointPin, Expected, FilePin, Golden, GoldenInput, Lock, Recorded};
use pinfold::{LockFile, Message, Role, Sampling, Source, Token};

const ROUNDS: u64 = 100;
const EDITS: usize = 25;

/// Texts that are hard to write.
const TEXTS: [&str; 12] = [
    "a",
    "two words",
    "\"quoted\"",
    "back\\slash",
    "line\nbreak\n",
    "\r\n",
    "tab\t",
    "#no comment",
    "'''",
    "\"\"\"",
    "é😀\u{85}\u{2028}",
    "\u{0}\u{7f}\u{1b}",
];

fn text(random: &mut Rng) -> String {
    (0..random.usize(1..3)).map(|_| TEXTS[random.usize(..TEXTS.len())]).collect()
}

fn words(random: &mut Rng) -> String {
    format!("x{}", text(random))
}

fn digest(random: &mut Rng) -> Digest {
    Digest(std::array::from_fn(|_| random.u8(..)))
}

fn source(random: &mut Rng) -> Source {
    let number = random.u32(..);
    let text = match random.u8(..5) {
        0 => format!("file:a b/{number}%20.gguf"),
        1 => format!("https://example.com:8080/{number}?x=#{}", "").trim_end_matches('#').to_owned(),
        2 => format!("hf:acme/m/dir é/{number}@x.gguf@refs/pr/{}", number % 9),
        3 => format!("oci:localhost:5000/m@sha256:{}", digest(random)),
        _ => format!("ollama:m:{number}"),
    };
    text.parse().unwrap()
}

fn file(random: &mut Rng) -> FilePin {
    FilePin {
        sources: (0..random.usize(1..4)).map(|_| source(random)).collect(),
        sha256: digest(random),
        size: random.u64(1..=i64::MAX as u64),
        licence: words(random),
        minisig: random.bool().then(|| minisig(random)),
    }
}

/// The form of a signature is all that a lock file looks at.
fn minisig(random: &mut Rng) -> String {
    let zeros = "A".repeat(94);
    let comment = ["c", "a \"quoted\" one", "a\\b"][random.usize(..3)];
    format!("untrusted comment: {comment}\nRUQ{zeros}AAA=\ntrusted comment: t\n{}==\n", "A".repeat(86))
}

fn checkpoint(random: &mut Rng) -> CheckpointPin {
    CheckpointPin {
        file: file(random),
        architecture: "llama".to_owned(),
        quantization: words(random),
        context_length: random.u32(1..),
        tokenizer_sha256: digest(random),
        chat_template_sha256: random.bool().then(|| digest(random)),
    }
}

fn sampling(random: &mut Rng) -> Sampling {
    let mut sampling = Sampling::default();
    for _ in 0..random.usize(..5) {
        match random.u8(..8) {
            0 => sampling.temperature = random.f32(),
            1 => sampling.seed = random.u64(..=i64::MAX as u64),
            2 => _ = sampling.logit_bias.insert(Token(random.u32(..)), -random.f32() * 1e20),
            3 => _ = sampling.logit_bias.insert(Token(7), f32::NEG_INFINITY),
            4 => sampling.top_k = random.u32(..),
            5 => sampling.top_p = random.f32(),
            6 => sampling.penalty_window = random.u32(..),
            _ => sampling.frequency_penalty = -random.f32() * 1e-20,
        }
    }
    sampling
}

fn golden(random: &mut Rng, lock: &Lock) -> Option<Golden> {
    let checkpoint = random.choice(lock.checkpoints.keys())?.clone();
    let tokens: Vec<u32> = (0..random.usize(..4)).map(|_| random.u32(..)).collect();
    let input = match random.bool() {
        true => GoldenInput::Text(text(random)),
        false => {
            let role =
                |random: &mut Rng| [Role::System, Role::User, Role::Assistant, Role::Tool][random.usize(..4)];
            let count = random.usize(1..4);
            GoldenInput::Messages((0..count).map(|_| Message::new(role(random), text(random))).collect())
        }
    };
    Some(Golden {
        checkpoint,
        input,
        sampling: sampling(random),
        preset: random.choice(lock.sampling.keys()).filter(|_| random.bool()).cloned(),
        max_tokens: random.u32(4..),
        stop: if random.bool() { vec![words(random)] } else { Vec::new() },
        expected: Expected {
            prompt_sha256: digest(random),
            logprobs: tokens.iter().map(|_| -random.f32()).collect(),
            tokens,
            text: text(random),
            finish: ["end_of_generation", "stop", "length"][random.usize(..3)].to_owned(),
        },
        recorded: Recorded { runtime: text(random), backend: text(random), llama_cpp: text(random) },
    })
}

/// A document in which each line says whose it is: the section and name, or nobody.
fn document(random: &mut Rng) -> String {
    let (a, b) = ("a".repeat(64), "b".repeat(64));
    let pin = |owner: &str, lead: &str| {
        format!(
            "{lead}sources = [ # @{owner}\n  'file:{owner}', # @{owner}\n  'file:x', # @{owner}\n] # @{owner}\n\
             {lead}sha256 = '{a}' # @{owner}\n{lead}size = 1_0 # @{owner}\n{lead}format = 'gguf' # @{owner}\n\
             {lead}architecture='llama' # @{owner}\n{lead}licence  =  'MIT' # @{owner}\n"
        )
    };
    let checkpoint = |owner: &str, lead: &str| {
        let file = pin(owner, lead);
        format!(
            "{file}{lead}quantization = 'F16' # @{owner}\n{lead}context_length = 512 # @{owner}\n\
             {lead}tokenizer_sha256 = '{b}' # @{owner}\n"
        )
    };
    let golden = |owner: &str, lead: &str| {
        format!(
            "{lead}checkpoint = 'one' # @{owner}\n{lead}max_tokens = 9 # @{owner}\n{lead}tokens = [1, 2] # @{owner}\n\
             {lead}text = \"a\" # @{owner}\n{lead}logprobs = [-1, -2.50] # @{owner}\n\
             {lead}prompt_sha256 = '{b}' # @{owner}\n{lead}finish = 'stop' # @{owner}\n"
        )
    };
    let recorded = "runtime = '1' # @OWNER\nbackend = '2' # @OWNER\nllama_cpp = '3' # @OWNER\n";
    let mut parts = vec![
        format!("[ checkpoints.one ] # @checkpoints.one\n{}", checkpoint("checkpoints.one", "  ")),
        format!("[checkpoints.'two'] # @checkpoints.two\n{}", checkpoint("checkpoints.two", "")),
        format!(
            "[adapters] # @\n{}style.base = 'one' # @adapters.style\nstyle.base_sha256 = '{a}' # @adapters.style\n",
            pin("adapters.style", "style . ")
        ),
        "[sampling] # @\nwarm = { temperature = 0.50, seed = 1 } # @sampling.warm\nbare = {} # @sampling.bare\n\
         dotted.logit_bias.3 = -1 # @sampling.dotted\n"
            .to_owned(),
        "[sampling.own.logit_bias] # @sampling.own\n7 = -inf # @sampling.own\n".to_owned(),
        format!(
            "[goldens.first] # @goldens.first\n{}messages = [{{ role = 'user', content = 'x' }}] # @goldens.first\n\
             sampling = {{}} # @goldens.first\n[goldens.first.recorded] # @goldens.first\n{}",
            golden("goldens.first", ""),
            recorded.replace("OWNER", "goldens.first"),
        ),
        format!(
            "[[goldens.second.messages]] # @goldens.second\nrole = 'user' # @goldens.second\n\
             content = 'y' # @goldens.second\n[goldens.second] # @goldens.second\n{}{}",
            golden("goldens.second", "\t"),
            recorded.replace("OWNER", "goldens.second").lines().fold(String::new(), |all, line| format!(
                "{all}recorded.{line}\n"
            )),
        ),
    ];
    random.shuffle(&mut parts);
    let gaps = ["", "\n", "# of what follows @\n", "# of what was @\n\n", "\n\n# alone @\n\n"];
    let mut text = "version = 1 # @\n".to_owned();
    for part in &parts {
        text += gaps[random.usize(..gaps.len())];
        text += part;
    }
    text += gaps[random.usize(..gaps.len())];
    if random.bool() {
        text = text.replace('\n', "\r\n");
    }
    if random.bool() {
        text.truncate(text.trim_end().len());
    }
    text
}

/// The lines of a text that say whose they are, but for those of `owner`.
fn others<'t>(text: &'t str, owner: &str) -> Vec<&'t str> {
    let lines = text.split_inclusive('\n').filter(|line| line.contains('@') && line.contains('#'));
    let of_owner = |line: &str| line.trim_end().ends_with(&format!("@{owner}"));
    lines.filter(|line| !of_owner(line)).map(|line| line.trim_end_matches(['\r', '\n'])).collect()
}

#[test]
fn edits_say_what_was_set_and_leave_the_rest() {
    let (mut done, mut refused) = (0, 0);
    for seed in 0..ROUNDS {
        let mut random = Rng::with_seed(seed);
        let mut lock = LockFile::from_bytes("pinfold.lock", document(&mut random)).unwrap();
        let crlf = lock.text().contains("\r\n");
        for _ in 0..EDITS {
            let before = lock.text().to_owned();
            let mut wanted = lock.lock().clone();
            let (owner, edited) = edit(&mut random, &mut lock, &mut wanted);
            match edited {
                Ok(()) => {
                    done += 1;
                    assert_eq!(lock.lock(), &wanted, "seed {seed}, {owner}:\n{before}\n->\n{}", lock.text());
                }
                Err(error) => {
                    refused += 1;
                    assert_eq!(lock.text(), before, "seed {seed}, {owner}: {error}");
                }
            }
            let read = LockFile::from_bytes("pinfold.lock", lock.text()).unwrap();
            assert_eq!(read.lock(), lock.lock());
            assert_eq!(others(lock.text(), &owner), others(&before, &owner), "seed {seed}, {owner}");
            if crlf {
                assert!(
                    !lock.text().replace("\r\n", "").contains(['\r', '\n']),
                    "seed {seed}: a line ends in another way"
                );
            } else {
                assert!(!lock.text().contains('\r'), "seed {seed}");
            }
        }
    }
    assert!(done > 1500 && refused > 50, "{done} edits, {refused} refused");
}

/// A random edit: whose it is, and what came of it.
fn edit(random: &mut Rng, lock: &mut LockFile, wanted: &mut Lock) -> (String, pinfold::Result<()>) {
    let new = format!("new.{}", random.u8(..4));
    let mut name = |names: Vec<&String>| match names.is_empty() || random.u8(..3) == 0 {
        true => new.clone(),
        false => names[random.usize(..names.len())].clone(),
    };
    let names = (
        name(wanted.checkpoints.keys().collect()),
        name(wanted.adapters.keys().collect()),
        name(wanted.sampling.keys().collect()),
        name(wanted.goldens.keys().collect()),
    );
    match random.u8(..12) {
        0 => (
            format!("checkpoints.{}", names.0),
            removed(lock.remove_checkpoint(&names.0), &names.0, &mut wanted.checkpoints),
        ),
        1 => (
            format!("adapters.{}", names.1),
            removed(lock.remove_adapter(&names.1), &names.1, &mut wanted.adapters),
        ),
        2 => (
            format!("sampling.{}", names.2),
            removed(lock.remove_sampling(&names.2), &names.2, &mut wanted.sampling),
        ),
        3 => (
            format!("goldens.{}", names.3),
            removed(lock.remove_golden(&names.3), &names.3, &mut wanted.goldens),
        ),
        4 | 5 => {
            let fresh = checkpoint(random);
            // Often only a part of it changes, so that what is there is edited.
            let mut pin =
                wanted.checkpoints.get(&names.0).filter(|_| random.bool()).cloned().unwrap_or(fresh.clone());
            match random.u8(..4) {
                0 => pin.file.sources.insert(random.usize(..=pin.file.sources.len()), source(random)),
                1 if pin.file.sources.len() > 1 => {
                    _ = pin.file.sources.remove(random.usize(..pin.file.sources.len()))
                }
                2 => pin.chat_template_sha256 = fresh.chat_template_sha256,
                _ => pin.file.minisig = fresh.file.minisig,
            }
            wanted.checkpoints.insert(names.0.clone(), pin.clone());
            (format!("checkpoints.{}", names.0), lock.set_checkpoint(&names.0, &pin))
        }
        6 => {
            let Some((base, pin)) = random.choice(&lock.lock().checkpoints) else {
                return (String::new(), Ok(()));
            };
            let (base, base_sha256) = (base.clone(), pin.file.sha256);
            let pin = AdapterPin { file: file(random), architecture: "llama".to_owned(), base, base_sha256 };
            wanted.adapters.insert(names.1.clone(), pin.clone());
            (format!("adapters.{}", names.1), lock.set_adapter(&names.1, &pin))
        }
        7 | 8 => {
            let settings = sampling(random);
            wanted.sampling.insert(names.2.clone(), settings.clone());
            (format!("sampling.{}", names.2), lock.set_sampling(&names.2, &settings))
        }
        _ => {
            let Some(mut fresh) = golden(random, lock.lock()) else { return (String::new(), Ok(())) };
            if let Some(old) = wanted.goldens.get(&names.3).filter(|_| random.bool()) {
                fresh = Golden { sampling: fresh.sampling, recorded: fresh.recorded, ..old.clone() };
            }
            wanted.goldens.insert(names.3.clone(), fresh.clone());
            (format!("goldens.{}", names.3), lock.set_golden(&names.3, &fresh))
        }
    }
}

fn removed<E>(
    removed: pinfold::Result<bool>,
    name: &str,
    entries: &mut std::collections::BTreeMap<String, E>,
) -> pinfold::Result<()> {
    assert_eq!(removed?, entries.remove(name).is_some());
    Ok(())
}
