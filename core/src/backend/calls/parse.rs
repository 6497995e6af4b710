//! The calls in what a model wrote.

use serde_json::{Map, Value};

use super::literal::Reader;
use super::{Call, CallSyntax, Match, Shape, matched, name_length, strip};

/// What a call of Llama may begin with; its templates do not write it.
const PYTHON_TAG: &str = "<|python_tag|>";

/// Calls in a text.
#[derive(Debug, PartialEq)]
pub(in crate::backend) struct Found {
    /// Where the text before them ends.
    pub(in crate::backend) start: usize,
    /// Where the text after them begins.
    pub(in crate::backend) end: usize,
    pub(in crate::backend) calls: Vec<Call>,
}

/// The schema of an argument of a tool, by both names.
pub(in crate::backend) type Schemas<'a> = &'a dyn Fn(&str, &str) -> Option<Value>;

impl CallSyntax {
    /// What stands before a text that is no call, by this template.
    pub(in crate::backend) fn before_text(&self) -> &str {
        &self.before_text
    }

    /// How many bytes of a text that is not yet whole cannot belong to a call, nor to the space before one.
    pub(in crate::backend) fn safe(&self, text: &str) -> usize {
        let start = if self.open.is_empty() {
            let trimmed = text.trim_start();
            let named = matches!(self.shape, Shape::Named { .. } | Shape::Tags(_));
            let may = trimmed.is_empty() || named || trimmed.starts_with(['{', '[', '<']);
            may.then_some(0)
        } else {
            self.positions(text).find(|&start| !matches!(matched(&text[start..], &self.open), Match::None))
        };
        text[..start.unwrap_or(text.len())].trim_end().len()
    }

