//! The syntax of calls, learned from what a chat template writes for a call that is known.

use serde_json::{Map, Value};

use super::literal::Reader;
use super::tags::{Pieces, Tags, common};
use super::{CallSyntax, Shape};
use crate::error::{Error, Result};
use crate::prompt::{ChatTemplate, Content, Conversation, Data, Role, Text, ToolCall, Turn};

// Words that no template writes by itself, and one of which is not within another.
const NAMES: [&str; 2] = ["probe_tool", "sonde_call"];
const KEYS: [&str; 2] = ["probe_key", "sonde_count"];
const STRINGS: [&str; 2] = ["vuno", "zwei"];
const NUMBERS: [i128; 2] = [70_411, 90_522];
const ANSWER: &str = "qanswerq";
/// Some templates want exactly nine letters or digits.
const IDS: [&str; 2] = ["idqidqid1", "idqidqid2"];

impl CallSyntax {
    /// Learns how `template` writes calls; what it writes of none is taken for calls as most models write them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if it shows the model no tools.
    pub(in crate::backend) fn learn(template: &ChatTemplate) -> Result<Self> {
        let probe = Probe { template };
        let with = probe.render(&[], true, true);
        if let (Ok(with), Ok(without)) = (&with, probe.render(&[], false, true))
            && *with == without
        {
            let what = "tools: the chat template of this checkpoint does not show them to the model";
            return Err(Error::Unsupported { what: what.to_owned() });
        }
        let plain = probe.render(&[probe.answer()], true, false);
        let learned = plain.ok().and_then(|plain| {
            // Most templates want arguments as a map, some as text.
            let mut syntax = probe.learn(&plain, true).or_else(|| probe.learn(&plain, false))?;
            if let Ok(head) = with
                && let Some(words) = plain.strip_prefix(&head).and_then(|rest| rest.split_once(ANSWER))
                && syntax.open.is_empty()
                && !words.0.contains(['<', '['])
            {
                syntax.before_text = words.0.to_owned();
            }
            Some(syntax)
        });
        Ok(learned.unwrap_or_else(|| Self {
            open: "<tool_call>".to_owned(),
            again: "</tool_call><tool_call>".to_owned(),
            close: "</tool_call>".to_owned(),
            before_text: String::new(),
            shape: Shape::Json { name: "name".to_owned(), arguments: "arguments".to_owned() },
        }))
    }
}

struct Probe<'a> {
    template: &'a ChatTemplate,
}

impl Probe<'_> {
    fn render(&self, turns: &[Turn], tools: bool, answer: bool) -> Result<String> {
        let question = Turn::new(Role::User, Text::author("question"));
        let mut conversation = Conversation::new([&[question], turns].concat());
        conversation.add_generation_prompt = answer;
        if tools {
            conversation.tools = NAMES.map(declaration).into();
        }
        Ok(self.template.render(&conversation)?.into_string())
    }

    fn answer(&self) -> Turn {
        Turn::new(Role::Assistant, Text::author(ANSWER))
    }

    /// What the template writes for a turn with so many calls.
    fn calls(&self, count: usize, maps: bool) -> Option<String> {
        let calls: Vec<_> = (0..count).map(|index| call(index, maps)).collect();
        let contents = [Some(Content::Text(Text::new())), None];
        contents.into_iter().find_map(|content| {
            let mut turn = Turn::new(Role::Assistant, Text::new());
            (turn.content, turn.tool_calls) = (content, calls.clone());
            self.render(&[turn], true, false).ok()
        })
    }

    /// The syntax by what is written for an answer without a call, and for one and two calls.
    fn learn(&self, plain: &str, maps: bool) -> Option<CallSyntax> {
        let one = self.calls(1, maps)?;
        let (before, after) = plain.split_once(ANSWER)?;
        let start = marker_start(before, common(before, &one));
        let turn = one[start..].strip_suffix(after).unwrap_or(&one[start..]);
        let found = find(turn)?;
        // What the second call begins with tells what stands between.
        let again = self.calls(2, maps).and_then(|two| {
            let between = two.get(start..)?.strip_prefix(&turn[..found.end])?;
            let begin = match found.shape {
                Shape::Json { .. } | Shape::Keyed => between.find('{')?,
                _ => {
                    let key = between.find(KEYS[0])?;
                    between[..key].rfind(NAMES[1])?
                }
            };
            Some(between[..begin].to_owned())
        });
        let list = matches!(found.shape, Shape::Json { .. } | Shape::Keyed | Shape::Python);
        let open = after_thoughts(turn[..found.start].trim());
        // A model may leave the bracket of a list away where it calls one tool.
        let open = if list { open.trim_end_matches('[').trim_end() } else { open };
        Some(CallSyntax {
            open: open.to_owned(),
            again: again.unwrap_or_default(),
            close: turn[found.end..].to_owned(),
            before_text: String::new(),
            shape: found.shape,
        })
    }
}

/// Where a call stands in what a template wrote.
struct Place {
    start: usize,
    end: usize,
    shape: Shape,
}

