//! What is delivered and may be forgotten. The ledger keeps the answer.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::rows::{ms, time};
use super::{Store, StoreError};
use crate::system;

/// A file of which nothing is left to do: put away, and every report of it acknowledged or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    pub id: i64,
    pub received_at: Timestamp,
    /// Where it was found.
    pub path: PathBuf,
    /// Where it lies now; `None` where it was found, or gone.
    pub kept_at: Option<PathBuf>,
    pub size_bytes: u64,
}

/// Holds for a file `f`: a later copy of it would otherwise point at nothing.
const IS_DELIVERED: &str = "f.state = 'converted' AND f.put_away = 1
   AND NOT EXISTS (SELECT 1 FROM report WHERE file_id = f.id AND state NOT IN ('sent', 'discarded'))
   AND NOT EXISTS (SELECT 1 FROM file WHERE duplicate_of = f.id)";

impl Store {
    /// Delivered files that were received before `before`, oldest first, beginning after `last`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delivered(
        &self,
        before: Timestamp,
        last: Option<(Timestamp, i64)>,
        limit: u32,
    ) -> Result<Vec<Delivered>, StoreError> {
        type Row = (i64, i64, Vec<u8>, Option<Vec<u8>>, i64);
        let query = format!(
            "SELECT id, received_at, path, kept_at, size_bytes FROM file AS f
              WHERE {IS_DELIVERED} AND received_at < ?1 AND (received_at, id) > (?2, ?3)
              ORDER BY received_at, id LIMIT ?4"
        );
        let (at, id) = last.map_or((i64::MIN, 0), |(at, id)| (ms(at), id));
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(query))
            .bind(ms(before))
            .bind(at)
            .bind(id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        let path = |bytes: Vec<u8>| PathBuf::from(system::from_bytes(bytes));
        Ok(rows
            .into_iter()
            .map(|(id, received_at, found, kept_at, size)| Delivered {
                id,
                received_at: time(received_at),
                path: path(found),
                kept_at: kept_at.map(path),
                size_bytes: size.cast_unsigned(),
            })
            .collect())
    }

    /// Where all archived files lie.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn archived_places(&self) -> Result<Vec<PathBuf>, StoreError> {
        let query = "SELECT kept_at FROM file WHERE kept_at IS NOT NULL";
        let paths: Vec<Vec<u8>> = sqlx::query_scalar(query).fetch_all(&self.readers).await?;
        Ok(paths.into_iter().map(|path| PathBuf::from(system::from_bytes(path))).collect())
    }

    /// The sources that these contents came from, as far as the ledger knows. It is read from end to end.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sources_of(
        &self,
        contents: &HashSet<String>,
    ) -> Result<HashMap<String, String>, StoreError> {
        let query =
            "SELECT file_sha256, source FROM ledger WHERE event = 'converted' AND file_sha256 IS NOT NULL";
        let mut rows = sqlx::query_as::<_, (String, String)>(query).fetch(&self.readers);
        let mut sources = HashMap::new();
        while let Some((sha256, source)) = rows.try_next().await? {
            if contents.contains(&sha256) {
                sources.insert(sha256, source);
            }
        }
        Ok(sources)
    }

    /// The bytes of all archived files.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn archived_bytes(&self) -> Result<u64, StoreError> {
        let query =
            "SELECT coalesce(sum(size_bytes), 0) FROM file WHERE state = 'converted' AND kept_at IS NOT NULL";
        let bytes: i64 = sqlx::query_scalar(query).fetch_one(&self.readers).await?;
        Ok(bytes.cast_unsigned())
    }

    /// Forgets a delivered file and its reports; answers false when there is something left to do with it after all.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn forget_delivered(&self, id: i64) -> Result<bool, StoreError> {
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    let query = format!("SELECT count(*) FROM file AS f WHERE id = ?1 AND {IS_DELIVERED}");
                    let count: i64 =
                        sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(id).fetch_one(&mut *db).await?;
                    if count == 0 {
                        return Ok(false);
                    }
                    sqlx::query("DELETE FROM report WHERE file_id = ?1").bind(id).execute(&mut *db).await?;
                    sqlx::query("DELETE FROM file WHERE id = ?1").bind(id).execute(db).await?;
                    Ok(true)
                })
            })
            .await
    }
}
