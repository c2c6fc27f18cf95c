//! When a scheduled source is due. Decides from the clock it is told; reads none.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::settings::Schedule;

/// `06:30`, as a time.
pub(super) fn time_of_day(text: &str) -> Option<Time> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    Time::new(two(hours)?, two(minutes)?, 0, 0).ok()
}

/// True when a look is due at `now`; `last` is when it was last asked or looked.
///
/// A clock that was set back is no reason to wait for it: what was missed is found by the next look.
pub(super) fn is_due(schedule: &Schedule, zone: &TimeZone, last: Option<Timestamp>, now: Timestamp) -> bool {
    if let Some(minutes) = schedule.every_minutes {
        let every = SignedDuration::from_mins(minutes.into());
        return last.is_none_or(|last| now.duration_since(last) >= every || now < last);
    }
    let Some(last) = last.filter(|last| *last < now) else { return false };
    if now.duration_since(last) >= SignedDuration::from_hours(24) {
        return true;
    }
    let (from, to) = (last.to_zoned_datetime(zone.clone()), now.to_zoned_datetime(zone.clone()));
    schedule.at.iter().filter_map(|text| time_of_day(text)).any(|time| {
        [from.date(), to.date()]
            .into_iter()
            .filter_map(|day| day.to_datetime(time).to_zoned_datetime(zone.clone()).ok())
            .any(|due| last < due.timestamp() && due.timestamp() <= now)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn every_so_many_minutes_from_the_start_on() {
        let schedule = Schedule { every_minutes: Some(15), at: Vec::new() };
        let due = |last, now| is_due(&schedule, &TimeZone::UTC, last, at(now));
        let noon = Some(at("2026-01-01T12:00:00Z"));
        assert!(due(None, "2026-01-01T12:00:00Z"));
        assert!(!due(noon, "2026-01-01T12:14:59Z"));
        assert!(due(noon, "2026-01-01T12:15:00Z"));
        assert!(due(noon, "2025-01-01T12:00:00Z"), "a clock set back must not stop it for a year");
    }

    #[test]
    fn at_times_of_the_stations_day() {
        let schedule = Schedule { every_minutes: None, at: vec!["06:30".to_owned(), "23:59".to_owned()] };
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        let due = |last: &str, now| is_due(&schedule, &oslo, Some(at(last)), at(now));
        assert!(!is_due(&schedule, &oslo, None, at("2026-01-01T05:30:00Z")));
        assert!(due("2026-01-01T05:29:50Z", "2026-01-01T05:30:00Z"));
        assert!(!due("2026-01-01T05:30:00Z", "2026-01-01T05:30:30Z"));
        assert!(due("2026-01-01T22:58:00Z", "2026-01-01T23:01:00Z"), "over midnight");
        assert!(!due("2026-01-01T05:40:00Z", "2026-01-01T05:20:00Z"), "set back");
        assert!(due("2026-01-01T05:40:00Z", "2027-01-01T00:00:00Z"), "set ahead by a year");
    }

    #[test]
    fn times_of_day_have_four_digits() {
        assert_eq!(time_of_day("06:30"), Time::new(6, 30, 0, 0).ok());
        for wrong in ["6:30", "24:00", "06:60", "0630", "aa:bb", "06:30:00", "+6:30", ""] {
            assert_eq!(time_of_day(wrong), None, "{wrong}");
        }
    }
}
