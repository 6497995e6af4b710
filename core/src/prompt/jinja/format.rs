//! Python's two ways to format values into a text: `%`, and `str.format`.

use std::ops::Range;
use std::sync::Arc;

use super::evaluator::{Evaluator, Outcome, fail};
use super::expressions::Arguments;
use super::numbers::{self, Spec};
use super::value::{Kind, Value};
use crate::prompt::text::Text;

impl Evaluator<'_> {
    /// `format % values`
    pub fn percent_format(&mut self, format: &Text, values: &Value) -> Outcome<Value> {
        self.charge_bytes(format.len())?;
        let tuple = match values {
            Value::List(list) if matches!(list.kind, Kind::Tuple | Kind::Group) => list.items.clone(),
            single => vec![single.clone()],
        };
        let mut next = tuple.into_iter();
        let mut out = Text::new();
        let mut cursor = Cursor { text: format, at: 0 };
        loop {
            let literal = cursor.until(|character| character == '%');
            self.append(&mut out, &format.slice(literal))?;
            if cursor.next().is_none() {
                break;
            }
            let mut missing = || next.next().map_or_else(|| fail("too few values for a format"), Ok);
            let mut given = None;
            if cursor.skip('(') {
                let key = cursor.until(|character| character == ')');
                if !cursor.skip(')') {
                    return fail("a key of a format has no end");
                }
                let Value::Dict(dict) = values else { return fail("a format with keys takes a dictionary") };
                let found = dict.get(&format.as_str()[key]).cloned();
                given = Some(found.map_or_else(|| fail("a key of a format is missing"), Ok)?);
            }
            let mut spec = Spec { right: true, ..Spec::default() };
            while let Some(flag) = cursor.peek().filter(|flag| "-+ 0#".contains(*flag)) {
                match flag {
                    '-' => spec.left = true,
                    '0' => spec.inside = true,
                    '#' => spec.alternate = true,
                    '+' => spec.sign = Some('+'),
                    _ => spec.sign = spec.sign.or(Some(' ')),
                }
                cursor.next();
            }
            if cursor.skip('*') {
                let width = missing()?.need_int("a width")?;
                spec.left |= width < 0;
                spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
            } else {
                spec.width = cursor.number().unwrap_or(0);
            }
            if cursor.skip('.') {
                spec.precision = Some(match cursor.skip('*') {
                    true => usize::try_from(missing()?.need_int("a precision")?.max(0)).unwrap_or(usize::MAX),
                    false => cursor.number().unwrap_or(0),
                });
            }
            while cursor.peek().is_some_and(|size| "hlL".contains(size)) {
                cursor.next();
            }
            let Some(kind) = cursor.next() else { return fail("a format is incomplete") };
            if kind == '%' {
                self.append(&mut out, &format.slice(cursor.at - 1..cursor.at))?;
                continue;
            }
            let value = given.map_or_else(missing, Ok)?;
            let text = self.percent_value(kind, &value, spec)?;
            self.append(&mut out, &text)?;
        }
        // Python takes a list for something with keys here.
        let has_keys = match values {
            Value::Dict(_) => true,
            Value::List(list) => !matches!(list.kind, Kind::Tuple | Kind::Group),
            _ => false,
        };
        if next.next().is_some() && !has_keys {
            return fail("too many values for a format");
        }
        Ok(Value::text(out))
    }

    fn percent_value(&mut self, kind: char, value: &Value, mut spec: Spec) -> Outcome<Text> {
        spec.inside &= !spec.left;
        let fill = Text::author(if spec.inside { "0" } else { " " });
        let text = match kind {
            's' => Text::clone(&*self.display(value)?),
            'r' | 'a' => {
                let mut repr = Text::new();
                self.repr(value, &mut repr)?;
                repr
            }
            'c' => match (value, value.as_int()) {
                (Value::Text(text), _) if text.as_str().chars().count() == 1 => Text::clone(text),
                (_, Some(code)) => match u32::try_from(code).ok().and_then(char::from_u32) {
                    Some(character) => Text::author(character),
                    None => return fail("there is no such character"),
                },
                _ => return fail("%c takes a character"),
            },
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                let whole = match value {
                    Value::Float(float) if "diu".contains(kind) => numbers::truncated(*float),
                    other => other.as_int(),
                };
                let Some(whole) = whole else { return fail(format!("%{kind} takes a whole number")) };
                spec.kind = Some(kind);
                let digits = spec.precision.take().unwrap_or(0).min(numbers::PRECISION);
                let Some((sign, number)) = numbers::whole(whole, &spec) else {
                    return fail("unknown format");
                };
                return self.aligned_number(&sign, &format!("{number:0>digits$}"), &spec, &fill);
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let Some(float) = value.as_float() else { return fail(format!("%{kind} takes a number")) };
                spec.kind = Some(kind);
                let Some((sign, number)) = numbers::float(float, &spec) else {
                    return fail("unknown format");
                };
                return self.aligned_number(&sign, &number, &spec, &fill);
            }
            _ => return fail("a format is of an unknown kind"),
        };
        let text = if kind == 'c' { text } else { shortened(&text, spec.precision) };
        spec.inside = false;
        self.aligned(&text, &spec, &Text::author(" "))
    }

    /// `format.format(…)`
    pub fn brace_format(&mut self, format: &Arc<Text>, arguments: &Arguments) -> Outcome<Value> {
        let mut automatic = 0;
        let text = self.braces(format, arguments, &mut automatic, 0)?;
        Ok(Value::text(text))
    }

    fn braces(
        &mut self,
        format: &Text,
        arguments: &Arguments,
        automatic: &mut usize,
        level: usize,
    ) -> Outcome<Text> {
        self.charge_bytes(format.len())?;
        if level > 1 {
            return fail("a format is nested too deeply");
        }
        let mut out = Text::new();
        let mut cursor = Cursor { text: format, at: 0 };
        loop {
            let literal = cursor.until(|character| matches!(character, '{' | '}'));
            self.append(&mut out, &format.slice(literal))?;
            let Some(brace) = cursor.next() else { return Ok(out) };
            if cursor.skip(brace) {
                self.append(&mut out, &format.slice(cursor.at - 1..cursor.at))?;
                continue;
            }
            if brace == '}' {
                return fail("a format has a single }");
            }
            let field = cursor.until(|character| matches!(character, '!' | ':' | '}' | '{'));
            let value = self.field(&format.as_str()[field], arguments, automatic)?;
            let value = match cursor.skip('!').then(|| cursor.next()) {
                None => value,
                Some(Some('s')) => Value::Text(self.display(&value)?),
                Some(Some('r')) => {
                    let mut repr = Text::new();
                    self.repr(&value, &mut repr)?;
                    Value::text(repr)
                }
                Some(_) => return fail("a format has an unknown conversion"),
            };
            let mut spec = Text::new();
            if cursor.skip(':') {
                let mut braces = 0;
                let range = cursor.until(|character| match character {
                    '{' => {
                        braces += 1;
                        false
                    }
                    '}' if braces == 0 => true,
                    '}' => {
                        braces -= 1;
                        false
                    }
                    _ => false,
                });
                spec = self.braces(&format.slice(range), arguments, automatic, level + 1)?;
            }
            if !cursor.skip('}') {
                return fail("a field of a format has no end");
            }
            let text = self.formatted(&value, &spec)?;
            self.append(&mut out, &text)?;
        }
    }

    /// The value of a field: an argument, and attributes and items from there.
    fn field(&mut self, field: &str, arguments: &Arguments, automatic: &mut usize) -> Outcome<Value> {
        let end = field.find(['.', '[']).unwrap_or(field.len());
        let (first, mut rest) = field.split_at(end);
        let index = match first {
            "" => {
                *automatic += 1;
                Some(*automatic - 1)
            }
            _ => first.parse().ok(),
        };
        let found = match index {
            Some(index) => arguments.positional.get::<usize>(index),
            None => {
                let named = arguments.named.iter().find(|(name, _)| name.as_str() == first);
                named.map(|(_, value)| value)
            }
        };
        let Some(mut value) = found.cloned() else { return fail("a format has a field without a value") };
        while !rest.is_empty() {
            if let Some(attribute) = rest.strip_prefix('.') {
                let end = attribute.find(['.', '[']).unwrap_or(attribute.len());
                value = self.attribute(&value, &attribute[..end])?;
                rest = &attribute[end..];
            } else {
                let Some((key, after)) = rest.strip_prefix('[').and_then(|key| key.split_once(']')) else {
                    return fail("a field of a format is not an attribute or an item");
                };
                let key = key.parse().map_or_else(|_| Value::author(key), Value::Int);
                value = self.item(&value, &key)?;
                rest = after;
            }
        }
        Ok(value)
    }

    /// `format(value, spec)`
    fn formatted(&mut self, value: &Value, spec: &Text) -> Outcome<Text> {
        if spec.is_empty() {
            return Ok(Text::clone(&*self.display(value)?));
        }
        let (mut spec, fill) = read_spec(spec)?;
        let number = match value {
            other if spec.kind == Some('c') => {
                let text = self.percent_value('c', other, Spec::default())?;
                return self.aligned(&text, &spec, &fill);
            }
            Value::Float(value) => Some(numbers::float(*value, &spec)),
            other => other.as_int().map(|whole| numbers::whole(whole, &spec)),
        };
        match (number, value) {
            (Some(Some((sign, number))), _) => {
                let aligned = spec.left || spec.center || spec.right || spec.inside;
                spec.right |= !aligned;
                self.aligned_number(&sign, &number, &spec, &fill)
            }
            (None, Value::Text(text)) if matches!(spec.kind, None | Some('s')) => {
                self.aligned(&shortened(text, spec.precision), &spec, &fill)
            }
            _ => fail(format!("{} has no such format", value.type_name())),
        }
    }

    /// A number, filled up to the width: before it, between its sign and its digits, or around.
    fn aligned_number(&mut self, sign: &str, number: &str, spec: &Spec, fill: &Text) -> Outcome<Text> {
        if spec.inside {
            let width = spec.width.saturating_sub(sign.len());
            let spec = Spec { width, right: true, ..Spec::default() };
            let number = self.aligned(&Text::author(number), &spec, fill)?;
            let mut text = Text::author(sign);
            text.push_text(&number);
            return Ok(text);
        }
        self.aligned(&Text::author(format!("{sign}{number}")), spec, fill)
    }

    fn aligned(&mut self, text: &Text, spec: &Spec, fill: &Text) -> Outcome<Text> {
        let missing = spec.width.saturating_sub(text.as_str().chars().count());
        let before = match spec {
            Spec { left: true, .. } => 0,
            Spec { center: true, .. } => missing / 2,
            Spec { right: true, .. } | Spec { inside: true, .. } => missing,
            _ => 0,
        };
        self.charge_text(missing.checked_mul(fill.len()).and_then(|bytes| bytes.checked_add(text.len())))?;
        let mut aligned = Text::new();
        (0..before).for_each(|_| aligned.push_text(fill));
        aligned.push_text(text);
        (before..missing).for_each(|_| aligned.push_text(fill));
        Ok(aligned)
    }

    fn append(&mut self, out: &mut Text, text: &Text) -> Outcome<()> {
        self.charge_growth(out, text.len())?;
        out.push_text(text);
        Ok(())
    }
}

