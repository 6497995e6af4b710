//! What the user gives to read: a prompt as argument, file or stdin, and requests as lines of JSON.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::Path;

use serde_json::Value;

use crate::output::{Exit, Failure};

/// The path that stands for stdin.
const STDIN: &str = "-";

/// The prompt: the argument, the file, or else stdin. One newline at its end is dropped, as `echo` and
/// editors put it there.
pub fn prompt(argument: Option<&str>, file: Option<&Path>) -> Result<String, Failure> {
    let (name, bytes) = match (argument, file) {
        (Some(argument), _) if argument != STDIN => return Ok(argument.to_owned()),
        (None, Some(path)) if path != Path::new(STDIN) => {
            let name = path.display().to_string();
            let bytes = std::fs::read(path).map_err(unreadable(&name))?;
            (name, bytes)
        }
        (None, None) if io::stdin().is_terminal() => {
            return Err(Failure::usage("there is no prompt")
                .hint("give it as an argument, by --file, or on stdin: echo TEXT | pinfold run MODEL"));
        }
        _ => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable("stdin"))?;
            ("stdin".to_owned(), bytes)
        }
    };
    let mut text = text(&name, bytes)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// `bytes` as text.
pub fn text(name: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let message = format!("{name}: not UTF-8 at byte {offset}");
        Failure::new(Exit::Failed, "not_utf8", message).hint("convert it first, e.g. with iconv")
    })
}

pub fn unreadable(name: &str) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| Failure::new(Exit::Failed, "io", format!("{name}: {error}"))
}

/// The JSON value in a file.
pub fn json_file(path: &Path) -> Result<Value, Failure> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(unreadable(&name))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::new(Exit::Failed, "bad_json", format!("{name}: not JSON: {error}")))
}

/// The text of a file.
pub fn text_file(path: &Path) -> Result<String, Failure> {
    let name = path.display().to_string();
    text(&name, std::fs::read(path).map_err(unreadable(&name))?)
}

/// A line of a `--jsonl` file.
#[derive(Debug, PartialEq)]
pub struct Request {
    pub prompt: String,
    pub system: Option<String>,
}

/// Requests, one after another, as the lines are read.
pub struct Requests {
    input: Box<dyn BufRead>,
    name: String,
    /// The number of the last line that was read, from 1.
    pub line: usize,
    /// Bytes that were read.
    pub position: u64,
    /// Bytes of the file, if it is one.
    pub length: Option<u64>,
}

impl Requests {
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let (input, length): (Box<dyn BufRead>, _) = if path == Path::new(STDIN) {
            (Box::new(io::stdin().lock()), None)
        } else {
            let file = File::open(path).map_err(unreadable(&name))?;
            let length = file.metadata().ok().filter(|facts| facts.is_file()).map(|facts| facts.len());
            (Box::new(BufReader::new(file)), length)
        };
        Ok(Self { input, name, line: 0, position: 0, length })
    }

    /// The next request; the outer failure is that of reading, the inner one that of the line. Empty
    /// lines are skipped.
    pub fn read(&mut self) -> Result<Option<Result<Request, Failure>>, Failure> {
        loop {
            let mut bytes = Vec::new();
            let read = self.input.read_until(b'\n', &mut bytes).map_err(unreadable(&self.name))?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.position += read as u64;
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(self.parse(bytes)));
            }
        }
    }

    fn parse(&self, bytes: Vec<u8>) -> Result<Request, Failure> {
        let line = text(&format!("line {}", self.line), bytes)?;
        request(&line).map_err(|reason| {
            Failure::new(Exit::Failed, "bad_request", format!("line {}: {reason}", self.line))
                .hint("each line is an object: {\"prompt\": \"...\"}, with \"system\" if wanted")
        })
    }
}

/// Reads a request; the error never quotes its texts.
fn request(line: &str) -> Result<Request, String> {
    let value =
        serde_json::from_str(line).map_err(|error| format!("not JSON at column {}", error.column()))?;
    let Value::Object(mut fields) = value else { return Err("not an object".into()) };
    let mut text = |key: &str| match fields.remove(key) {
        Some(Value::String(text)) => Ok(Some(text)),
        None => Ok(None),
        Some(_) => Err(format!("{key:?} is not a text")),
    };
    let (prompt, system) = (text("prompt")?, text("system")?);
    match fields.keys().next() {
        Some(key) => Err(format!("unknown key {key:?}")),
        None => Ok(Request { prompt: prompt.ok_or("it has no \"prompt\"")?, system }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(lines: &'static [u8]) -> Requests {
        Requests { input: Box::new(lines), name: "test".into(), line: 0, position: 0, length: None }
    }

    #[test]
    fn requests_come_in_order_and_empty_lines_do_not_count() {
        let mut requests = requests(b"{\"prompt\":\"a\"}\n\n  \r\n{\"prompt\":\"b\",\"system\":\"c\"}");
        let a = Request { prompt: "a".into(), system: None };
        let b = Request { prompt: "b".into(), system: Some("c".into()) };
        assert_eq!(requests.read().unwrap().unwrap().unwrap(), a);
        assert_eq!(requests.read().unwrap().unwrap().unwrap(), b);
        assert_eq!(requests.line, 4);
        assert!(requests.read().unwrap().is_none());
    }

    #[test]
    fn a_bad_line_says_its_number_and_the_next_is_read() {
        let mut requests = requests(b"\n{\"prompt\":\"a\",\"x\":1}\n\xff\n[1]\n{\"prompt\":\"b\"}\n");
        let message = |next: Option<Result<Request, Failure>>| next.unwrap().unwrap_err().message;
        assert_eq!(message(requests.read().unwrap()), "line 2: unknown key \"x\"");
        assert_eq!(message(requests.read().unwrap()), "line 3: not UTF-8 at byte 0");
        assert_eq!(message(requests.read().unwrap()), "line 4: not an object");
        assert_eq!(requests.read().unwrap().unwrap().unwrap().prompt, "b");
    }

    #[test]
    fn what_is_no_request_is_said_without_its_text() {
        for (line, reason) in [
            ("{\"prompt\": \"secret\"", "not JSON at column 19"),
            ("\"secret\"", "not an object"),
            ("{\"prompt\": 1}", "\"prompt\" is not a text"),
            ("{\"system\": \"secret\"}", "it has no \"prompt\""),
        ] {
            assert_eq!(request(line), Err(reason.to_owned()), "{line}");
        }
    }

    #[test]
    fn one_newline_at_the_end_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prompt");
        for (given, kept) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")] {
            std::fs::write(&path, given).unwrap();
            assert_eq!(prompt(None, Some(&path)).unwrap(), kept, "{given:?}");
        }
        std::fs::write(&path, b"abc\xff").unwrap();
        assert!(prompt(None, Some(&path)).unwrap_err().message.ends_with("not UTF-8 at byte 3"));
    }
}
