//! Values as Python writes them, or nearly as JSON does: what some models write in place of JSON.

use serde_json::{Map, Value};

/// How deep values may be nested.
const DEPTH: usize = 64;

/// Reads values from the start of a text.
pub(super) struct Reader<'a, 'q> {
    rest: &'a str,
    /// What stands around strings, besides `"` and `'`.
    quote: Option<&'q str>,
    depth: usize,
}

impl<'a, 'q> Reader<'a, 'q> {
    pub(super) fn new(text: &'a str, quote: Option<&'q str>) -> Self {
        Self { rest: text, quote: quote.filter(|quote| !quote.is_empty()), depth: 0 }
    }

    /// What was not read.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// A value; `None` if there is none, or it is cut off.
    pub(super) fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEPTH {
            return None;
        }
        self.rest = self.rest.trim_start();
        let value = if let Some(string) = self.string() {
            Some(Value::String(string?))
        } else if self.take("{") {
            self.entries('}', ":").map(Value::Object)
        } else if self.take("[") {
            self.items(']')
        } else if self.take("(") {
            self.items(')')
        } else {
            self.word()
        };
        self.depth -= 1;
        value
    }

    /// `key=value, ...` up to the closing bracket.
    pub(super) fn keywords(&mut self) -> Option<Map<String, Value>> {
        self.take("(").then(|| self.entries(')', "=")).flatten()
    }

    fn take(&mut self, text: &str) -> bool {
        match self.rest.trim_start().strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn items(&mut self, close: char) -> Option<Value> {
        let (close, mut items) = (close.to_string(), Vec::new());
        loop {
            if self.take(&close) {
                return Some(Value::Array(items));
            }
            items.push(self.value()?);
            if !self.take(",") && !self.rest.trim_start().starts_with(&close) {
                return None;
            }
        }
    }

    fn entries(&mut self, close: char, between: &str) -> Option<Map<String, Value>> {
        let (close, mut map) = (close.to_string(), Map::new());
        loop {
            if self.take(&close) {
                return Some(map);
            }
            self.rest = self.rest.trim_start();
            let key = match self.string() {
                Some(key) => key?,
                None => {
                    let length = self.rest.find(['=', ':', ',', '}', ')', '"', '\'', ' ', '\n'])?;
                    let (key, rest) = self.rest.split_at(length);
                    self.rest = rest;
                    key.to_owned()
                }
            };
            if key.is_empty() || !self.take(between) {
                return None;
            }
            let value = self.value()?;
            map.insert(key, value);
            if !self.take(",") && !self.rest.trim_start().starts_with(&close) {
                return None;
            }
        }
    }

    /// A string, if one begins here; the inner `None` is one that does not end.
    fn string(&mut self) -> Option<Option<String>> {
        if let Some(quote) = self.quote
            && let Some(text) = self.rest.strip_prefix(quote)
        {
            return Some(text.split_once(quote).map(|(string, rest)| {
                self.rest = rest;
                string.to_owned()
            }));
        }
        let quote = self.rest.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        self.rest = &self.rest[1..];
        Some(self.escaped(quote))
    }

    fn escaped(&mut self, quote: char) -> Option<String> {
        let (mut string, mut characters) = (String::new(), self.rest.char_indices());
        while let Some((index, character)) = characters.next() {
            if character == quote {
                self.rest = &self.rest[index + 1..];
                return Some(string);
            }
            if character != '\\' {
                string.push(character);
                continue;
            }
            let (index, escape) = characters.next()?;
            match escape {
                'n' => string.push('\n'),
                't' => string.push('\t'),
                'r' => string.push('\r'),
                'x' | 'u' => {
                    let digits = if escape == 'x' { 2 } else { 4 };
                    let code = u32::from_str_radix(self.rest.get(index + 1..index + 1 + digits)?, 16).ok()?;
                    string.push(char::from_u32(code)?);
                    characters.nth(digits - 1);
                }
                '\n' => {}
                other => string.push(other),
            }
        }
        None
    }

    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find([',', ']', '}', ')', ':', ' ', '\n']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = match word {
            "True" | "true" => Value::Bool(true),
            "False" | "false" => Value::Bool(false),
            "None" | "null" => Value::Null,
            number => Value::Number(number.parse().ok()?),
        };
        self.rest = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn python_and_json_are_read() {
        for (text, value) in [
            (
                "{'a': 'b\\'c', \"d\": [1, -2.5, True, None,], 'e': ()}",
                json!({"a": "b'c", "d": [1, -2.5, true, null], "e": []}),
            ),
            ("'\\u00e4\\x41\\n\\\\'", json!("äA\n\\")),
            ("{a:false,b:{c:1e3}}", json!({"a": false, "b": {"c": 1e3}})),
        ] {
            assert_eq!(Reader::new(text, None).value(), Some(value), "{text}");
        }
        let mut reader = Reader::new("(city='Łódź', days=2) and more", None);
        assert_eq!(reader.keywords().map(Value::Object), Some(json!({"city": "Łódź", "days": 2})));
        assert_eq!(reader.rest(), " and more");
        let loose = Reader::new("{a:<q>x, \"y\"}<q>,b:[<q><q>]}", Some("<q>")).value();
        assert_eq!(loose, Some(json!({"a": "x, \"y\"}", "b": [""]})));
    }

    #[test]
    fn what_is_cut_off_or_no_value_is_none() {
        for text in
            ["", "{", "{'a'", "{'a': ", "'a", "[1 2]", "{:1}", "nul", "'\\u00'", "'\\uD800'", "{a}", "'\\"]
        {
            assert_eq!(Reader::new(text, None).value(), None, "{text}");
        }
        assert_eq!(Reader::new(&"[".repeat(100_000), None).value(), None);
        assert_eq!(Reader::new("(1)", None).keywords(), None);
    }
}