/// The first characters of a text, at most `precision`.
fn shortened(text: &Text, precision: Option<usize>) -> Text {
    let cut = precision.and_then(|precision| text.as_str().char_indices().nth(precision));
    text.slice(0..cut.map_or(text.len(), |(index, _)| index))
}

/// `[[fill]align][sign][#][0][width][grouping][.precision][kind]`, and what fills.
fn read_spec(text: &Text) -> Outcome<(Spec, Text)> {
    let mut spec = Spec::default();
    let mut fill = Text::author(" ");
    let mut cursor = Cursor { text, at: 0 };
    let is_align = |character: &char| "<>^=".contains(*character);
    let mut align = None;
    let second = text.as_str().chars().nth(1).filter(is_align);
    if second.is_some() {
        let first = cursor.at;
        cursor.next();
        fill = text.slice(first..cursor.at);
        align = cursor.next();
    } else if cursor.peek().filter(is_align).is_some() {
        align = cursor.next();
    }
    match align {
        Some('<') => spec.left = true,
        Some('^') => spec.center = true,
        Some('=') => spec.inside = true,
        Some(_) => spec.right = true,
        None => {}
    }
    spec.sign = cursor.peek().filter(|sign| "+- ".contains(*sign));
    if spec.sign.is_some() {
        cursor.next();
    }
    spec.alternate = cursor.skip('#');
    if cursor.skip('0') && second.is_none() {
        spec.inside = align.is_none();
        fill = Text::author("0");
    }
    spec.width = cursor.number().unwrap_or(0);
    spec.grouping = cursor.peek().filter(|separator| ",_".contains(*separator));
    if spec.grouping.is_some() {
        cursor.next();
    }
    if cursor.skip('.') {
        spec.precision = cursor.number();
        if spec.precision.is_none() {
            return fail("the precision of a format is missing");
        }
    }
    spec.kind = cursor.next();
    if cursor.next().is_some() {
        return fail("a format is not one that is known");
    }
    Ok((spec, fill))
}

/// Reads a format.
struct Cursor<'a> {
    text: &'a Text,
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.text.as_str()[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip(&mut self, wanted: char) -> bool {
        let skips = self.peek() == Some(wanted);
        self.at += if skips { wanted.len_utf8() } else { 0 };
        skips
    }

    /// The range up to the next character that ends it, or the end.
    fn until(&mut self, ends: impl FnMut(char) -> bool) -> Range<usize> {
        let start = self.at;
        let rest = &self.text.as_str()[start..];
        self.at = start + rest.find(ends).unwrap_or(rest.len());
        start..self.at
    }

    /// The digits that stand here; a number that is too large is the largest.
    fn number(&mut self) -> Option<usize> {
        let range = self.until(|character| !character.is_ascii_digit());
        (!range.is_empty()).then(|| self.text.as_str()[range].parse().unwrap_or(usize::MAX))
    }
}
