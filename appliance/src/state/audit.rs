//! Who did what, and when. Rows are only ever added.

use jiff::Timestamp;
use sqlx::SqliteConnection;

use super::{State, StateError, accounts::UserName, time};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub at: Timestamp,
    /// `None`: nobody was signed in, as when the setup code is entered.
    pub user_name: Option<String>,
    /// A short constant: `signed-in`, `host-name-changed`.
    pub action: String,
    /// In words, and never with a secret.
    pub detail: String,
}

impl State {
    /// Adds a line to the audit log.
    pub async fn record(
        &self,
        now: Timestamp,
        user: Option<&UserName>,
        action: &'static str,
        detail: &str,
    ) -> Result<(), StateError> {
        let mut db = self.writer.acquire().await.map_err(StateError::query("write the audit log"))?;
        insert(&mut db, now, user, action, detail).await.map_err(StateError::query("write the audit log"))
    }

    /// The newest lines, newest first.
    pub async fn audit_log(&self, limit: u32) -> Result<Vec<AuditEntry>, StateError> {
        let rows: Vec<(i64, Option<String>, String, String)> =
            sqlx::query_as("SELECT at, user_name, action, detail FROM audit ORDER BY id DESC LIMIT ?1")
                .bind(limit)
                .fetch_all(&self.readers)
                .await
                .map_err(StateError::query("read the audit log"))?;
        rows.into_iter()
            .map(|(at, user_name, action, detail)| {
                Ok(AuditEntry { at: time(at)?, user_name, action, detail })
            })
            .collect()
    }
}

pub(super) async fn insert(
    db: &mut SqliteConnection,
    now: Timestamp,
    user: Option<&UserName>,
    action: &'static str,
    detail: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO audit (at, user_name, action, detail) VALUES (?1, ?2, ?3, ?4)")
        .bind(now.as_millisecond())
        .bind(user.map(UserName::as_str))
        .bind(action)
        .bind(detail)
        .execute(db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, bench};
    use super::*;

    #[tokio::test]
    async fn the_log_is_read_newest_first_and_no_longer_than_asked() {
        let bench = bench().await;
        let anna = UserName::try_from("anna".to_owned()).unwrap();
        for (second, detail) in [(0, "one"), (1, "two"), (2, "three")] {
            bench.state.record(at(second), Some(&anna), "tested", detail).await.unwrap();
        }
        let log = bench.state.audit_log(2).await.unwrap();
        assert_eq!(log.iter().map(|e| e.detail.as_str()).collect::<Vec<_>>(), ["three", "two"]);
        assert_eq!((log[0].at, log[0].user_name.as_deref()), (at(2), Some("anna")));
    }
}
