//! Runs the program as a user does.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

pub mod server;

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

/// An empty folder to work in, with a store of its own and nothing of the user's environment.
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    /// The folder that commands run in.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn lock(&self) -> PathBuf {
        self.work().join("pinfold.lock")
    }

    pub fn lock_text(&self) -> String {
        std::fs::read_to_string(self.lock()).unwrap()
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.work().join(name), content).unwrap();
    }

    /// Replaces a text of the lock file, which must be there.
    pub fn edit(&self, old: &str, new: &str) {
        let text = self.lock_text();
        assert!(text.contains(old), "{old:?} is not in\n{text}");
        std::fs::write(self.lock(), text.replace(old, new)).unwrap();
    }

    /// The program in this folder, not started.
    pub fn command<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = command(arguments);
        command.current_dir(self.work()).env("PINFOLD_STORE", self.store());
        for name in
            ["PINFOLD_STORE_QUOTA", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT", "SSL_CERT_FILE"]
        {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program to its end, with nothing on stdin.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Ran {
        let child = self.command(arguments).stdin(Stdio::null()).spawn().unwrap();
        ended(child)
    }

    /// Pins the embedded checkpoint's file under `name`, copied into the folder.
    pub fn pin_intent(&self, name: &str) {
        self.write("intent.gguf", intent());
        self.run(&["pin", name, "file:intent.gguf", "--licence", "MIT OR Apache-2.0"]).done();
    }
}

/// The bytes of the embedded checkpoint.
pub fn intent() -> &'static [u8] {
    pinfold_checkpoints::find("intent").unwrap().bytes
}

/// Their digest.
pub fn intent_digest() -> String {
    pinfold_checkpoints::find("intent").unwrap().digest().to_string()
}
