//! The receipt ledger: what became of every input file, in records that prove each other.
//!
//! Each record's hash covers its content and the hash before it, so a record that was changed, taken out or put in
//! between is found by computing the hashes again ([`Check`]). That the newest records were cut off is found by the
//! count of all that were ever written, and by a hash that somebody noted elsewhere.

pub mod export;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::control::api::Time;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "LedgerEvent")]
pub enum Event {
    /// A report was made of a file and stored for sending.
    Converted,
    /// A person put another content in the place of a refused report's.
    Corrected,
    /// A file was converted again and gave another report, which was stored for sending.
    Replayed,
    /// A file could not be converted.
    Failed,
    /// A file has the content of one that was converted before: it adds nothing.
    Duplicate,
    /// The file's converter left it where it was: there is nothing to be done, or it is not of its kind.
    LeftAlone,
    /// The server has the report.
    Acknowledged,
    /// The server refused the report for good.
    Refused,
    /// A person gave a refused report up.
    Discarded,
    /// The database was damaged and rebuilt: the words name the records that were lost with it.
    Restored,
}

impl Event {
    const ALL: [Self; 10] = [
        Self::Converted,
        Self::Corrected,
        Self::Replayed,
        Self::Failed,
        Self::Duplicate,
        Self::LeftAlone,
        Self::Acknowledged,
        Self::Refused,
        Self::Discarded,
        Self::Restored,
    ];

    /// As in the table and in exports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Corrected => "corrected",
            Self::Replayed => "replayed",
            Self::Failed => "failed",
            Self::Duplicate => "duplicate",
            Self::LeftAlone => "left-alone",
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::Discarded => "discarded",
            Self::Restored => "restored",
        }
    }

    /// The event of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.word() == word)
    }
}

/// One record. What does not apply to the event is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LedgerRecord")]
pub struct Record {
    /// From 1, without gaps.
    pub seq: i64,
    /// To the millisecond.
    #[schemars(with = "Time")]
    pub at: Timestamp,
    pub event: Event,
    pub source: String,
    /// Without its folder.
    pub file_name: Option<String>,
    /// Lower-case hexadecimal; empty where the content was never read.
    pub file_sha256: Option<String>,
    pub file_bytes: Option<i64>,
    pub converter: Option<String>,
    pub converter_version: Option<String>,
    /// JSON object, keys sorted.
    pub arguments: Option<String>,
    /// As the server knows it.
    pub report_id: Option<String>,
    /// Of the WSJF document that was sent, lower-case hexadecimal.
    pub report_sha256: Option<String>,
    pub serial_number: Option<String>,
    pub part_number: Option<String>,
    /// `P`, `F`, `E` or `T`.
    pub result: Option<String>,
    /// The server's answer, or what was wrong.
    pub words: Option<String>,
    /// Of this record and the hash before it, lower-case hexadecimal.
    pub hash: String,
}

impl Record {
    /// A record of something that happens now; number and hash come when it is written.
    pub(crate) fn new(event: Event, source: String) -> Self {
        Self {
            seq: 0,
            at: Timestamp::now(),
            event,
            source,
            file_name: None,
            file_sha256: None,
            file_bytes: None,
            converter: None,
            converter_version: None,
            arguments: None,
            report_id: None,
            report_sha256: None,
            serial_number: None,
            part_number: None,
            result: None,
            words: None,
            hash: String::new(),
        }
    }

    /// The hash that the record must have after one with the hash `previous`, which is empty for the first.
    ///
    /// SHA-256 over the previous hash, a line feed, and the record's members without the hash as a JSON array in the
    /// order of the table, the time in milliseconds.
    pub fn expected_hash(&self, previous: &str) -> String {
        let members = (
            self.seq,
            self.at.as_millisecond(),
            self.event.word(),
            &self.source,
            &self.file_name,
            &self.file_sha256,
            self.file_bytes,
            &self.converter,
            &self.converter_version,
            &self.arguments,
            &self.report_id,
            &self.report_sha256,
            &self.serial_number,
            &self.part_number,
            &self.result,
            &self.words,
        );
        let mut digest = Sha256::new();
        digest.update(previous.as_bytes());
        digest.update(b"\n");
        // Texts and numbers can always be written.
        digest.update(serde_json::to_vec(&members).unwrap_or_default());
        crate::files::hex(&digest.finalize())
    }
}

