//! The table `file_note`: what a plug-in said about a file.

use sqlx::sqlite::SqliteConnection;

use super::files::{Finished, NewFile, Recorded};
use super::{Store, StoreError, bulk};
use crate::control::api::{After, LeftAlone, LogLine, TrialOutcome};

/// What a plug-in said about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// The converter's version.
    pub version: String,
    /// SHA-256 of the plug-in.
    pub program: String,
    /// It left the file where it was.
    pub left: Option<LeftAlone>,
    /// What it wants done with the file, instead of what the source says.
    pub after: Option<After>,
    pub log: Vec<LogLine>,
}

impl Note {
    /// As it stands in the ledger: which version of which program.
    pub(super) fn version(&self) -> String {
        version(&self.version, &self.program)
    }
}

/// Version and hash of a plug-in, as they stand in the ledger.
pub(crate) fn version(version: &str, program: &str) -> String {
    format!("{version} (SHA-256 {program})")
}

impl Store {
    /// What was said before about a content that the same plug-in left alone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn left_before(&self, file: &NewFile, program: &str) -> Result<Option<LeftAlone>, StoreError> {
        let row: Option<(String, String)> = sqlx::query_as(LEFT_BEFORE)
            .bind(&file.sha256)
            .bind(&file.converter)
            .bind(&file.arguments)
            .bind(program)
            .fetch_optional(&self.readers)
            .await?;
        Ok(row.map(|(outcome, reason)| LeftAlone { outcome: outcome_of(&outcome), reason }))
    }

    /// What a plug-in said while it converted a file.
    pub(super) async fn log_of(&self, file: i64) -> Result<Vec<LogLine>, StoreError> {
        let log: Option<String> = sqlx::query_scalar("SELECT log FROM file_note WHERE file_id = ?1")
            .bind(file)
            .fetch_optional(&self.readers)
            .await?;
        // Written by `store`.
        Ok(log.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }
}

/// The index has the beginning of each hash; as to the plus, see `lists::OF_CONTENT`.
pub(super) const LEFT_BEFORE: &str = "
  SELECT n.outcome, n.reason
    FROM file f INDEXED BY file_content
    JOIN file_note n ON n.file_id = f.id
   WHERE substr(f.sha256, 1, 8) = substr(?1, 1, 8) AND +f.sha256 = ?1 AND f.converter = ?2 AND f.arguments = ?3
     AND n.program = ?4 AND n.outcome IS NOT NULL
   LIMIT 1";

/// Records what was said about files that are recorded in the same transaction.
pub(super) async fn store(
    db: &mut SqliteConnection,
    files: &[(Recorded, &Finished)],
) -> Result<(), sqlx::Error> {
    let noted: Vec<_> =
        files.iter().filter_map(|(recorded, it)| Some((recorded.id, it.file.note.as_deref()?))).collect();
    if noted.is_empty() {
        return Ok(());
    }
    bulk::rows(
        db,
        "INSERT INTO file_note (file_id, program, outcome, reason, after, log) ",
        &noted,
        "",
        |row, (id, note)| {
            row.push_bind(*id)
                .push_bind(note.program.clone())
                .push_bind(note.left.as_ref().map(|left| left.outcome.as_str()))
                .push_bind(note.left.as_ref().map(|left| left.reason.clone()))
                .push_bind(note.after.map(After::as_str))
                // Lines of texts can always be written.
                .push_bind(serde_json::to_string(&note.log).unwrap_or_else(|_| "[]".to_owned()));
        },
    )
    .await
}

/// Words of the table.
pub(super) fn left(outcome: Option<&str>, reason: Option<String>) -> Option<LeftAlone> {
    Some(LeftAlone { outcome: outcome_of(outcome?), reason: reason.unwrap_or_default() })
}

fn outcome_of(word: &str) -> TrialOutcome {
    if word == "rejected" { TrialOutcome::Rejected } else { TrialOutcome::Skipped }
}

pub(super) fn after(word: Option<&str>) -> Option<After> {
    After::ALL.into_iter().find(|after| Some(after.as_str()) == word)
}
