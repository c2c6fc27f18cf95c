//! Many rows in few statements: each statement is a way to the database's thread and back.

use sqlx::QueryBuilder;
use sqlx::query_builder::Separated;
use sqlx::sqlite::{Sqlite, SqliteConnection};

/// At most so many rows go into one statement.
const MOST: usize = 64;

/// Runs `before`, a list of rows, and `after` as one statement for as many rows as possible at once.
///
/// Rows are bound in groups of powers of two, so that there are few different statements, which stay prepared.
pub(super) async fn rows<'a, T>(
    db: &mut SqliteConnection,
    before: &'static str,
    rows: &'a [T],
    after: &'static str,
    bind: impl Fn(&mut Separated<'_, Sqlite, &'static str>, &'a T) + Copy,
) -> Result<(), sqlx::Error> {
    let mut rest = rows;
    while !rest.is_empty() {
        let count = 1 << rest.len().min(MOST).ilog2();
        let (group, others) = rest.split_at(count);
        rest = others;
        let mut statement = QueryBuilder::<Sqlite>::new(before);
        statement.push_values(group, |mut row, value| bind(&mut row, value));
        statement.push(after);
        statement.build().execute(&mut *db).await?;
    }
    Ok(())
}

/// Values as one parameter, for `IN (SELECT value FROM json_each(?))`.
pub(super) fn list<T: serde::Serialize>(values: impl IntoIterator<Item = T>) -> String {
    serde_json::Value::Array(
        values.into_iter().map(|value| serde_json::to_value(value).unwrap_or_default()).collect(),
    )
    .to_string()
}
