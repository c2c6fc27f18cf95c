//! Dates in the manner of the test computer's country.

use jiff::civil::{Date, DateTime, Time as Clock};
use jiff::tz::TimeZone;
use wats::report::Time;

use super::lines::Line;
use crate::kit::time;

/// Which part of a date comes first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    MonthFirst,
    DayFirst,
}

impl Order {
    /// As set, or as the file tells.
    pub(super) fn of(lines: &[(usize, Line<'_>)], set: &str) -> Self {
        let mut times: Vec<&str> = Vec::new();
        let mut commas = false;
        for (_, line) in lines {
            let (of, written) = match line {
                Line::Result(result) => (&result.of, result.value),
                Line::Data(data) => (&data.of, data.written),
                Line::Curve(_) | Line::Other(_) => continue,
            };
            if times.last() != Some(&of.time) {
                times.push(of.time);
            }
            commas = commas || written.contains(',');
        }
        let any = |test: fn(&str) -> bool| times.iter().any(|time| test(time));
        let likely = match set {
            "month" => return Self::MonthFirst,
            "day" => return Self::DayFirst,
            _ if any(|time| half_of_day(time).is_some()) => Self::MonthFirst,
            _ if commas || any(|time| time.contains(['.', '-'])) => Self::DayFirst,
            _ => Self::MonthFirst,
        };
        let other = if likely == Self::MonthFirst { Self::DayFirst } else { Self::MonthFirst };
        let reads = |order: Self| times.iter().all(|time| order.civil(time).is_some());
        if !reads(likely) && reads(other) { other } else { likely }
    }

    /// A local time; nothing when it is none.
    pub(super) fn read(self, written: &str, zone: &TimeZone) -> Option<Time> {
        time::local(self.civil(written)?, zone)
    }

    fn civil(self, written: &str) -> Option<DateTime> {
        let (numbers, count) = time::numbers::<6>(written)?;
        if count < 5 {
            return None;
        }
        let [first, second, third, hour, minute, second_of_minute] = numbers;
        let (year, month, day) = match self {
            _ if first > 31 => (first, second, third),
            Self::MonthFirst => (third, first, second),
            Self::DayFirst => (third, second, first),
        };
        let hour = match half_of_day(written) {
            Some(Half::Before) if hour == 12 => 0,
            Some(Half::After) if hour < 12 => hour + 12,
            _ => hour,
        };
        let small = |number: i16| i8::try_from(number).ok();
        let year = if year < 100 { year + 2000 } else { year };
        let date = Date::new(year, small(month)?, small(day)?).ok()?;
        let clock = Clock::new(small(hour)?, small(minute)?, small(second_of_minute)?, 0).ok()?;
        Some(DateTime::from_parts(date, clock))
    }
}

enum Half {
    Before,
    After,
}

/// AM or PM, also as `a. m.`
fn half_of_day(written: &str) -> Option<Half> {
    let mut letters = written.bytes().filter(u8::is_ascii_alphabetic);
    let two = [letters.next()?, letters.next()?];
    match (&two.map(|letter| letter.to_ascii_uppercase()), letters.next()) {
        (b"AM", None) => Some(Half::Before),
        (b"PM", None) => Some(Half::After),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_order_of_the_country() {
        use Order::{DayFirst, MonthFirst};
        for (order, written, read) in [
            (MonthFirst, "11/2/2020 4:36:07 PM", Some("2020-11-02T16:36:07")),
            (MonthFirst, "7/22/2020 12:22:14 AM", Some("2020-07-22T00:22:14")),
            (DayFirst, "12-01-2021 09:08:35", Some("2021-01-12T09:08:35")),
            (DayFirst, "12.01.21 09:08", Some("2021-01-12T09:08:00")),
            (DayFirst, "2021-01-12 09:08:35", Some("2021-01-12T09:08:35")),
            (MonthFirst, "22/7/2020 1:2:3", None),
            (MonthFirst, "yesterday", None),
        ] {
            let shown = order.civil(written).map(|it| it.to_string());
            assert_eq!(shown.as_deref(), read, "{written}");
        }
    }
}
