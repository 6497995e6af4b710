//! Numbers as text, and text as numbers: Python's formats.

use super::print;

/// How a value is formatted: what both kinds of formats of Python can say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spec {
    pub left: bool,
    pub center: bool,
    pub right: bool,
    /// Fills between the sign and the digits.
    pub inside: bool,
    pub sign: Option<char>,
    pub alternate: bool,
    pub width: usize,
    pub grouping: Option<char>,
    pub precision: Option<usize>,
    pub kind: Option<char>,
}

/// Digits of a number are cut here; longer ones are no use.
pub(super) const PRECISION: usize = 1000;

/// A whole number as its sign, and its digits with what stands before them.
pub(super) fn whole(value: i128, spec: &Spec) -> Option<(String, String)> {
    let magnitude = value.unsigned_abs();
    let (prefix, digits) = match spec.kind {
        None | Some('d' | 'i' | 'u' | 'n') => ("", magnitude.to_string()),
        Some('x') => ("0x", format!("{magnitude:x}")),
        Some('X') => ("0X", format!("{magnitude:X}")),
        Some('o') => ("0o", format!("{magnitude:o}")),
        Some('b') => ("0b", format!("{magnitude:b}")),
        Some(_) => return float(value as f64, spec),
    };
    let digits = group(&digits, spec.grouping, if prefix.is_empty() { 3 } else { 4 });
    let prefix = if spec.alternate { prefix } else { "" };
    Some((sign(value < 0, spec), format!("{prefix}{digits}")))
}

/// A number as its sign, and its digits.
pub(super) fn float(value: f64, spec: &Spec) -> Option<(String, String)> {
    let magnitude = value.abs();
    let precision = spec.precision.unwrap_or(6).min(PRECISION);
    let digits = match spec.kind {
        _ if !magnitude.is_finite() => {
            let name = print::float(magnitude);
            if spec.kind.is_some_and(char::is_uppercase) { name.to_uppercase() } else { name }
        }
        Some('f' | 'F') => format!("{magnitude:.precision$}"),
        Some('%') => format!("{:.precision$}%", magnitude * 100.0),
        Some(kind @ ('e' | 'E')) => exponential(magnitude, precision, kind),
        Some(kind @ ('g' | 'G')) => general(magnitude, precision, kind, spec.alternate),
        Some('n') => general(magnitude, precision, 'g', spec.alternate),
        None if spec.precision.is_some() => {
            let digits = general(magnitude, precision, 'g', spec.alternate);
            if digits.contains(['.', 'e']) { digits } else { digits + ".0" }
        }
        None => print::float(magnitude),
        Some(_) => return None,
    };
    let (before, after) = digits.split_at(digits.find(['.', 'e', 'E', '%']).unwrap_or(digits.len()));
    let grouped = if magnitude.is_finite() { group(before, spec.grouping, 3) } else { before.to_owned() };
    Some((sign(value.is_sign_negative() && !value.is_nan(), spec), grouped + after))
}

fn sign(negative: bool, spec: &Spec) -> String {
    match spec.sign {
        _ if negative => "-".into(),
        Some(sign @ ('+' | ' ')) => sign.into(),
        _ => String::new(),
    }
}

