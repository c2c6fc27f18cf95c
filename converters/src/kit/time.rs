//! Times as files write them.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use wats::report::{Double, Time};

use crate::Input;

/// Reads an ISO 8601 time, with `T` or a space, with or without an offset.
///
/// A time without an offset is local to `zone`. One that a change of daylight saving time skips or
/// doubles is read as the later reading of the skipped hour and the earlier of the doubled one.
pub(crate) fn parse(text: &str, zone: &TimeZone) -> Option<Time> {
    let text = text.trim();
    if is_usual(text) {
        return Some(Time::from_text(text));
    }
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let text = match words.next() {
        None => Cow::Borrowed(first),
        Some(second) => Cow::Owned(format!("{first}T{second}{}", words.collect::<String>())),
    };
    if is_usual(&text) {
        return Some(Time::from_text(text));
    }
    let pieces = Pieces::parse(&*text).ok()?;
    let Some(offset) = pieces.to_numeric_offset() else {
        let local = pieces.date().to_datetime(pieces.time().unwrap_or_default());
        return self::local(local, zone);
    };
    let local = pieces.date().to_datetime(pieces.time()?);
    local.to_zoned_datetime(TimeZone::fixed(offset)).ok().map(|zoned| Time::from_zoned(&zoned))
}

/// A time that a report states, read like [`parse`]; one as servers spell it stays as it is.
pub(crate) fn stated(time: Time, zone: &TimeZone) -> Option<Time> {
    if is_usual(time.as_str()) { Some(time) } else { parse(time.as_str(), zone) }
}

/// True for a time that is spelled as servers do, which is kept to the letter.
fn is_usual(text: &str) -> bool {
    let bytes = text.as_bytes();
    let has_offset = matches!(bytes, [.., b'Z'] | [.., b'+' | b'-', _, _, b':', _, _]);
    has_offset
        && bytes.get(4) == Some(&b'-')
        && bytes.get(10) == Some(&b'T')
        && text.parse::<Timestamp>().is_ok()
}

/// Reads a local time in one of the formats, tried in their order (`%d-%m-%Y %H:%M:%S`), in the station's zone.
///
/// What [`parse`] says of daylight saving time holds here as well.
pub(crate) fn parse_as(text: &str, formats: &[&str], zone: &TimeZone) -> Option<Time> {
    local(civil(text, formats)?, zone)
}

/// A time of no zone in one of the formats, tried in their order.
pub(crate) fn civil(text: &str, formats: &[&str]) -> Option<DateTime> {
    let text = text.trim();
    let read = |format: &&str| exactly(text, format).or_else(|| DateTime::strptime(format, text).ok());
    formats.iter().find_map(read)
}

/// A time that is written with all its digits and nothing that a format leaves open, as testers do; it takes a fraction
/// of the time of a full look. `None` for all others.
pub(crate) fn exactly(text: &str, format: &str) -> Option<DateTime> {
    const MONTHS: &[u8; 36] = b"JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    let (mut year, mut month, mut day) = (0, 0, 0);
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    let mut rest = text.as_bytes();
    let mut signs = format.bytes();
    while let Some(sign) = signs.next() {
        if sign != b'%' {
            rest = rest.strip_prefix(&[sign])?;
            continue;
        }
        let field = signs.next()?;
        let (written, after) = rest.split_at_checked(match field {
            b'Y' => 4,
            b'b' => 3,
            _ => 2,
        })?;
        rest = after;
        if field == b'b' {
            let found = MONTHS.chunks(3).zip(1..).find(|(known, _)| known.eq_ignore_ascii_case(written));
            month = found?.1;
            continue;
        }
        let mut number = 0_i16;
        for digit in written {
            number = number * 10 + i16::from(digit.wrapping_sub(b'0'));
            if !digit.is_ascii_digit() {
                return None;
            }
        }
        match field {
            b'Y' => year = number,
            b'y' => year = number + if number < 69 { 2000 } else { 1900 },
            b'm' => month = i8::try_from(number).ok()?,
            b'd' => day = i8::try_from(number).ok()?,
            b'H' => hour = i8::try_from(number).ok()?,
            b'M' => minute = i8::try_from(number).ok()?,
            b'S' => second = i8::try_from(number).ok()?,
            _ => return None,
        }
    }
    rest.is_empty().then(|| DateTime::new(year, month, day, hour, minute, second, 0).ok())?
}

/// The numbers of a date and a time, with anything between them: the first of them, the others 0, and how many there are.
/// `None` when one is too large for a date.
pub(crate) fn numbers<const N: usize>(written: &str) -> Option<([i16; N], usize)> {
    let mut numbers = [0; N];
    let mut count = 0;
    for digits in written.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty()) {
        let number = digits.parse().ok()?;
        if let Some(place) = numbers.get_mut(count) {
            *place = number;
        }
        count += 1;
    }
    Some((numbers, count))
}

