//! What is said inside of a tag: paths, literals, subexpressions, options.

use super::lex::is_name;
use super::parse::no_helper;
use super::tree::{Call, Expression, Hash, Helper, Path};
use crate::prompt::data::Data;
use crate::prompt::file::source::{Fault, Parsed, Source, unknown};
use crate::prompt::text::Text;

/// How deep subexpressions may be nested.
const MAX_DEPTH: usize = 32;
/// Parameters and options of a tag at most.
const MAX_ARGUMENTS: usize = 64;

/// Reads the inside of a tag.
pub(super) struct Words<'a> {
    source: &'a Source,
    at: usize,
    end: usize,
    depth: usize,
}

impl<'a> Words<'a> {
    pub fn new(source: &'a Source, at: usize, end: usize) -> Self {
        Self { source, at, end, depth: 0 }
    }

    pub fn fault(&self, at: usize, reason: impl Into<String>) -> Fault {
        Fault::new(self.source.place(at), reason)
    }

    pub fn rest(&self) -> &'a str {
        &self.source.text[self.at..self.end]
    }

    fn skip(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn peek(&mut self) -> Option<char> {
        self.skip();
        self.rest().chars().next()
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    pub fn is_end(&mut self) -> Parsed<bool> {
        Ok(self.peek().is_none())
    }

    pub fn end(&mut self, reason: &str) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fault(self.at, format!("unexpected `{}`: {reason}", self.shown()))),
        }
    }

    /// The next word, for a message.
    fn shown(&self) -> String {
        self.rest().split_whitespace().next().unwrap_or_default().chars().take(20).collect()
    }

    /// The first word as it is written.
    pub fn first_word(&mut self) -> String {
        self.skip();
        let rest = self.rest();
        let end = rest.find(|character: char| character.is_whitespace()).unwrap_or(rest.len());
        rest[..end].to_owned()
    }

    /// A name, or a helper, with what follows it.
    pub fn call(&mut self) -> Parsed<(Path, Vec<Expression>, Hash)> {
        let at = self.at;
        let path = match self.expression()? {
            Some(Expression::Path(path)) => path,
            // As in Handlebars, a literal in this place is a name.
            Some(Expression::Literal(Data::Text(name))) => {
                Path { at, data: false, up: 0, scoped: true, segments: vec![name.into_string()] }
            }
            Some(_) => return Err(self.fault(at, "a tag starts with the name of a variable or a helper")),
            None => return Err(self.fault(at, "the tag is empty")),
        };
        let (params, hash) = self.arguments()?;
        Ok((path, params, hash))
    }

    /// Parameters, then options.
    pub fn arguments(&mut self) -> Parsed<(Vec<Expression>, Hash)> {
        let (mut params, mut hash) = (Vec::new(), Hash::new());
        loop {
            self.skip();
            if params.len() + hash.len() > MAX_ARGUMENTS {
                return Err(self.fault(self.at, format!("a tag takes {MAX_ARGUMENTS} arguments at most")));
            }
            if self.is_block_names() {
                break;
            }
            let at = self.at;
            if let Some(name) = self.option_name() {
                if hash.iter().any(|(known, _)| *known == name) {
                    return Err(self.fault(at, format!("`{name}` is given twice")));
                }
                let Some(value) = self.expression()? else {
                    return Err(self.fault(self.at, format!("`{name}=` has no value")));
                };
                hash.push((name, value));
            } else {
                match self.expression()? {
                    None => break,
                    Some(_) if !hash.is_empty() => {
                        return Err(self.fault(at, "parameters stand before options (`name=value`)"));
                    }
                    Some(param) => params.push(param),
                }
            }
        }
        Ok((params, hash))
    }

    /// `name=`
    fn option_name(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
        let behind = rest[end..].trim_start();
        if end == 0 || !behind.starts_with('=') {
            return None;
        }
        self.at += rest.len() - behind.len() + 1;
        Some(rest[..end].to_owned())
    }

    fn is_block_names(&self) -> bool {
        let behind = self.rest().strip_prefix("as").map(str::trim_start);
        behind.is_some_and(|behind| behind.starts_with('|'))
    }

    /// `as |item index|`
    pub fn block_names(&mut self) -> Parsed<Vec<String>> {
        self.skip();
        if !self.is_block_names() {
            return Ok(Vec::new());
        }
        let at = self.at;
        self.at += self.rest().find('|').unwrap_or_default() + 1;
        let Some(length) = self.rest().find('|') else {
            return Err(self.fault(at, "`as |...` is not closed by `|`"));
        };
        let names: Vec<String> = self.rest()[..length].split_whitespace().map(str::to_owned).collect();
        self.at += length + 1;
        if names.is_empty() || names.len() > 2 || !names.iter().all(|name| name.chars().all(is_name)) {
            return Err(self.fault(at, "`as |...|` holds one or two names"));
        }
        Ok(names)
    }

    pub fn partial_name(&mut self) -> Parsed<String> {
        self.skip();
        let at = self.at;
        if self.peek() == Some('(') {
            return Err(self.fault(at, "the name of a partial is fixed: a value may not choose it"));
        }
        let name = match self.string()? {
            Some(name) => name,
            None => {
                let rest = self.rest();
                let end = rest.find(|character: char| !(is_name(character) || "/.@".contains(character)));
                let name = &rest[..end.unwrap_or(rest.len())];
                self.at += name.len();
                name.to_owned()
            }
        };
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.chars().all(|character| character.is_alphanumeric() || "-_.@".contains(character))
        };
        match name.split('/').all(plain) && name.len() <= 200 {
            true => Ok(name),
            false => Err(self.fault(at, "a partial is named by letters, digits, `-`, `_` and `/`")),
        }
    }

    /// The next value, if there is one.
    fn expression(&mut self) -> Parsed<Option<Expression>> {
        self.skip();
        let at = self.at;
        if let Some(text) = self.string()? {
            return Ok(Some(Expression::Literal(Data::Text(Text::author(text)))));
        }
        let Some(next) = self.peek() else { return Ok(None) };
        if next == ')' {
            return Ok(None);
        }
        if next == '(' {
            return self.subexpression().map(|call| Some(Expression::Call(Box::new(call))));
        }
        let rest = self.rest();
        let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
        let word = &rest[..end];
        let literal = match word {
            "true" => Some(Data::Bool(true)),
            "false" => Some(Data::Bool(false)),
            "null" | "undefined" => Some(Data::Null),
            _ => None,
        };
        let closed = !rest[end..].starts_with(['.', '/']);
        if let Some(literal) = literal.filter(|_| closed) {
            self.at += end;
            return Ok(Some(Expression::Literal(literal)));
        }
        if let Some(number) = self.number()? {
            return Ok(Some(Expression::Literal(number)));
        }
        self.path(at).map(|path| Some(Expression::Path(path)))
    }

    fn number(&mut self) -> Parsed<Option<Data>> {
        let rest = self.rest();
        let end = rest.find(|character: char| !is_name(character) && character != '.').unwrap_or(rest.len());
        let word = &rest[..end];
        let digits = word.strip_prefix('-').unwrap_or(word);
        if !digits.starts_with(|character: char| character.is_ascii_digit())
            || !digits.chars().all(|character| character.is_ascii_digit() || character == '.')
        {
            return Ok(None);
        }
        let number = match word.parse::<i64>() {
            Ok(integer) => Some(Data::Int(integer.into())),
            Err(_) => word.parse::<f64>().ok().map(Data::Float),
        };
        match number {
            Some(number) => {
                self.at += end;
                Ok(Some(number))
            }
            None => Err(self.fault(self.at, "this is no number")),
        }
    }

    fn string(&mut self) -> Parsed<Option<String>> {
        let quote = match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => return Ok(None),
        };
        let at = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((index, character)) = characters.next() {
            match character {
                '\\' if characters.peek().is_some_and(|(_, next)| *next == quote) => {
                    text.push(quote);
                    characters.next();
                }
                _ if character == quote => {
                    self.at += index + 1;
                    return Ok(Some(text));
                }
                _ => text.push(character),
            }
        }
        Err(self.fault(at, "the text is not closed by its quotation mark"))
    }

    fn subexpression(&mut self) -> Parsed<Call> {
        let at = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(at, "subexpressions are nested too deep"));
        }
        self.at += 1;
        let (path, params, hash) = self.call()?;
        self.skip();
        if !self.eat(")") {
            return Err(self.fault(at, "`(` is not closed by `)`"));
        }
        self.depth -= 1;
        let Some(helper) = path.name().and_then(Helper::named) else { return Err(no_helper(self, &path)) };
        if !helper.is_value() {
            let reason = format!("`{}` gives no value that a helper could take", helper.name());
            return Err(self.fault(at, reason));
        }
        let call = Call { at, helper, params, hash };
        self.check(&call)?;
        Ok(call)
    }

    fn path(&mut self, at: usize) -> Parsed<Path> {
        let mut path = Path { at, data: self.eat("@"), up: 0, scoped: false, segments: Vec::new() };
        let fault =
            |words: &Self| Err(words.fault(at, format!("`{}` is not the name of a variable", words.shown())));
        loop {
            let rest = self.rest();
            let leading = path.segments.is_empty();
            let end = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
            if leading && self.eat("..") {
                (path.up, path.scoped) = (path.up + 1, true);
            } else if leading && self.eat(".") || leading && &rest[..end] == "this" && end == 4 {
                if rest.starts_with("this") {
                    self.at += 4;
                }
                path.scoped = true;
            } else if rest.starts_with('[') {
                let Some(length) = rest.find(']') else { return fault(self) };
                path.segments.push(rest[1..length].to_owned());
                self.at += length + 1;
            } else if end > 0 {
                path.segments.push(rest[..end].to_owned());
                self.at += end;
            } else if leading && path.up > 0 && (rest.is_empty() || !rest.starts_with(is_name)) {
                // `../`
                break;
            } else {
                return fault(self);
            }
            if !(self.eat("/") || self.eat(".")) {
                break;
            }
        }
        match self.rest().chars().next() {
            Some(next) if !next.is_whitespace() && !matches!(next, ')' | '=') => fault(self),
            _ if path.data && path.segments.is_empty() => fault(self),
            _ => Ok(path),
        }
    }

    /// Whether a helper gets what it takes.
    pub fn check(&self, call: &Call) -> Parsed<()> {
        let name = call.helper.name();
        if let Some((key, _)) =
            call.hash.iter().find(|(key, _)| !call.helper.options().contains(&key.as_str()))
        {
            let known = call.helper.options();
            let reason = match known {
                [] => format!("`{name}` has no options"),
                _ => unknown(&format!("option of `{name}`"), key, known),
            };
            return Err(self.fault(call.at, reason));
        }
        if let Some(takes) = call.helper.takes().filter(|takes| *takes != call.params.len()) {
            let given = call.params.len();
            return Err(self.fault(call.at, format!("`{name}` takes {takes} parameters, not {given}")));
        }
        if call.helper == Helper::Media && call.option("url").is_none() {
            return Err(self.fault(call.at, "`media` needs `url=`"));
        }
        Ok(())
    }
}
