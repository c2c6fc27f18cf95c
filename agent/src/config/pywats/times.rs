//! When a scheduled converter runs.

use crate::control::api::Schedule;

/// Seconds between two runs, as whole minutes.
pub(super) fn every(seconds: f64) -> Option<(Schedule, bool)> {
    if seconds <= 0.0 {
        return None;
    }
    let minutes = (seconds / 60.0).ceil().clamp(1.0, 1440.0);
    let exact = (minutes * 60.0 - seconds).abs() < f64::EPSILON;
    // Between 1 and 1440.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
    let every_minutes = Some(minutes as u32);
    Some((Schedule { every_minutes, at: Vec::new() }, exact))
}

/// A cron expression of five fields, where it says every so many minutes or hours, or times of each day.
pub(super) fn cron(text: &str) -> Option<Schedule> {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, "*", "*", "*"] = fields.as_slice() else { return None };
    let every = |minutes| Some(Schedule { every_minutes: Some(minutes), at: Vec::new() });
    match (*minute, *hour) {
        ("*", "*") => return every(1),
        (minute, "*") if minute.starts_with("*/") => {
            let step: u32 = minute.strip_prefix("*/")?.parse().ok()?;
            return (1..=59).contains(&step).then(|| every(step))?;
        }
        (minute, "*") => {
            minute.parse::<u8>().ok().filter(|it| *it < 60)?;
            return every(60);
        }
        (minute, hour) if hour.starts_with("*/") => {
            minute.parse::<u8>().ok().filter(|it| *it < 60)?;
            let step: u32 = hour.strip_prefix("*/")?.parse().ok()?;
            return (1..=23).contains(&step).then(|| every(step * 60))?;
        }
        _ => {}
    }
    let numbers = |text: &str, most: u8| -> Option<Vec<u8>> {
        text.split(',').map(|it| it.parse().ok().filter(|it| *it <= most)).collect()
    };
    let (minutes, hours) = (numbers(minute, 59)?, numbers(hour, 23)?);
    let mut at: Vec<String> =
        hours.iter().flat_map(|hour| minutes.iter().map(move |it| format!("{hour:02}:{it:02}"))).collect();
    at.sort();
    at.dedup();
    Some(Schedule { every_minutes: None, at })
}
