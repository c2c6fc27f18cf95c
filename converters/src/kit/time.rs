//! Times as files write them.

use std::borrow::Cow;

use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
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
        && text.parse::<jiff::Timestamp>().is_ok()
}

/// Reads a local time in one of the formats, tried in their order (`%d-%m-%Y %H:%M:%S`), in the station's zone.
///
/// What [`parse`] says of daylight saving time holds here as well.
pub(crate) fn parse_as(text: &str, formats: &[&str], zone: &TimeZone) -> Option<Time> {
    let local =
        formats.iter().find_map(|format| jiff::civil::DateTime::strptime(format, text.trim()).ok())?;
    self::local(local, zone)
}

/// A local time in the station's zone. What [`parse`] says of daylight saving time holds here as well.
pub(crate) fn local(local: jiff::civil::DateTime, zone: &TimeZone) -> Option<Time> {
    local.to_zoned_datetime(zone.clone()).ok().map(|zoned| Time::from_zoned(&zoned))
}

/// Seconds from one time to another; `None` when one of them is missing, or the end comes before the beginning.
pub(crate) fn seconds(start: Option<&Time>, end: Option<&Time>) -> Option<Double> {
    let seconds = end?.instant()?.duration_since(start?.instant()?).as_secs_f64();
    (seconds >= 0.0).then_some(Double(seconds))
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
