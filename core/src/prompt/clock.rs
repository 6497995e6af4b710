//! `strftime` for chat templates, in UTC: the same text on every device.

use std::time::{SystemTime, UNIX_EPOCH};

use super::text::Text;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// `time` in `format`, as Python's `strftime` writes it in the C locale; `None` for a directive that is not
/// supported, and for a time outside of the years 1970 to 9999. Text of the format keeps its origin, and what
/// stands for a directive has that of its last character.
pub(super) fn strftime(time: SystemTime, format: &Text) -> Option<Text> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    if days >= days_before(10_000) {
        return None;
    }
    let (year, month, day) = date(days);
    let month_name = MONTHS[month as usize - 1];
    let weekday = WEEKDAYS[(days + 3) as usize % 7];
    let half_day = if hour % 12 == 0 { 12 } else { hour % 12 };

    let mut text = Text::new();
    let mut rest = format.chars();
    while let Some((character, sealed)) = rest.next() {
        if character != '%' {
            text.push_char(character, sealed);
            continue;
        }
        let (mut directive, mut sealed) = rest.next()?;
        // As in glibc: no leading zero.
        let plain = directive == '-';
        if plain {
            (directive, sealed) = rest.next()?;
        }
        let number = |value: u64, width: usize| {
            let width = if plain { 1 } else { width };
            format!("{value:0width$}")
        };
        let written = match directive {
            'Y' => number(year, 4),
            'y' => number(year % 100, 2),
            'm' => number(month, 2),
            'd' => number(day, 2),
            'j' => number(days - days_before(year) + 1, 3),
            'H' => number(hour, 2),
            'I' => number(half_day, 2),
            'M' => number(minute, 2),
            'S' => number(second, 2),
            'B' => month_name.to_owned(),
            'b' => month_name[..3].to_owned(),
            'A' => weekday.to_owned(),
            'a' => weekday[..3].to_owned(),
            'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            'Z' => "UTC".to_owned(),
            'z' => "+0000".to_owned(),
            '%' => "%".to_owned(),
            _ => return None,
        };
        text.push(&written, sealed);
    }
    Some(text)
}

/// Days from 1970-01-01 to the first of January of `year`, in the Gregorian calendar.
fn days_before(year: u64) -> u64 {
    let leap_years = |last: u64| last / 4 - last / 100 + last / 400;
    365 * (year - 1970) + leap_years(year - 1) - leap_years(1969)
}

/// The year, month and day that begin `days` after 1970-01-01, by the Gregorian calendar.
pub(crate) fn date(days: u64) -> (u64, u64, u64) {
    // Counted in years that begin in March.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_writes_what_python_writes() {
        let cases = [
            (
                1_752_148_800,
                "%d %b %Y|%B %-d, %Y|%Y-%m-%d|%A %a|%H:%M:%S %I %p|%j %y %%",
                "10 Jul 2025|July 10, 2025|2025-07-10|Thursday Thu|12:00:00 12 PM|191 25 %",
            ),
            (0, "%Y-%m-%d %a %H:%M %I %p %Z%z", "1970-01-01 Thu 00:00 12 AM UTC+0000"),
            (951_782_400, "%Y-%m-%d %j %a", "2000-02-29 060 Tue"),
            (1_735_603_200, "%Y-%m-%d %j %-m", "2024-12-31 366 12"),
            (4_107_542_400, "%Y-%m-%d", "2100-03-01"),
        ];
        for (seconds, format, expected) in cases {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(strftime(time, &Text::author(format)), Some(Text::author(expected)));
        }
        let year = Text::author("%Y");
        for format in ["%", "%-", "%Q"] {
            assert_eq!(strftime(UNIX_EPOCH, &Text::author(format)), None);
        }
        assert_eq!(strftime(UNIX_EPOCH - Duration::from_secs(1), &year), None);
        let last = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        assert_eq!(strftime(last, &year), Some(Text::author("9999")));
        assert_eq!(strftime(last + Duration::from_secs(1), &year), None);
    }

    #[test]
    fn a_sealed_format_stays_sealed() {
        let mut format = Text::author("on ");
        format.push_sealed("%Y <|x|>");
        let mut expected = Text::author("on ");
        expected.push_sealed("1970 <|x|>");
        assert_eq!(strftime(UNIX_EPOCH, &format), Some(expected));
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut last = date(0);
        for days in 1..days_before(3000) {
            let next = date(days);
            let same_month = (last.0, last.1, last.2 + 1);
            let next_month = (last.0, last.1 + 1, 1);
            assert!(next == same_month || next == next_month || next == (last.0 + 1, 1, 1), "{next:?}");
            last = next;
        }
    }
}