fn group(digits: &str, separator: Option<char>, size: usize) -> String {
    let Some(separator) = separator else { return digits.to_owned() };
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(size) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

/// With an exponent of two digits at least.
fn exponential(value: f64, precision: usize, kind: char) -> String {
    let scientific = format!("{value:.precision$e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}{kind}{sign}{:02}", exponent.abs())
}

/// As short as `precision` digits allow: with an exponent or without.
fn general(value: f64, precision: usize, kind: char, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let kind = if kind.is_uppercase() { 'E' } else { 'e' };
    let scientific = exponential(value, precision - 1, kind);
    let exponent = scientific.split(kind).nth(1).and_then(|exponent| exponent.parse().ok()).unwrap_or(0);
    let limit = i64::try_from(precision).unwrap_or(i64::MAX);
    if !(-4..limit).contains(&exponent) {
        let (digits, exponent) = scientific.split_at(scientific.find(kind).unwrap_or(scientific.len()));
        return if keep_zeros { scientific } else { without_zeros(digits).to_owned() + exponent };
    }
    let decimals = (limit - 1 - exponent).max(0) as usize;
    let plain = format!("{value:.decimals$}");
    if keep_zeros { plain } else { without_zeros(&plain).to_owned() }
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// `int(text, base)`; `None` if it is no whole number.
pub(super) fn parse_whole(text: &str, base: u32) -> Option<i128> {
    let text = text.trim_matches(super::lines::is_space);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefix = digits.get(..2).unwrap_or("").to_ascii_lowercase();
    let base_of = |prefix: &str| match prefix {
        "0x" => Some(16),
        "0o" => Some(8),
        "0b" => Some(2),
        _ => None,
    };
    let (base, digits) = match base_of(&prefix) {
        Some(own) if base == 0 || base == own => (own, digits[2..].strip_prefix('_').unwrap_or(&digits[2..])),
        _ => (if base == 0 { 10 } else { base }, digits),
    };
    if !(2..=36).contains(&base) {
        return None;
    }
    let digits = without_underscores(digits).filter(|digits| !digits.starts_with(['+', '-']))?;
    let value = i128::from_str_radix(&digits, base).ok()?;
    Some(if negative { -value } else { value })
}

/// `float(text)`; `None` if it is no number.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(super::lines::is_space);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Rust reads these, and Python too; all others begin with a digit or a point.
    let named = ["inf", "infinity", "nan"].contains(&digits.to_ascii_lowercase().as_str());
    if !named && !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    without_underscores(text)?.parse().ok()
}

/// Digits without single underscores between them.
fn without_underscores(digits: &str) -> Option<String> {
    let misplaced = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__");
    (!misplaced).then(|| digits.replace('_', ""))
}

/// The whole number that a float is without its fraction.
pub(super) fn truncated(value: f64) -> Option<i128> {
    let limit = 2_f64.powi(126);
    (value.abs() < limit).then_some(value as i128)
}

/// `round(value, digits)`: to the nearest, and to the even one of two.
pub(super) fn rounded(value: f64, digits: i128) -> f64 {
    if !value.is_finite() || digits > 400 {
        return value;
    }
    if digits >= 0 {
        let precision = digits as usize;
        // The exact value decides, and ties go to the even digit.
        return format!("{value:.precision$}").parse().unwrap_or(value);
    }
    let scale = 10_f64.powi((-digits).min(400) as i32);
    if scale.is_finite() { (value / scale).round_ties_even() * scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let spec =
            |kind: char, precision: Option<usize>| Spec { kind: Some(kind), precision, ..Spec::default() };
        let cases = [
            (1234.5, spec('f', Some(2)), "1234.50"),
            (0.5, spec('f', Some(0)), "0"),
            (1.5, spec('f', Some(0)), "2"),
            (0.000_012_34, spec('g', None), "1.234e-05"),
            (1_234_567.0, spec('g', None), "1.23457e+06"),
            (100.0, spec('g', None), "100"),
            (100.0, spec('e', Some(1)), "1.0e+02"),
            (0.256, spec('%', Some(1)), "25.6%"),
            (3.0, Spec { precision: Some(3), ..Spec::default() }, "3.0"),
            (1e16, Spec::default(), "1e+16"),
            (123456.0, Spec { grouping: Some(','), ..Spec::default() }, "123,456.0"),
        ];
        for (value, spec, expected) in cases {
            assert_eq!(float(value, &spec), Some((String::new(), expected.into())), "{spec:?}");
        }
        assert_eq!(
            whole(-255, &Spec { alternate: true, ..spec('x', None) }),
            Some(("-".into(), "0xff".into()))
        );
        assert_eq!(whole(7, &spec('q', None)), None);
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        let cases = [
            (" 42\n", 10, Some(42)),
            ("-1_000", 10, Some(-1000)),
            ("0x1F", 16, Some(31)),
            ("ff", 16, Some(255)),
            ("1.5", 10, None),
            ("--1", 10, None),
            ("+-1", 10, None),
            ("_1", 10, None),
            ("", 10, None),
            ("-", 10, None),
        ];
        for (text, base, expected) in cases {
            assert_eq!(parse_whole(text, base), expected, "{text}");
        }
        assert_eq!(parse_float(" 1e3 "), Some(1000.0));
        assert_eq!(parse_float("-inf"), Some(f64::NEG_INFINITY));
        assert_eq!((parse_float("e3"), parse_float("1x"), parse_float("")), (None, None, None));
        assert_eq!((rounded(2.5, 0), rounded(2.675, 2), rounded(1250.0, -2)), (2.0, 2.67, 1200.0));
    }
}