/// What is wrong with a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("records {from} to {to} are missing")]
    Missing { from: i64, to: i64 },
    #[error("record {seq} was changed, or one before it was replaced")]
    Changed { seq: i64 },
    #[error("record {seq} holds the unknown event {word:?}")]
    Unreadable { seq: i64, word: String },
    #[error("the hash {hash} that was noted before is in no record")]
    NotedHashMissing { hash: String },
}

/// What comes before the list of lost records in the words of [`Event::Restored`].
const LOST: &str = "; lost records: ";

/// The words of a record that says that the database was rebuilt, and which records were lost.
pub(crate) fn lost_words(why: &str, lost: &[(i64, i64)]) -> String {
    let ranges: Vec<String> = lost.iter().map(|(from, to)| format!("{from}-{to}")).collect();
    format!("{why}{LOST}{}", if ranges.is_empty() { "none".to_owned() } else { ranges.join(", ") })
}

/// The records that a [`Event::Restored`] says were lost.
fn lost_in(record: &Record) -> impl Iterator<Item = (i64, i64)> {
    let words = record.words.as_deref().filter(|_| record.event == Event::Restored);
    let ranges = words.and_then(|words| words.rsplit_once(LOST)).map_or("", |(_, ranges)| ranges);
    ranges.split(", ").filter_map(|range| {
        let (from, to) = range.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    })
}

/// Records that are missing, and why that is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LedgerLost")]
pub struct Lost {
    pub from: i64,
    pub to: i64,
    /// The record that says that they were lost with a damaged database.
    pub said_by: i64,
}

/// A ledger without a flaw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sound {
    /// The number of the last record.
    pub records: i64,
    /// The hash of the last record, to be noted somewhere else.
    pub hash: String,
    /// What is missing, as later records say.
    pub lost: Vec<Lost>,
}

/// Goes through the records in order and finds the first flaw.
#[derive(Debug, Default)]
pub struct Check {
    seq: i64,
    hash: String,
    noted: Option<String>,
    /// Missing, and no record has said why yet.
    gaps: Vec<(i64, i64)>,
    lost: Vec<Lost>,
}

impl Check {
    /// `noted`: a hash that somebody wrote down at an earlier check; it must still be there.
    pub fn new(noted: Option<String>) -> Self {
        Self { noted: noted.map(|hash| hash.to_ascii_lowercase()), ..Self::default() }
    }

    /// Looks at the next record.
    ///
    /// # Errors
    /// When it was changed. That some are missing before it shows at the end: a later one may say why.
    pub fn next(&mut self, record: &Record) -> Result<(), Flaw> {
        let expected = self.seq.saturating_add(1);
        if record.seq != expected {
            // The hash before it is not known any more; those after it prove it.
            self.gaps.push((expected, record.seq.saturating_sub(1)));
        } else if record.expected_hash(&self.hash) != record.hash {
            return Err(Flaw::Changed { seq: record.seq });
        }
        for (from, to) in lost_in(record) {
            let told = self.gaps.iter().position(|gap| *gap == (from, to));
            if let Some(told) = told {
                self.gaps.remove(told);
                self.lost.push(Lost { from, to, said_by: record.seq });
            }
        }
        self.seq = record.seq;
        self.hash.clone_from(&record.hash);
        self.noted.take_if(|noted| *noted == record.hash);
        Ok(())
    }

