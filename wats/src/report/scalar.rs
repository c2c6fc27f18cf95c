//! Values with rules of their own: numbers that may be infinite, status letters, points in time.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Text;

/// A double as the server writes it: NaN and the infinities are the texts `"NaN"`, `"Infinity"`, `"-Infinity"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Double(pub f64);

impl From<f64> for Double {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl Double {
    /// Reads a number in the notations of WSJF (`Infinity`) and of XML (`INF`).
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "NaN" => Some(Self(f64::NAN)),
            "Infinity" | "INF" | "+Infinity" => Some(Self(f64::INFINITY)),
            "-Infinity" | "-INF" => Some(Self(f64::NEG_INFINITY)),
            // Rust's own parser also takes "inf" and "nan", which neither format writes.
            number if number.bytes().any(|b| b.is_ascii_digit()) => number.parse().ok().map(Self),
            _ => None,
        }
    }
}

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
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
                Ok(Double(v))
            }
            #[expect(clippy::cast_precision_loss, reason = "the format's numbers are doubles")]
            fn visit_i64<E: de::Error>(self, v: i64) -> Result<Double, E> {
                Ok(Double(v as f64))
            }
            #[expect(clippy::cast_precision_loss, reason = "the format's numbers are doubles")]
            fn visit_u64<E: de::Error>(self, v: u64) -> Result<Double, E> {
                Ok(Double(v as f64))
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
        Self(time.timestamp().display_with_offset(time.offset()).to_string().into())
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

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