    /// Where the marker before calls could begin.
    fn positions<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let first = self.open.chars().next().unwrap_or_default();
        text.match_indices(first).map(|(start, _)| start)
    }

    /// The calls in `text`, in which the spellings of control tokens stand.
    ///
    /// # Errors
    /// What is wrong with them, without their words.
    pub(in crate::backend) fn parse(
        &self,
        text: &str,
        schemas: Schemas<'_>,
    ) -> Result<Option<Found>, String> {
        let Some((start, mut rest)) = self.begin(text) else { return Ok(None) };
        let mut calls = Vec::new();
        loop {
            // A list is opened once, and closed after the last call.
            let bracket = rest.trim_start().strip_prefix('[').filter(|_| calls.is_empty() && self.is_list());
            let Some((call, after)) = self.call(bracket.unwrap_or(rest), schemas) else {
                return match calls.is_empty() && self.open.is_empty() && !self.looks_like_one(text) {
                    true => Ok(None),
                    false => Err("a call of a tool is cut off, or not written as it should be".to_owned()),
                };
            };
            calls.push(call);
            rest = after;
            let next = [&self.again, &self.open].into_iter().filter(|between| !between.trim().is_empty());
            match next.filter_map(|between| strip(rest, between)).next().or_else(|| self.separated(rest)) {
                Some(after) => rest = after,
                None => break,
            }
        }
        for closing in [self.close.as_str(), "]"] {
            rest = strip(rest, closing).unwrap_or(rest);
        }
        Ok(Some(Found { start, end: text.len() - rest.trim_start().len(), calls }))
    }

    fn is_list(&self) -> bool {
        matches!(self.shape, Shape::Json { .. } | Shape::Keyed | Shape::Python)
    }

    /// Where calls begin, and what follows the marker before them.
    fn begin<'a>(&self, text: &'a str) -> Option<(usize, &'a str)> {
        if !self.open.is_empty() {
            return self.positions(text).find_map(|start| Some((start, strip(&text[start..], &self.open)?)));
        }
        let rest = text.trim_start();
        let rest = rest.strip_prefix(PYTHON_TAG).unwrap_or(rest).trim_start();
        let name = name_length(rest.trim_start_matches('['));
        let may = match &self.shape {
            Shape::Json { .. } | Shape::Keyed => rest.starts_with(['{', '[']),
            Shape::Named { between, .. } => {
                name > 0
                    && strip(&rest[name..], between).is_some_and(|rest| rest.trim_start().starts_with('{'))
            }
            Shape::Python => name > 0 && rest.trim_start_matches('[')[name..].starts_with('('),
            Shape::Tags(_) | Shape::Loose { .. } => name > 0,
        };
        may.then_some((0, rest))
    }

    /// Whether a text that has no marker of a call was meant to be one.
    fn looks_like_one(&self, text: &str) -> bool {
        let Shape::Json { name, .. } = &self.shape else { return false };
        strip(text, &format!("{{\"{name}\":")).is_some()
    }

    /// Two objects after another, as Llama writes several calls.
    fn separated<'a>(&self, rest: &'a str) -> Option<&'a str> {
        let after = rest.trim_start();
        let after = after.strip_prefix([',', ';']).unwrap_or(after).trim_start();
        let more = match self.shape {
            Shape::Json { .. } | Shape::Keyed => after.starts_with('{'),
            Shape::Python => {
                let name = name_length(after);
                name > 0 && after[name..].starts_with('(')
            }
            _ => false,
        };
        more.then_some(after)
    }

    /// The call at the start of `text`, and what follows it.
    fn call<'a>(&self, text: &'a str, schemas: Schemas<'_>) -> Option<(Call, &'a str)> {
        let text = text.trim_start();
        if let Shape::Json { .. } | Shape::Keyed = &self.shape {
            let (object, rest) = map(text)?;
            return Some((self.of_object(object)?, rest));
        }
        let (name, rest) = text.split_at(name_length(text));
        if name.is_empty() {
            return None;
        }
        let mut id = None;
        let (arguments, rest) = match &self.shape {
            Shape::Named { between, id: before } => {
                // A model may write other words here, e.g. no id; the arguments come soon in any case.
                let length = rest.find('{').filter(|&length| length <= between.len() + 64)?;
                id = before.as_ref().and_then(|before| {
                    let after = strip(&rest[..length], before)?;
                    let end = name_length(after);
                    (end > 0).then(|| after[..end].to_owned())
                });
                let (arguments, rest) = map(&rest[length..])?;
                (Value::Object(arguments), rest)
            }
            Shape::Tags(tags) => tags.read(rest, |key| schemas(name, key))?,
            Shape::Python => {
                let mut reader = Reader::new(rest, None);
                let arguments = reader.keywords()?;
                (Value::Object(arguments), reader.rest())
            }
            Shape::Loose { quote } => {
                let mut reader = Reader::new(rest, Some(quote));
                let arguments = reader.value().filter(Value::is_object)?;
                (arguments, reader.rest())
            }
            Shape::Json { .. } | Shape::Keyed => return None,
        };
        Some((Call { id, name: name.to_owned(), arguments }, rest))
    }

    /// The call that a JSON object is.
    fn of_object(&self, mut object: Map<String, Value>) -> Option<Call> {
        let Shape::Json { name, arguments } = &self.shape else {
            let (name, arguments) = object.into_iter().next()?;
            return Some(Call { id: None, name, arguments });
        };
        let id = ["id", "tool_call_id"].iter().find_map(|key| object.get(*key)?.as_str().map(str::to_owned));
        if let Some(Value::Object(inner)) = object.get_mut("function") {
            object = std::mem::take(inner);
        }
        let Some(Value::String(name)) = object.remove(name) else { return None };
        let keys = [arguments.as_str(), "arguments", "parameters"];
        let arguments = keys.iter().find_map(|key| object.remove(*key)).unwrap_or(Value::Null);
        Some(Call { id, name, arguments })
    }
}

/// A map at the start of a text, as JSON or as Python writes it, and what follows.
fn map(text: &str) -> Option<(Map<String, Value>, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Map<String, Value>>();
    if let Some(Ok(map)) = values.next() {
        let end = values.byte_offset();
        return Some((map, &text[end..]));
    }
    let mut reader = Reader::new(text, None);
    match reader.value() {
        Some(Value::Object(map)) => Some((map, reader.rest())),
        _ => None,
    }
}