/// A local time in the station's zone. What [`parse`] says of daylight saving time holds here as well.
pub(crate) fn local(local: DateTime, zone: &TimeZone) -> Option<Time> {
    zoned(local, zone).map(|zoned| Time::from_zoned(&zoned))
}

/// Like [`local`], for who needs the instant.
pub(crate) fn zoned(local: DateTime, zone: &TimeZone) -> Option<ZonedDateTime> {
    local.to_zoned_datetime(zone.clone()).ok()
}

/// Seconds from one time to another; `None` when one of them is missing, or the end comes before the beginning.
pub(crate) fn seconds(start: Option<&Time>, end: Option<&Time>) -> Option<Double> {
    between(start?.instant()?, end?.instant()?)
}

/// Seconds from one instant to another; `None` when the end comes before the beginning.
pub(crate) fn between(start: Timestamp, end: Timestamp) -> Option<Double> {
    let seconds = end.duration_since(start).as_secs_f64();
    (seconds >= 0.0).then_some(Double::new(seconds))
}

/// Reads the ISO 8601 times of one file; those that cannot be read are counted, and said once.
#[derive(Debug)]
pub(crate) struct Times {
    zone: TimeZone,
    unread: usize,
}

impl Times {
    pub(crate) fn of(input: &Input) -> Self {
        Self { zone: input.station.time_zone.clone(), unread: 0 }
    }

    pub(crate) fn read(&mut self, written: &str) -> Option<Time> {
        let time = parse(written, &self.zone);
        self.unread += usize::from(time.is_none());
        time
    }

    /// The warning, if there were any; `whose` says of what they are: `of steps`.
    pub(crate) fn warn(&self, whose: &str, warnings: &mut Vec<String>) {
        if self.unread > 0 {
            warnings.push(format!("{} times {whose} cannot be read and are left out", self.unread));
        }
    }
}

/// When the file was written, in the station's zone: for files that do not say when the test was.
pub(crate) fn of_file(input: &Input) -> Time {
    Time::from_zoned(&input.modified.to_zoned_datetime(input.station.time_zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_times_are_read_as_all_others() {
        for format in ["%d-%b-%y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%Y-%m-%d"] {
            for text in [
                "31-JUL-23 14:18:51",
                "01-jan-69 00:00:00",
                "01-Dec-68 23:59:59",
                "31-JUL-2023 14:18:51",
                "02/29/2024 16:44:11",
                "02/29/2023 16:44:11",
                "2/9/2023 16:44:11",
                "02/09/2023  16:44:11",
                "02/09/2023 16:44:60",
                "02/09/2023 24:00:00",
                "31-OKT-23 14:18:51",
                "0000-01-01",
                "2023-01-01x",
                "",
            ] {
                let long = DateTime::strptime(format, text).ok();
                assert_eq!(civil(text, &[format]), long, "{format} {text}");
                assert!(exactly(text, format).is_none_or(|read| Some(read) == long), "{format} {text}");
            }
        }
        assert!(exactly("31-JUL-23 14:18:51", "%d-%b-%y %H:%M:%S").is_some());
    }

    #[test]
    fn times_keep_their_offset_or_get_that_of_the_station() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        for (text, read) in [
            ("2025-03-11T07:42:18", Some("2025-03-11T07:42:18+01:00")),
            ("2025-07-11 07:42:18", Some("2025-07-11T07:42:18+02:00")),
            ("2025-05-02T13:05:59.250", Some("2025-05-02T13:05:59.25+02:00")),
            ("2026-01-30T22:01:41.4707353+01:00", Some("2026-01-30T22:01:41.4707353+01:00")),
            ("2025-06-30T22:10:00Z", Some("2025-06-30T22:10:00Z")),
            ("2025-03-30T02:30:00", Some("2025-03-30T03:30:00+02:00")),
            ("20250630T221000+0200", Some("2025-06-30T22:10:00+02:00")),
            ("2025-06-30 22:10:00 +02:00", Some("2025-06-30T22:10:00+02:00")),
            ("2025-06-30", Some("2025-06-30T00:00:00+02:00")),
            ("2025-10-26T02:30:00", Some("2025-10-26T02:30:00+02:00")),
            ("yesterday", None),
            ("", None),
            ("2025-13-01T00:00:00", None),
        ] {
            assert_eq!(parse(text, &oslo).as_ref().map(Time::as_str), read, "{text}");
        }
    }
}
