//! Questions to the receipt ledger; the records are [`crate::ledger::Record`].

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;
use crate::ledger::Lost;

/// Which records to find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LedgerQuery {
    pub serial_number: String,
}

/// Which records to export: `from` included, `to` not. Everything left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSpan {
    #[schemars(with = "Option<Time>")]
    pub from: Option<Timestamp>,
    #[schemars(with = "Option<Time>")]
    pub to: Option<Timestamp>,
    pub format: LedgerFormat,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerFormat {
    #[default]
    Csv,
    /// One JSON object in each line.
    Json,
}

impl LedgerFormat {
    /// The word used in queries and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// A wish to have every hash computed again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerVerify {
    /// The last hash of an earlier check: it must still be there.
    pub noted: Option<String>,
}

/// What a check of the ledger found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerCheck {
    /// The first record that was changed or is missing, in words; `None` when all are as they were written.
    pub flaw: Option<String>,
    /// How many records were checked.
    pub records: i64,
    /// The last one's hash, to be noted elsewhere; empty where there is no record.
    pub hash: String,
    /// What was lost with a damaged database, as later records say.
    #[serde(default)]
    pub lost: Vec<Lost>,
}
