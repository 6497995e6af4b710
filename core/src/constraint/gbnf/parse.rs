//! From the text of a grammar to its rules.

use std::collections::HashMap;

use super::super::compile::bad;
use super::{Chars, Grammar, Node};
use crate::error::{Error, Result};

/// Repetitions at most, as in llama.cpp.
const REPEATED: u32 = 2000;

/// Rules at most.
const RULES: usize = 4000;

/// Parses a grammar.
pub(super) fn parse(text: &str) -> Result<Grammar> {
    let mut parser = Parser { text, position: 0, names: HashMap::new(), rules: Vec::new() };
    parser.index_of("root", 1);
    parser.space(true);
    while parser.peek().is_some() {
        parser.rule()?;
    }
    parser.finish()
}

struct Parser<'a> {
    text: &'a str,
    position: usize,
    names: HashMap<&'a str, usize>,
    /// For each name the line where it was first seen, and what it is.
    rules: Vec<(usize, Option<Node>)>,
}

impl<'a> Parser<'a> {
    fn finish(self) -> Result<Grammar> {
        let mut names: Vec<(&str, usize)> = self.names.into_iter().collect();
        names.sort_by_key(|&(_, index)| index);
        if names.len() > RULES {
            return Err(bad(&format!("{} rules, of {RULES} at most", names.len())));
        }
        let defined = |((line, rule), (name, _)): ((usize, Option<Node>), (&str, usize))| {
            rule.ok_or_else(|| bad(&format!("line {line}: there is no rule {name:?}")))
        };
        Ok(Grammar { rules: self.rules.into_iter().zip(names).map(defined).collect::<Result<_>>()? })
    }

    fn rule(&mut self) -> Result<()> {
        let line = self.line();
        let name = self.name()?;
        self.space(false);
        if !self.take("::=") {
            return Err(self.error("::= is expected"));
        }
        self.space(true);
        let rule = self.either(false)?;
        if !matches!(self.peek(), None | Some('\n' | '\r')) {
            return Err(self.error("a newline is expected, or the end of the grammar"));
        }
        self.space(true);
        let index = self.index_of(name, line);
        if self.rules[index].1.replace(rule).is_some() {
            return Err(bad(&format!("line {line}: the rule {name:?} stands twice")));
        }
        Ok(())
    }

    fn either(&mut self, nested: bool) -> Result<Node> {
        let mut options = vec![self.sequence(nested)?];
        while self.take("|") {
            self.space(true);
            options.push(self.sequence(nested)?);
        }
        Ok(if options.len() == 1 { options.remove(0) } else { Node::Either(options) })
    }

    fn sequence(&mut self, nested: bool) -> Result<Node> {
        let mut items: Vec<Node> = Vec::new();
        while let Some(next) = self.peek() {
            let item = match next {
                '"' => self.literal()?,
                '[' => Node::Chars(self.class()?),
                '.' => {
                    self.position += 1;
                    Node::Chars(inverse(Vec::new()))
                }
                '(' => {
                    self.position += 1;
                    self.space(true);
                    let inner = self.either(true)?;
                    if !self.take(")") {
                        return Err(self.error(") is expected"));
                    }
                    inner
                }
                '*' | '+' | '?' | '{' => {
                    let (least, most) = self.times(nested)?;
                    let item = items.pop().ok_or_else(|| self.error("there is nothing to repeat"))?;
                    Node::Repeat(Box::new(item), least, most)
                }
                '<' | '!' => return Err(self.error("tokens are not supported, only text is")),
                next if is_name(next) => {
                    let line = self.line();
                    let name = self.name()?;
                    Node::Rule(self.index_of(name, line))
                }
                _ => break,
            };
            self.space(nested);
            items.push(item);
        }
        Ok(if items.len() == 1 { items.remove(0) } else { Node::Sequence(items) })
    }

    fn literal(&mut self) -> Result<Node> {
        self.position += 1;
        let mut characters = Vec::new();
        while !self.take("\"") {
            let character = self.character()?;
            characters.push(Node::Chars(vec![(character, character)]));
        }
        Ok(Node::Sequence(characters))
    }