    /// The end: `written` is the number of the last record that was ever written.
    ///
    /// # Errors
    /// When records, or the noted hash, are missing.
    pub fn end(self, written: i64) -> Result<Sound, Flaw> {
        if let Some((from, to)) = self.gaps.first().copied() {
            return Err(Flaw::Missing { from, to });
        }
        if written > self.seq {
            return Err(Flaw::Missing { from: self.seq + 1, to: written });
        }
        match self.noted {
            Some(hash) => Err(Flaw::NotedHashMissing { hash }),
            None => Ok(Sound { records: self.seq, hash: self.hash, lost: self.lost }),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(count: i64) -> Vec<Record> {
        let mut previous = String::new();
        (1..=count)
            .map(|seq| {
                let mut record = Record::new(Event::Converted, format!("line-{seq}"));
                record.seq = seq;
                record.serial_number = Some(format!("SN-{seq}"));
                record.words = (seq % 2 == 0).then(|| "ok".to_owned());
                record.hash = record.expected_hash(&previous);
                previous.clone_from(&record.hash);
                record
            })
            .collect()
    }

    fn check(records: &[Record], written: i64, noted: Option<&str>) -> Result<Sound, Flaw> {
        let mut check = Check::new(noted.map(ToOwned::to_owned));
        records.iter().try_for_each(|record| check.next(record))?;
        check.end(written)
    }

    #[test]
    fn a_ledger_that_nobody_touched_is_right() {
        let records = chain(20);
        let sound = check(&records, 20, Some(&records[7].hash)).unwrap();
        assert_eq!((sound.records, &sound.hash, sound.lost.len()), (20, &records[19].hash, 0));
        assert_eq!(check(&[], 0, None), Ok(Sound { records: 0, hash: String::new(), lost: Vec::new() }));
    }

    #[test]
    fn what_was_lost_with_a_damaged_database_is_named_and_nothing_else_is_forgiven() {
        let restored = |lost: &[(i64, i64)]| {
            let mut records = chain(20);
            let mut record = Record::new(Event::Restored, String::new());
            record.seq = 21;
            record.words = Some(lost_words("the database was damaged", lost));
            record.hash = record.expected_hash(&records[19].hash);
            records.push(record);
            records.drain(4..7);
            records.remove(0);
            records
        };
        let sound = check(&restored(&[(1, 1), (5, 7)]), 21, None).unwrap();
        let lost = |from, to| Lost { from, to, said_by: 21 };
        assert_eq!(sound.lost, [lost(1, 1), lost(5, 7)]);
        assert_eq!(check(&restored(&[(1, 1), (5, 6)]), 21, None), Err(Flaw::Missing { from: 5, to: 7 }));
        assert_eq!(check(&restored(&[]), 21, None), Err(Flaw::Missing { from: 1, to: 1 }));
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut records = chain(20);
        assert_eq!(check(&records[..15], 20, None), Err(Flaw::Missing { from: 16, to: 20 }));
        let head = records[19].hash.clone();
        assert_eq!(
            check(&records[..15], 15, Some(&head)),
            Err(Flaw::NotedHashMissing { hash: head }),
            "even when the count was forged"
        );
        records.drain(4..7);
        assert_eq!(check(&records, 20, None), Err(Flaw::Missing { from: 5, to: 7 }));
    }

    proptest! {
        /// Whichever member of whichever record is changed, alone or with its own hash made right again.
        #[test]
        fn any_change_is_found(at in 0_usize..12, member in 0_usize..15, rehash: bool) {
            let mut records = chain(12);
            let record = &mut records[at];
            let other = Some("other".to_owned());
            match member {
                0 => record.at = Timestamp::UNIX_EPOCH,
                1 => record.event = Event::Acknowledged,
                2 => record.source.push('x'),
                3 => record.file_name = other,
                4 => record.file_sha256 = other,
                5 => record.file_bytes = Some(1),
                6 => record.converter = other,
                7 => record.converter_version = other,
                8 => record.arguments = other,
                9 => record.report_id = other,
                10 => record.report_sha256 = other,
                11 => record.serial_number = other,
                12 => record.part_number = other,
                13 => record.result = other,
                _ => record.words = other,
            }
            if rehash && at < 11 {
                let previous = at.checked_sub(1).map(|at| records[at].hash.clone()).unwrap_or_default();
                records[at].hash = records[at].expected_hash(&previous);
            }
            let seq = i64::try_from(at).unwrap() + if rehash && at < 11 { 2 } else { 1 };
            prop_assert_eq!(check(&records, 12, None), Err(Flaw::Changed { seq }));
        }
    }
}
