//! Values with rules of their own: numbers that may be infinite, status letters, points in time.

use std::fmt;
use std::num::NonZeroU64;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Text;

/// A double as the server writes it: NaN and the infinities are the texts `"NaN"`, `"Infinity"`, `"-Infinity"`.
///
/// It is kept as its bits, all of them inverted, so that one of the very many NaN is left over for `None`: an optional
/// number takes no more room than a number, of which there may be very many.
#[derive(Clone, Copy)]
pub struct Double(NonZeroU64);

impl From<f64> for Double {
    fn from(value: f64) -> Self {
        Self::new(value)
    }
}

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Double").field(&self.get()).finish()
    }
}

impl Double {
    /// The number; the NaN that is left over becomes its neighbour.
    pub fn new(value: f64) -> Self {
        Self(NonZeroU64::new(!value.to_bits()).unwrap_or(NonZeroU64::MIN))
    }

    /// The number itself.
    pub fn get(self) -> f64 {
        f64::from_bits(!self.0.get())
    }

    /// Reads a number in the notations of WSJF (`Infinity`) and of XML (`INF`).
    pub fn parse(text: &str) -> Option<Self> {
        match short(text) {
            Some((number, "")) => Some(Self::new(number)),
            _ => Self::parse_any(text.trim()),
        }
    }

    /// Reads a number that a text begins with, and answers with the text behind it. Only for a number of at most 15 digits
    /// with a decimal point, as nearly all are written.
    pub fn split(text: &str) -> Option<(Self, &str)> {
        short(text).map(|(number, rest)| (Self::new(number), rest))
    }

    fn parse_any(text: &str) -> Option<Self> {
        match text {
            "NaN" => Some(Self::new(f64::NAN)),
            "Infinity" | "INF" | "+Infinity" => Some(Self::new(f64::INFINITY)),
            "-Infinity" | "-INF" => Some(Self::new(f64::NEG_INFINITY)),
            // Rust's own parser also takes "inf" and "nan", which neither format writes.
            number if number.bytes().any(|b| b.is_ascii_digit()) => number.parse().ok().map(Self::new),
            _ => None,
        }
    }
}

/// A number of few digits with at most a sign and a point, as nearly all are, and what stands behind it. The digits and the
/// power of ten that divides them are both exact, so that the quotient is what the long way would give.
fn short(text: &str) -> Option<(f64, &str)> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let sign = usize::from(text.as_bytes().first() == Some(&b'-'));
    let (mut digits, mut length, mut point) = (0_i64, 0, None);
    for byte in text.as_bytes().iter().skip(sign).take(POWERS.len()) {
        match byte.wrapping_sub(b'0') {
            digit @ ..10 => digits = digits * 10 + i64::from(digit),
            _ if *byte == b'.' && point.is_none() => point = Some(length),
            _ => break,
        }
        length += 1;
    }
    let decimals = match (length, point) {
        (0, _) | (1, Some(_)) => return None,
        (length, _) if length == POWERS.len() => return None,
        (_, None) => 0,
        (length, Some(at)) => length - at - 1,
    };
    #[expect(clippy::cast_precision_loss, reason = "at most 15 digits")]
    let number = digits as f64 / POWERS.get(decimals)?;
    Some((if sign == 1 { -number } else { number }, text.get(sign + length..)?))
}

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.get() {
            v if v.is_nan() => to.serialize_str("NaN"),
            f64::INFINITY => to.serialize_str("Infinity"),
            f64::NEG_INFINITY => to.serialize_str("-Infinity"),
            v => to.serialize_f64(v),
        }
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Double;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
            }
            fn visit_f64<E: de::Error>(self, v: f64) -> Result<Double, E> {
                Ok(Double::new(v))
            }
            #[expect(clippy::cast_precision_loss, reason = "the format's numbers are doubles")]
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Double, E> {
                Ok(Double::new(v as f64))
            }
            #[expect(clippy::cast_precision_loss, reason = "the format's numbers are doubles")]
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Double, E> {
                Ok(Double::new(v as f64))
            }
            fn visit_str<E: de::Error>(self, v: &str) -> Result<Double, E> {
                Double::parse(v).ok_or_else(|| E::invalid_value(de::Unexpected::Str(v), &self))
            }
        }
        from.deserialize_any(Visitor)
    }
}

/// The outcome of a report, a step or a measurement.
///
/// Which letters are allowed where is the validator's business: measurements take P, F and S,
/// reports P, F, E and T.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// All that was measured is within its limits.
    #[serde(rename = "P")]
    Passed,
    /// Something is not.
    #[serde(rename = "F")]
    Failed,
    /// The test itself went wrong.
    #[serde(rename = "E")]
    Error,
    /// Somebody or something stopped it.
    #[serde(rename = "T")]
    Terminated,
    /// Carried out, and nothing to judge.
    #[serde(rename = "D")]
    Done,
    /// Not carried out.
    #[serde(rename = "S")]
    Skipped,
    /// A report that says nothing else; no server takes it as a result.
    #[serde(rename = "U")]
    Unknown,
}