    fn class(&mut self) -> Result<Chars> {
        self.position += 1;
        let negated = self.take("^");
        let mut ranges = Vec::new();
        while !self.take("]") {
            let first = self.character()?;
            let rest = self.rest();
            let last = if rest.starts_with('-') && !rest.starts_with("-]") {
                self.position += 1;
                self.character()?
            } else {
                first
            };
            if first > last {
                return Err(self.error("the range is the wrong way round"));
            }
            ranges.push((first, last));
        }
        match (negated, ranges.is_empty()) {
            (true, _) => Ok(inverse(ranges)),
            (false, false) => Ok(ranges),
            (false, true) => Err(self.error("no character is in []")),
        }
    }

    fn times(&mut self, nested: bool) -> Result<(u32, Option<u32>)> {
        let simple = [("*", (0, None)), ("+", (1, None)), ("?", (0, Some(1)))];
        if let Some((_, times)) = simple.into_iter().find(|(sign, _)| self.take(sign)) {
            return Ok(times);
        }
        self.position += 1;
        self.space(nested);
        let least = self.number()?;
        self.space(nested);
        let mut most = Some(least);
        if self.take(",") {
            self.space(nested);
            let given = self.peek().is_some_and(|next| next.is_ascii_digit());
            most = if given { Some(self.number()?) } else { None };
            self.space(nested);
        }
        if !self.take("}") {
            return Err(self.error("} is expected"));
        }
        if most.is_some_and(|most| most < least) {
            return Err(self.error("the most is less than the least"));
        }
        Ok((least, most))
    }

    fn number(&mut self) -> Result<u32> {
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let number: Option<u32> = self.rest()[..digits].parse().ok().filter(|&number| number <= REPEATED);
        let number =
            number.ok_or_else(|| self.error(&format!("a number is expected, {REPEATED} at most")))?;
        self.position += digits;
        Ok(number)
    }

    /// One character of a literal or a class.
    fn character(&mut self) -> Result<u32> {
        let unfinished = self.error("the grammar ends in a literal or a class");
        let mut characters = self.rest().chars();
        let first = characters.next().ok_or(unfinished)?;
        self.position += first.len_utf8();
        if first != '\\' {
            return Ok(u32::from(first));
        }
        let escape = characters.next().unwrap_or(' ');
        self.position += if escape.is_ascii() { 1 } else { 0 };
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            't' => return Ok(9),
            'r' => return Ok(13),
            'n' => return Ok(10),
            '\\' | '"' | '[' | ']' | '-' | '^' => return Ok(u32::from(escape)),
            _ => return Err(self.error("there is no such escape; \\\\ is a backslash")),
        };
        let hex = self.rest().get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let scalar = hex.filter(|&number| char::from_u32(number).is_some());
        let number =
            scalar.ok_or_else(|| self.error(&format!("{digits} digits of a character are expected")))?;
        self.position += digits;
        Ok(number)
    }

    fn name(&mut self) -> Result<&'a str> {
        let rest = &self.text[self.position..];
        let length = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.error("the name of a rule is expected"));
        }
        self.position += length;
        Ok(&rest[..length])
    }

    fn index_of(&mut self, name: &'a str, line: usize) -> usize {
        let next = self.rules.len();
        let index = *self.names.entry(name).or_insert(next);
        if index == next {
            self.rules.push((line, None));
        }
        index
    }

    /// Passes over white space and comments.
    fn space(&mut self, newlines: bool) {
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' => self.position += 1,
                '\n' | '\r' if newlines => self.position += 1,
                '#' => {
                    let rest = self.rest();
                    self.position += rest.find(['\n', '\r']).unwrap_or(rest.len());
                }
                _ => break,
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.position += if found { expected.len() } else { 0 };
        found
    }

    fn line(&self) -> usize {
        self.text[..self.position].matches('\n').count() + 1
    }

    fn error(&self, reason: &str) -> Error {
        bad(&format!("line {}: {reason}", self.line()))
    }
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-' || character == '_'
}

/// The characters that are not in these ranges.
fn inverse(mut ranges: Chars) -> Chars {
    ranges.push((0xD800, 0xDFFF));
    ranges.sort_unstable();
    let mut next = 0;
    let mut others = Vec::new();
    for (first, last) in ranges {
        if next < first {
            others.push((next, first - 1));
        }
        next = next.max(last + 1);
    }
    if next <= 0x10_FFFF {
        others.push((next, 0x10_FFFF));
    }
    others
}
