//! Reads examples: from the front matter of a prompt file, and from JSON lines.

use std::path::Path;

use serde_json::Value;

use super::{FewShot, Place, Selection};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::prompt::Values;

/// The largest file of examples that is read, in bytes.
const FILE_BYTES: u64 = 16 << 20;

/// The most examples. Choosing among more is the work of a search index.
const EXAMPLES: usize = 10_000;

impl FewShot {
    /// Reads what a prompt file says under `pinfold.examples`; a file that it names is looked for in `folder`, which a
    /// prompt that was not read from a file does not have.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::BadPrompt`] with the place in the prompt or the line of the file of examples.
    pub fn read(value: &Value, place: Place, folder: Option<&Path>) -> Result<Self> {
        let declaration = match value {
            Value::Array(list) => {
                let examples = list_of_maps(list).map_err(|reason| place.bad(reason))?;
                return Self::new(examples, Selection::default(), place);
            }
            Value::Object(map) => map,
            _ => return Err(place.bad("`examples` is a list of maps, or a map with `file` or `list`".into())),
        };
        let mut rest = declaration.clone();
        let (file, list) = (rest.shift_remove("file"), rest.shift_remove("list"));
        let selection: Selection = serde_json::from_value(Value::Object(rest))
            .map_err(|error| place.bad(format!("`examples`: {error}, besides `file` and `list`")))?;
        let mut file_digest = None;
        let examples = match (file, list) {
            (Some(Value::String(name)), None) => {
                let (examples, digest) = read_lines(&name, &place, folder)?;
                file_digest = Some(digest);
                examples
            }
            (None, Some(Value::Array(list))) => list_of_maps(&list).map_err(|reason| place.bad(reason))?,
            (Some(_), Some(_)) => return Err(place.bad("`examples` has `file` and `list`: give one".into())),
            (Some(_), None) => return Err(place.bad("`file` is the path of a file of JSON lines".into())),
            (None, Some(_)) => return Err(place.bad("`list` is a list of maps".into())),
            (None, None) => {
                return Err(place.bad("`examples` needs a `file` of JSON lines, or a `list` of maps".into()));
            }
        };
        Ok(Self { file_digest, ..Self::new(examples, selection, place)? })
    }
}

/// Refuses an example that has other keys than the first one; order does not count.
pub(super) fn same_keys(first: &Values, example: &Values) -> Result<(), String> {
    if let Some(key) = first.keys().find(|key| !example.contains_key(*key)) {
        return Err(format!("has no {key:?}, which the first one has; null stands for what it lacks"));
    }
    match example.keys().find(|key| !first.contains_key(*key)) {
        Some(key) => Err(format!("has {key:?}, which the first one does not have")),
        None => Ok(()),
    }
}

fn list_of_maps(list: &[Value]) -> Result<Vec<Values>, String> {
    if list.len() > EXAMPLES {
        return Err(format!("there are {} examples, of {EXAMPLES} at most", list.len()));
    }
    let example = |(index, value): (usize, &Value)| match value {
        Value::Object(map) => Ok(map.clone()),
        _ => Err(format!("example {} is no map from variables to values", index + 1)),
    };
    list.iter().enumerate().map(example).collect()
}

fn read_lines(name: &str, place: &Place, folder: Option<&Path>) -> Result<(Vec<Values>, Digest)> {
    let Some(folder) = folder else {
        let reason = format!("{name:?} is beside the prompt file, and this prompt was not read from a file");
        return Err(place.bad(reason));
    };
    let path = folder.join(name);
    let size = std::fs::metadata(&path).map_err(Error::io(&path))?.len();
    if size > FILE_BYTES {
        return Err(place.bad(format!("{name:?} has {size} bytes, of {FILE_BYTES} at most")));
    }
    let bytes = std::fs::read(&path).map_err(Error::io(&path))?;
    let digest = Digest::of_bytes(&bytes);
    let examples = parse_lines(&bytes);
    let examples =
        examples.map_err(|(line, column, reason)| Error::BadPrompt { path, line, column, reason })?;
    Ok((examples, digest))
}

/// The examples of a file: a JSON object on each line that is not empty. An error has its line and column, from 1.
pub(super) fn parse_lines(bytes: &[u8]) -> Result<Vec<Values>, (usize, usize, String)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        (line, 1, "it is not UTF-8".to_owned())
    })?;
    let mut examples: Vec<Values> = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let bad = |column, reason: String| (index + 1, column, reason);
        let example: Values = serde_json::from_str(line).map_err(|error| {
            // Of what serde says, the place is that within the line.
            let column = error.column().max(1);
            match error.is_data() {
                true => bad(column, "an example is a JSON object: its variables with their values".into()),
                false => bad(column, "it is not JSON: each line is an object on its own".into()),
            }
        })?;
        if let Some(first) = examples.first() {
            same_keys(first, &example).map_err(|reason| bad(1, format!("the example {reason}")))?;
        }
        if examples.len() == EXAMPLES {
            return Err(bad(1, format!("there are more than {EXAMPLES} examples")));
        }
        examples.push(example);
    }
    Ok(examples)
}
