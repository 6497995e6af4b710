//! Runs the program as a user does.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// What a run gave.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("ended by a signal: {:?}", output.status));
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// That it was done, without a word on stderr.
    pub fn done(self) -> Self {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "stdout: {}", self.out);
        self
    }

    /// That it failed with this code and said this.
    pub fn failed(self, code: i32, said: &str) -> Self {
        assert_eq!(self.code, code, "{}", self.err);
        assert!(self.err.contains(said), "{:?} is not in: {}", said, self.err);
        self
    }

    /// The one JSON object or array on stdout.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// The JSON of each line of stdout.
    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The program, not started.
pub fn command<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinfold"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program to its end, with nothing on stdin.
pub fn pinfold<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Ran {
    pinfold_fed(arguments, b"")
}

/// Runs the program to its end, with `input` on stdin.
pub fn pinfold_fed<S: AsRef<std::ffi::OsStr>>(arguments: &[S], input: &[u8]) -> Ran {
    let mut child = command(arguments).spawn().unwrap();
    // A program that does not read it all may have closed it.
    let _ = child.stdin.take().unwrap().write_all(input);
    Ran::new(child.wait_with_output().unwrap())
}

/// Sends Ctrl-C.
pub fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

pub fn ended(child: Child) -> Ran {
    Ran::new(child.wait_with_output().unwrap())
}

/// A file of the shared data, or `None` and a word if the machine has none.
pub fn shared(test: &str, file: &str) -> Option<String> {
    let folder = std::env::var_os("PINFOLD_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = folder.join(file);
    if !path.exists() {
        eprintln!("skipped: {test}: no {file} (set PINFOLD_SHARED_DATA)");
        return None;
    }
    Some(path.to_str().unwrap().to_owned())
}

/// A small real checkpoint that completes stories and has no chat template.
pub fn stories(test: &str) -> Option<String> {
    shared(test, "checkpoints/stories260K.gguf")
}

/// A chat template of plain lines, which the stories' vocabulary can spell.
pub const TEMPLATE: &str = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}";

/// A copy of the stories' checkpoint with a chat template, in `folder`.
pub fn stories_with_template(test: &str, folder: &Path) -> Option<String> {
    let bytes = std::fs::read(stories(test)?).unwrap();
    let path = folder.join("templated.gguf");
    std::fs::write(&path, with_template(&bytes, TEMPLATE)).unwrap();
    Some(path.to_str().unwrap().to_owned())
}

/// Puts a chat template in front of the other keys of a GGUF file. A comment in it is so long that the
/// tensors stay aligned.
fn with_template(gguf: &[u8], template: &str) -> Vec<u8> {
    const KEYS: usize = 16;
    const FIRST_KEY: usize = 24;
    const STRING: u32 = 8;
    let key = "tokenizer.chat_template";
    let bare = 8 + key.len() + 4 + 8 + template.len() + "{##}".len();
    let padding = " ".repeat(bare.next_multiple_of(32) - bare);
    let template = format!("{template}{{#{padding}#}}");
    let count = u64::from_le_bytes(gguf[KEYS..FIRST_KEY].try_into().unwrap()) + 1;
    let mut bytes = gguf[..KEYS].to_vec();
    bytes.extend(count.to_le_bytes());
    bytes.extend((key.len() as u64).to_le_bytes());
    bytes.extend(key.as_bytes());
    bytes.extend(STRING.to_le_bytes());
    bytes.extend((template.len() as u64).to_le_bytes());
    bytes.extend(template.as_bytes());
    assert!((bytes.len() - FIRST_KEY).is_multiple_of(32), "the tensors would move");
    bytes.extend(&gguf[FIRST_KEY..]);
    bytes
}
