//! Numbers and states in words: how pages show ages, sizes and counts.

use jiff::Timestamp;

/// A moment: how long ago it was, and exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// `4 min ago`, `in 30 s`, `just now`.
    pub ago: String,
    /// RFC 3339, for the page's `datetime` and as a tooltip.
    pub exact: String,
}

impl Moment {
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let seconds = now.as_second() - at.as_second();
        let ago = match seconds {
            -2..=2 => "just now".to_owned(),
            3.. => format!("{} ago", span(seconds.unsigned_abs())),
            _ => format!("in {}", span(seconds.unsigned_abs())),
        };
        let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
        Self { ago, exact: whole.to_string() }
    }
}

/// `12 s`, `4 min`, `3 h`, `5 days`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", seconds.div_ceil(60)),
        6_000..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `512 bytes`, `1.5 MB`: decimal units.
pub fn size(bytes: u64) -> String {
    let mut rest = bytes;
    let mut tenth = 0;
    let mut units = ["kB", "MB", "GB", "TB"].into_iter();
    let mut unit = None;
    while rest >= 1_000 {
        let Some(next) = units.next() else { break };
        tenth = rest % 1_000 / 100;
        rest /= 1_000;
        unit = Some(next);
    }
    match unit {
        None => format!("{rest} bytes"),
        Some(unit) if rest < 10 => format!("{rest}.{tenth} {unit}"),
        Some(unit) => format!("{rest} {unit}"),
    }
}

/// `1 report`, `12 reports`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// Which colour and sign a state has; the word beside it says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Busy,
    Attention,
    Bad,
    Quiet,
}

impl Tone {
    /// The class in the style sheet.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Attention => "attention",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

/// A state as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    pub tone: Tone,
    pub word: String,
}

impl Badge {
    pub fn new(tone: Tone, word: impl Into<String>) -> Self {
        Self { tone, word: word.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_as_people_do() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let ago = |seconds: i64| Moment::new(Timestamp::from_second(1_000_000 - seconds).unwrap(), now).ago;
        let told: Vec<_> = [0, 5, 99, 100, 3_600, 7_200, 200_000, -30].into_iter().map(ago).collect();
        assert_eq!(
            told,
            [
                "just now",
                "5 s ago",
                "99 s ago",
                "2 min ago",
                "60 min ago",
                "2 h ago",
                "2 days ago",
                "in 30 s"
            ]
        );
    }

    #[test]
    fn sizes_have_two_digits_that_matter() {
        let told: Vec<_> = [0, 999, 1_000, 1_550, 12_345, 3_200_000_000].map(size).to_vec();
        assert_eq!(told, ["0 bytes", "999 bytes", "1.0 kB", "1.5 kB", "12 kB", "3.2 GB"]);
    }
}