impl Status {
    /// The single letter of WSJF.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Passed => "P",
            Self::Failed => "F",
            Self::Error => "E",
            Self::Terminated => "T",
            Self::Done => "D",
            Self::Skipped => "S",
            Self::Unknown => "U",
        }
    }

    /// The word of WSXF.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "Passed",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Terminated => "Terminated",
            Self::Done => "Done",
            Self::Skipped => "Skipped",
            Self::Unknown => "Unknown",
        }
    }

    /// Reads letters and the words that test logs use, without regard to case.
    pub fn from_word(word: &str) -> Option<Self> {
        let mut word = Text::from(word.trim());
        word.make_ascii_lowercase();
        Some(match word.as_str() {
            "p" | "pass" | "passed" | "ok" | "success" | "successful" => Self::Passed,
            "f" | "fail" | "failed" | "failure" | "ng" => Self::Failed,
            "e" | "err" | "error" => Self::Error,
            "t" | "term" | "terminated" | "abort" | "aborted" => Self::Terminated,
            "d" | "done" | "complete" | "completed" => Self::Done,
            "s" | "skip" | "skipped" => Self::Skipped,
            "u" | "unknown" => Self::Unknown,
            _ => return None,
        })
    }
}

/// A point in time as the report writes it.
///
/// The text is kept, because exports carry seven fraction digits and offsets that must not change on
/// the way; [`Time::instant`] tells what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(Box<str>);

impl Time {
    /// Takes the text as it stands.
    pub fn from_text(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Writes an instant with the offset of its zone, in milliseconds where it has any.
    pub fn from_zoned(time: &jiff::ZonedDateTime) -> Self {
        let long = || time.timestamp().display_with_offset(time.offset()).to_string().into();
        Self(whole_seconds(time).unwrap_or_else(long))
    }

    /// The text as it came, or as it was made.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instant, or `None` when the text has no offset or is no ISO 8601 time.
    pub fn instant(&self) -> Option<Timestamp> {
        self.0.trim().parse().ok()
    }

    /// The same instant in UTC, written with `Z`; `None` as for [`Time::instant`].
    pub fn utc(&self) -> Option<Self> {
        self.instant().map(|instant| Self(instant.to_string().into()))
    }
}

/// A time as [`Time::from_zoned`] writes it, for those that have nothing unusual, at a fraction of the cost.
fn whole_seconds(time: &jiff::ZonedDateTime) -> Option<Box<str>> {
    let (local, offset) = (time.datetime(), time.offset().seconds());
    if local.subsec_nanosecond() != 0 || offset % 60 != 0 || local.year() < 0 {
        return None;
    }
    let mut text = String::with_capacity("2026-01-02T03:04:05+00:00".len());
    let mut two = |sign: &str, number: i32| {
        text.push_str(sign);
        for digit in [number / 10, number % 10] {
            text.push(char::from(b'0' + u8::try_from(digit).ok()?));
        }
        Some(())
    };
    let year = i32::from(local.year());
    two("", year / 100)?;
    two("", year % 100)?;
    two("-", local.month().into())?;
    two("-", local.day().into())?;
    two("T", local.hour().into())?;
    two(":", local.minute().into())?;
    two(":", local.second().into())?;
    let minutes = offset.abs() / 60;
    two(if offset < 0 { "-" } else { "+" }, minutes / 60)?;
    two(":", minutes % 60)?;
    Some(text.into())
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Every number is given back, and a NaN as a NaN; all of them in the room of the number alone.
        #[test]
        fn a_double_is_what_it_was_made_of(bits in proptest::num::u64::ANY) {
            assert_eq!(size_of::<Option<Double>>(), size_of::<f64>());
            for value in [f64::from_bits(bits), f64::from_bits(u64::MAX), f64::NAN, 0.0, -0.0, f64::NEG_INFINITY] {
                let kept = Double::new(value).get();
                prop_assert!(kept.to_bits() == value.to_bits() || kept.is_nan() && value.is_nan());
            }
        }

        /// A time is written as jiff writes it.
        #[test]
        fn the_short_way_to_write_agrees_too(seconds in -62_000_000_000_i64..253_000_000_000, offset in -50_000..50_000_i32) {
            for offset in [offset, offset / 60 * 60, 0] {
                let zone = jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_seconds(offset).unwrap());
                let time = Timestamp::from_second(seconds).unwrap().to_zoned_datetime(zone);
                let long = time.timestamp().display_with_offset(time.offset()).to_string();
                prop_assert_eq!(Time::from_zoned(&time), Time::from_text(long));
            }
        }

        /// Numbers of few digits are what Rust's own parser reads, to the sign of a zero.
        #[test]
        fn the_short_way_agrees_with_the_long_one(written in "-?[0-9]{0,17}([.][0-9]{0,17})?") {
            let long = written.parse().ok().map(f64::to_bits);
            prop_assert_eq!(Double::parse(&written).map(|read| read.get().to_bits()), long);
            let before = format!("{written}K");
            let split = Double::split(&before).map(|(read, rest)| (Some(read.get().to_bits()), rest));
            prop_assert!(split.is_none_or(|split| split == (long, "K")), "{split:?}");
        }
    }
}