fn find(turn: &str) -> Option<Place> {
    json(turn).or_else(|| {
        let key = turn.find(KEYS[0])?;
        let start = turn[..key].rfind(NAMES[0])?;
        let after = start + NAMES[0].len();
        let rest = &turn[after..];
        let (shape, length) = python(rest).or_else(|| loose(rest)).or_else(|| tags(rest))?;
        Some(Place { start, end: after + length, shape })
    })
}

/// A call that has its arguments as JSON.
fn json(turn: &str) -> Option<Place> {
    turn.match_indices('{').find_map(|(start, _)| {
        let mut values = serde_json::Deserializer::from_str(&turn[start..]).into_iter::<Map<String, Value>>();
        let object = values.next()?.ok()?;
        let end = start + values.byte_offset();
        let inner = object.get("function").and_then(Value::as_object).unwrap_or(&object);
        let is_arguments = |value: &Value| match value {
            Value::Object(map) => map.contains_key(KEYS[0]),
            Value::String(text) => text.contains(KEYS[0]),
            _ => false,
        };
        let key = |wanted: &dyn Fn(&Value) -> bool| {
            inner.iter().find(|(_, value)| wanted(value)).map(|(key, _)| key.clone())
        };
        if object.get(NAMES[0]).is_some_and(is_arguments) {
            return Some(Place { start, end, shape: Shape::Keyed });
        }
        let name = key(&|value| value.as_str() == Some(NAMES[0]));
        if let (Some(name), Some(arguments)) = (name, key(&is_arguments)) {
            return Some(Place { start, end, shape: Shape::Json { name, arguments } });
        }
        let name = turn[..start].rfind(NAMES[0]).filter(|_| object.contains_key(KEYS[0]))?;
        let between = turn[name + NAMES[0].len()..start].to_owned();
        let id = between.find(IDS[0]).map(|id| between[..id].to_owned());
        Some(Place { start: name, end, shape: Shape::Named { between, id } })
    })
}

fn python(rest: &str) -> Option<(Shape, usize)> {
    let mut reader = Reader::new(rest, None);
    reader.keywords()?.get(KEYS[0]).filter(|value| value.as_str() == Some(STRINGS[0]))?;
    Some((Shape::Python, rest.len() - reader.rest().len()))
}

fn loose(rest: &str) -> Option<(Shape, usize)> {
    let (_, value) = rest.strip_prefix('{')?.split_once(KEYS[0])?;
    let quote = value.split_once(STRINGS[0])?.0.trim_start().strip_prefix(':')?.trim();
    let mut reader = Reader::new(rest, Some(quote));
    let arguments = reader.value()?;
    (arguments.get(KEYS[0])?.as_str() == Some(STRINGS[0]))
        .then(|| (Shape::Loose { quote: quote.to_owned() }, rest.len() - reader.rest().len()))
}

fn tags(rest: &str) -> Option<(Shape, usize)> {
    let number = NUMBERS[0].to_string();
    let (name_to_key, after) = rest.split_once(KEYS[0])?;
    let (key_to_string, after) = after.split_once(STRINGS[0])?;
    let (string_to_key, after) = after.split_once(KEYS[1])?;
    let (key_to_number, number_to_end) = after.split_once(number.as_str())?;
    let pieces = Pieces { name_to_key, key_to_string, string_to_key, key_to_number, number_to_end };
    let (tags, end) = Tags::learn(&pieces)?;
    Some((Shape::Tags(tags), rest.len() - number_to_end.len() + end))
}

/// The start of the marker that `text` ends within at `end`, e.g. of `<|START_` that goes on in two ways.
fn marker_start(text: &str, end: usize) -> usize {
    let shared = &text[..end];
    match shared.rfind('<') {
        Some(open) if !shared[open..].contains('>') => open,
        _ => end,
    }
}

/// What follows the last marker of thoughts: what a model thinks stands between these.
fn after_thoughts(open: &str) -> &str {
    let mut ends = open.match_indices('<').filter_map(|(start, _)| {
        let length = open[start..].find('>')? + 1;
        let marker = open[start..start + length].to_ascii_lowercase();
        marker.contains("think").then_some(start + length)
    });
    open[ends.next_back().unwrap_or(0)..].trim_start()
}

fn declaration(name: &str) -> Data {
    let described =
        |kind: &str| Data::map([("type", Data::author(kind)), ("description", Data::author("described"))]);
    // Other words than in a call, so that what stands in front of it is not taken for one.
    let properties = Data::map([("first", described("string")), ("second", described("integer"))]);
    let parameters = Data::map([
        ("type", Data::author("object")),
        ("properties", properties),
        ("required", Data::List(vec![Data::author("first")])),
    ]);
    let function = Data::map([
        ("name", Data::author(name)),
        ("description", Data::author("described")),
        ("parameters", parameters),
    ]);
    Data::map([("type", Data::author("function")), ("function", function)])
}

fn call(index: usize, maps: bool) -> ToolCall {
    let (string, number) = (STRINGS[index], NUMBERS[index]);
    let [first, second] = KEYS;
    let arguments = match maps {
        true => Data::map([(first, Data::author(string)), (second, Data::Int(number))]),
        false => Data::author(format!("{{\"{first}\": \"{string}\", \"{second}\": {number}}}")),
    };
    ToolCall { id: Some(Text::author(IDS[index])), name: Text::author(NAMES[index]), arguments }
}
