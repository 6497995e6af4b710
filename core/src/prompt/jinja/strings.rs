//! The methods of strings.

use std::sync::Arc;

use super::evaluator::{Evaluator, Outcome, fail};
use super::expressions::Arguments;
use super::value::{Kind, Value};
use super::{cases, lines, predicates};
use crate::prompt::text::Text;

/// Python's names of them. Some are known and refused when they are called.
pub(super) const METHODS: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

/// Which ends of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Start,
    End,
    Both,
}

impl Evaluator<'_> {
    /// Calls a method of a text.
    pub fn string_method(&mut self, text: &Arc<Text>, name: &str, arguments: Arguments) -> Outcome<Value> {
        self.charge_bytes(text.len())?;
        Ok(match name {
            "strip" | "lstrip" | "rstrip" => {
                let ends = match name {
                    "strip" => Ends::Both,
                    "lstrip" => Ends::Start,
                    _ => Ends::End,
                };
                let [characters] = arguments.bind(["chars"])?;
                self.strip(text, ends, characters.as_ref())?
            }
            "startswith" | "endswith" => {
                let ([affix], [start, end]) = arguments.need(["prefix"], ["start", "end"])?;
                let part = self.part(text, start, end)?;
                let Some(part) = part else { return Ok(Value::Bool(false)) };
                let matches = |affix: &Text| match name {
                    "startswith" => part.starts_with(affix.as_str()),
                    _ => part.ends_with(affix.as_str()),
                };
                match &affix {
                    Value::List(affixes) if affixes.kind == Kind::Tuple => {
                        self.charge(affixes.items.len())?;
                        let mut any = false;
                        for affix in &affixes.items {
                            any |= matches(affix.need_text("what a text starts or ends with")?);
                        }
                        Value::Bool(any)
                    }
                    affix => Value::Bool(matches(affix.need_text("what a text starts or ends with")?)),
                }
            }
            "split" | "rsplit" => {
                let [separator, limit] = arguments.bind(["sep", "maxsplit"])?;
                let limit = limit.map_or(Ok(-1), |limit| limit.need_int("maxsplit"))?;
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let pieces = match &separator {
                    None | Some(Value::None) => lines::words(text.as_str(), limit, name == "rsplit"),
                    Some(separator) => {
                        let separator = separator.need_text("a separator")?.as_str();
                        if separator.is_empty() {
                            return fail("a separator cannot be empty");
                        }
                        lines::split(text.as_str(), separator, limit, name == "rsplit")
                    }
                };
                self.slices(text, pieces)?
            }
            "splitlines" => {
                let [keep] = arguments.bind(["keepends"])?;
                let pieces = lines::lines(text.as_str(), keep.is_some_and(|keep| keep.is_true()));
                self.slices(text, pieces)?
            }
            "partition" | "rpartition" => {
                let ([separator], []) = arguments.need(["sep"], [])?;
                let separator = separator.need_text("a separator")?.as_str();
                if separator.is_empty() {
                    return fail("a separator cannot be empty");
                }
                let last = name == "rpartition";
                let found = if last { text.as_str().rfind(separator) } else { text.as_str().find(separator) };
                let (first, second) = match found {
                    Some(at) => (at, at + separator.len()),
                    None if last => (0, 0),
                    None => (text.len(), text.len()),
                };
                let parts = [0..first, first..second, second..text.len()];
                Value::tuple(parts.into_iter().map(|part| Value::text(text.slice(part))).collect())?
            }
            "replace" => {
                let ([old, new], [limit]) = arguments.need(["old", "new"], ["count"])?;
                let limit = limit.map_or(Ok(-1), |limit| limit.need_int("count"))?;
                let (old, new) = (old.need_text("old")?, new.need_text("new")?);
                self.replace(text, old, new, usize::try_from(limit).unwrap_or(usize::MAX))?
            }
            "removeprefix" | "removesuffix" => {
                let ([affix], []) = arguments.need(["affix"], [])?;
                let affix = affix.need_text("what is removed")?.as_str();
                let range = match name {
                    "removeprefix" if text.as_str().starts_with(affix) => affix.len()..text.len(),
                    "removesuffix" if text.as_str().ends_with(affix) => 0..text.len() - affix.len(),
                    _ => 0..text.len(),
                };
                Value::text(text.slice(range))
            }
            "find" | "rfind" | "index" | "rindex" | "count" => self.find(text, name, arguments)?,
            "join" => {
                let ([items], []) = arguments.need(["iterable"], [])?;
                let items = self.iterate(&items)?;
                self.charge_each(items.items.len())?;
                let texts: Outcome<Vec<_>> =
                    items.items.iter().map(|item| Ok(item.need_text("what is joined")?.clone())).collect();
                self.join(text, &texts?)?
            }
            "format" => self.brace_format(text, &arguments)?,
            "format_map" => {
                let ([map], []) = arguments.need(["mapping"], [])?;
                let Value::Dict(map) = map else { return fail("format_map takes a dictionary") };
                let mut arguments = Arguments::default();
                for (key, value) in &map.entries {
                    self.charge(1)?;
                    arguments.named.extend(key.as_text().map(|key| (key.clone(), value.clone())));
                }
                self.brace_format(text, &arguments)?
            }
            "center" | "ljust" | "rjust" => {
                let ([width], [fill]) = arguments.need(["width"], ["fillchar"])?;
                self.pad(text, name, &width, fill.as_ref())?
            }
            "zfill" => {
                let ([width], []) = arguments.need(["width"], [])?;
                let missing = self.missing(text, &width)?;
                let sign = usize::from(text.as_str().starts_with(['+', '-']));
                let mut filled = text.slice(0..sign);
                filled.push_author(&"0".repeat(missing));
                filled.push_slice(text, sign..text.len());
                Value::text(filled)
            }
            "expandtabs" => {
                let [size] = arguments.bind(["tabsize"])?;
                let size = size.map_or(Ok(8), |size| size.need_int("tabsize"))?;
                self.expand_tabs(text, size.max(0))?
            }
            "upper" | "lower" | "casefold" | "title" | "capitalize" | "swapcase" => {
                arguments.none()?;
                // A character may become three.
                self.charge_text(text.len().checked_mul(3))?;
                self.charge_each(text.len())?;
                Value::text(cases::change(text, name))
            }
            _ if name.starts_with("is") => {
                arguments.none()?;
                self.charge_each(text.len())?;
                Value::Bool(predicates::string_is(text.as_str(), name))
            }
            _ => return fail(format!("the method {name:?} of a text is not supported")),
        })
    }

    /// Without the characters at its ends that are in `characters`, or white space.
    pub fn strip(&mut self, text: &Text, ends: Ends, characters: Option<&Value>) -> Outcome<Value> {
        let string = text.as_str();
        let range = match characters {
            None | Some(Value::None) => trimmed(string, ends, lines::is_space),
            Some(characters) => {
                let characters = characters.need_text("what is stripped")?.as_str();
                // Each character of the text may be compared with each of these.
                self.charge(text.len() / 16 * characters.len())?;
                trimmed(string, ends, |character| characters.contains(character))
            }
        };
        Ok(Value::text(text.slice(range)))
    }

    /// The part of a text between two numbers of characters; `None` if it begins behind the end.
    fn part<'a>(
        &mut self,
        text: &'a Arc<Text>,
        start: Option<Value>,
        end: Option<Value>,
    ) -> Outcome<Option<&'a str>> {
        if start.is_none() && end.is_none() {
            return Ok(Some(text.as_str()));
        }
        let characters = self.characters(text)?;
        let length = characters.len() as i128;
        let bound = |bound: Option<Value>, default: i128| match bound {
            None | Some(Value::None) => Ok(default),
            Some(bound) => {
                let bound = bound.need_int("a position")?;
                Ok(if bound < 0 { bound.saturating_add(length).max(0) } else { bound })
            }
        };
        let (start, end) = (bound(start, 0)?, bound(end, length)?.min(length));
        if start > end {
            return Ok(None);
        }
        let range = characters.byte(start as usize)..characters.byte(end as usize);
        Ok(Some(&text.as_str()[range]))
    }

    fn find(&mut self, text: &Arc<Text>, name: &str, arguments: Arguments) -> Outcome<Value> {
        let ([sought], [start, end]) = arguments.need(["sub"], ["start", "end"])?;
        let sought = sought.need_text("what is looked for")?.as_str();
        let part = self.part(text, start, end)?;
        if name == "count" {
            let count = part.map_or(0, |part| part.matches(sought).count());
            return Ok(Value::Int(count as i128));
        }
        let last = name.starts_with('r');
        let found = part.and_then(|part| {
            let at = if last { part.rfind(sought) } else { part.find(sought) }?;
            let before = part.as_ptr() as usize - text.as_str().as_ptr() as usize + at;
            Some(text.as_str()[..before].chars().count())
        });
        match found {
            Some(index) => Ok(Value::Int(index as i128)),
            None if name.ends_with("index") => fail("what is looked for is not in the text"),
            None => Ok(Value::Int(-1)),
        }
    }

    /// With `new` for the first `limit` occurrences of `old`.
    pub fn replace(&mut self, text: &Text, old: &Text, new: &Text, limit: usize) -> Outcome<Value> {
        let found = text.as_str().match_indices(old.as_str()).take(limit);
        let count = found.clone().count();
        let added = count.checked_mul(new.len()).and_then(|added| added.checked_add(text.len()));
        self.charge_text(added)?;
        self.charge_each(count)?;
        let mut replaced = Text::new();
        let mut end = 0;
        for (start, _) in found {
            replaced.push_slice(text, end..start);
            replaced.push_text(new);
            end = start + old.len();
        }
        replaced.push_slice(text, end..text.len());
        Ok(Value::text(replaced))
    }

    /// Texts with a separator between them.
    pub fn join(&mut self, separator: &Text, texts: &[Arc<Text>]) -> Outcome<Value> {
        let separators = separator.len().checked_mul(texts.len());
        let bytes =
            texts.iter().try_fold(separators.unwrap_or(usize::MAX), |sum, text| sum.checked_add(text.len()));
        self.charge_text(bytes)?;
        let mut joined = Text::new();
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                joined.push_text(separator);
            }
            joined.push_text(text);
        }
        Ok(Value::text(joined))
    }

    /// A list of slices of a text.
    pub fn slices(&mut self, text: &Text, pieces: Vec<&str>) -> Outcome<Value> {
        // A text of its own for each.
        self.charge(pieces.len().saturating_mul(3))?;
        let base = text.as_str().as_ptr() as usize;
        let slice = |piece: &str| {
            let start = piece.as_ptr() as usize - base;
            Value::text(text.slice(start..start + piece.len()))
        };
        Value::list(pieces.into_iter().map(slice).collect())
    }

    /// How many characters a text lacks of `width`.
    fn missing(&mut self, text: &Text, width: &Value) -> Outcome<usize> {
        let width = usize::try_from(width.need_int("a width")?.max(0)).unwrap_or(usize::MAX);
        let missing = width.saturating_sub(text.as_str().chars().count());
        self.charge_text(text.len().checked_add(missing.saturating_mul(4)))?;
        Ok(missing)
    }

    /// With as many characters at its ends that it is `width` long.
    pub fn pad(&mut self, text: &Text, side: &str, width: &Value, fill: Option<&Value>) -> Outcome<Value> {
        let missing = self.missing(text, width)?;
        let space = Arc::new(Text::author(" "));
        let fill = fill.map_or(Ok(&space), |fill| fill.need_text("the fill character"))?;
        if fill.as_str().chars().count() != 1 {
            return fail("the fill character must be one character");
        }
        let before = match side {
            "ljust" => 0,
            "rjust" => missing,
            // As CPython does: the odd one goes to the left only if the width is odd.
            _ => missing / 2 + (missing & (missing + text.as_str().chars().count()) & 1),
        };
        let mut padded = Text::new();
        (0..before).for_each(|_| padded.push_text(fill));
        padded.push_text(text);
        (before..missing).for_each(|_| padded.push_text(fill));
        Ok(Value::text(padded))
    }

    fn expand_tabs(&mut self, text: &Text, size: i128) -> Outcome<Value> {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let tabs = text.as_str().matches('\t').count();
        self.charge_text(size.checked_mul(tabs).and_then(|bytes| bytes.checked_add(text.len())))?;
        self.charge_each(text.len())?;
        let (mut expanded, mut column) = (Text::new(), 0);
        for (character, sealed) in text.chars() {
            match character {
                '\t' if size == 0 => {}
                '\t' => {
                    let spaces = size - column % size;
                    expanded.push(&" ".repeat(spaces), sealed);
                    column += spaces;
                }
                _ => {
                    expanded.push_char(character, sealed);
                    column = if matches!(character, '\n' | '\r') { 0 } else { column + 1 };
                }
            }
        }
        Ok(Value::text(expanded))
    }
}

/// The range that is left between the characters at the ends that are taken away.
fn trimmed(text: &str, ends: Ends, away: impl Fn(char) -> bool) -> std::ops::Range<usize> {
    let keeps = |(_, character): &(usize, char)| !away(*character);
    let mut indices = text.char_indices();
    let start = match ends {
        Ends::End => 0,
        _ => indices.clone().find(keeps).map_or(text.len(), |(index, _)| index),
    };
    let end = match ends {
        Ends::Start => text.len(),
        _ => indices.rfind(keeps).map_or(start, |(index, character)| index + character.len_utf8()),
    };
    start..end.max(start)
}
