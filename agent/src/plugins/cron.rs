//! Times in five fields: minute, hour, day of the month, month, day of the week.

use jiff::ZonedDateTime;

/// A line like `*/15 6-18 * * mon-fri`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cron {
    /// One bit for each value that fits.
    fields: [u64; 5],
    /// A day fits by either field where both are given, as in every cron.
    any_day: bool,
}

const RANGES: [(&str, u32, u32); 5] =
    [("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7)];
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Cron {
    /// # Errors
    /// When it is none, in words.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let count = || format!("{text:?} must have five fields: minute, hour, day, month, weekday");
        let words: [&str; 5] = words.try_into().map_err(|_| count())?;
        let mut fields = [0; 5];
        for ((bits, word), (name, least, most)) in fields.iter_mut().zip(words).zip(RANGES) {
            *bits = field(word, name, least, most)?;
        }
        let [_, _, day, _, weekday] = words;
        // Sunday is 0 and 7.
        if let Some(bits) = fields.last_mut() {
            *bits |= *bits >> 7 & 1;
        }
        Ok(Self { fields, any_day: !day.starts_with('*') && !weekday.starts_with('*') })
    }

    /// True when the minute that a moment is in fits.
    pub(super) fn fits(&self, at: &ZonedDateTime) -> bool {
        let [minutes, hours, days, months, weekdays] = self.fields;
        let has = |bits: u64, value: i8| bits >> value & 1 == 1;
        let (day, weekday) = (has(days, at.day()), has(weekdays, at.weekday().to_sunday_zero_offset()));
        has(minutes, at.minute())
            && has(hours, at.hour())
            && has(months, at.month())
            && if self.any_day { day || weekday } else { day && weekday }
    }
}

fn field(word: &str, name: &str, least: u32, most: u32) -> Result<u64, String> {
    let wrong =
        || format!("{word:?} is no {name}: use numbers from {least} to {most}, *, lists, ranges and steps");
    let number = |text: &str| -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let named = match name {
            "month" => MONTHS.iter().position(|it| *it == lower).map(|it| it + 1),
            "weekday" => DAYS.iter().position(|it| *it == lower),
            _ => None,
        };
        let value = named.and_then(|it| u32::try_from(it).ok()).or_else(|| text.parse().ok())?;
        (least..=most).contains(&value).then_some(value)
    };
    let mut bits = 0;
    for part in word.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|it| *it > 0).ok_or_else(wrong)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?),
            None => {
                let from = number(range).ok_or_else(wrong)?;
                (from, if part.contains('/') { most } else { from })
            }
        };
        if from > to {
            return Err(wrong());
        }
        let mut value = from;
        while value <= to {
            bits |= 1 << value;
            value = value.saturating_add(step);
        }
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(cron: &str, at: &str) -> bool {
        Cron::read(cron).unwrap().fits(&format!("{at}[UTC]").parse().unwrap())
    }

    #[test]
    fn lines_fit_as_in_every_cron() {
        // 2026-01-31 is a Saturday.
        for (cron, at, expected) in [
            ("* * * * *", "2026-01-31T12:34:00+00:00", true),
            ("*/15 * * * *", "2026-01-31T12:30:59+00:00", true),
            ("*/15 * * * *", "2026-01-31T12:31:00+00:00", false),
            ("0 6-18/4 * * *", "2026-01-31T14:00:00+00:00", true),
            ("0 6-18/4 * * *", "2026-01-31T15:00:00+00:00", false),
            ("30 6 * * mon-fri", "2026-01-31T06:30:00+00:00", false),
            ("30 6 * jan sat", "2026-01-31T06:30:00+00:00", true),
            ("0 0 1 * sun", "2026-02-01T00:00:00+00:00", true),
            ("0 0 15 * 6", "2026-01-31T00:00:00+00:00", true),
            ("0 0 * * 7", "2026-02-01T00:00:00+00:00", true),
            ("0 0 29 2 *", "2028-02-29T00:00:00+00:00", true),
        ] {
            assert_eq!(fits(cron, at), expected, "{cron} at {at}");
        }
    }

    #[test]
    fn what_is_no_time_says_so() {
        for wrong in [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "*/0 * * * *",
            "5-1 * * * *",
            "a * * * *",
        ] {
            assert!(Cron::read(wrong).is_err(), "{wrong}");
        }
    }
}
