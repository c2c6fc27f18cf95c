//! Reading out of a damaged database whatever can be read, row by row where it must be.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use sqlx::sqlite::{SqliteConnection, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::super::rows::time;
use super::super::{MIGRATIONS, StoreError, body, ledger, options};
use super::{Rescue, beside};
use crate::files::{self, folder_of};
use crate::ledger::{Event, Record, lost_words};

/// So many rows are asked for at once where nothing is wrong.
const WINDOW: i64 = 4096;
/// The bytes at the beginning of a database that say how it is built.
const HEADER: usize = 100;

/// Makes a new database with all that can be read of the one that was set aside, and puts it into its place.
///
/// `newest` is the highest number that a file in the archive has.
pub(super) async fn rebuild(database: &Path, rescue: &mut Rescue, newest: i64) -> Result<(), StoreError> {
    let failed =
        |source| StoreError::Rescue { path: database.to_owned(), source: std::sync::Arc::new(source) };
    // Without anything set aside the one in place is whole, or there is none.
    let draft = if rescue.set_aside.is_some() { beside(database, ".draft") } else { database.to_owned() };
    if rescue.set_aside.is_some() {
        for ending in ["", "-wal", "-shm"] {
            match fs::remove_file(beside(&draft, ending)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
    }
    // Many small transactions: what counts is that all of it is on disk in the end.
    let mut connection =
        options(&draft).foreign_keys(false).synchronous(SqliteSynchronous::Off).connect().await?;
    MIGRATIONS
        .run_direct(None, &mut connection, false)
        .await
        .map_err(|source| StoreError::Migrate { path: draft.clone(), source: std::sync::Arc::new(source) })?;
    let old = rescue.set_aside.as_ref().map(|it| it.join(database.file_name().unwrap_or_default()));
    if let Some(old) = old {
        match attach(&mut connection, &old, &draft).await {
            Ok(copy) => {
                copy_all(&mut connection, rescue).await?;
                sqlx::query("DETACH damaged").execute(&mut connection).await?;
                if let Some(copy) = copy {
                    remove_copy(&copy);
                }
            }
            Err(error) => tracing::error!(%error, "nothing can be read of {}", old.display()),
        }
    }
    finish(&mut connection, rescue, newest).await?;
    connection.close().await?;
    File::open(&draft).and_then(|it| it.sync_all()).map_err(failed)?;
    if draft != database {
        fs::rename(&draft, database).map_err(failed)?;
        files::sync_folder(folder_of(database)).map_err(failed)?;
    }
    Ok(())
}

/// Attaches the damaged database for reading. Where its header is gone a copy with another header is attached, and
/// its place answered.
async fn attach(
    connection: &mut SqliteConnection,
    old: &Path,
    draft: &Path,
) -> Result<Option<PathBuf>, sqlx::Error> {
    let first = try_attach(connection, old, "ro").await;
    let Err(error) = first else { return Ok(None) };
    tracing::warn!(%error, "the header of the damaged database is replaced in a copy");
    let copy = beside(draft, ".copy");
    with_header_of(draft, old, &copy).map_err(sqlx::Error::Io)?;
    try_attach(connection, &copy, "rw").await?;
    Ok(Some(copy))
}

async fn try_attach(connection: &mut SqliteConnection, path: &Path, mode: &str) -> Result<(), sqlx::Error> {
    let path: String = path
        .to_str()
        .ok_or_else(|| sqlx::Error::Configuration("the path is not UTF-8".into()))?
        .bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02x}"),
        })
        .collect();
    let attach = format!("ATTACH 'file:{path}?mode={mode}' AS damaged");
    sqlx::query(AssertSqlSafe(attach)).execute(&mut *connection).await?;
    let read = sqlx::query("SELECT count(*) FROM damaged.sqlite_schema").execute(&mut *connection).await;
    if let Err(error) = read {
        sqlx::query("DETACH damaged").execute(connection).await?;
        return Err(error);
    }
    Ok(())
}

/// A copy of `old` and its log that begins like the new database `draft`.
fn with_header_of(draft: &Path, old: &Path, copy: &Path) -> std::io::Result<()> {
    remove_copy(copy);
    fs::copy(old, copy)?;
    if beside(old, "-wal").exists() {
        fs::copy(beside(old, "-wal"), beside(copy, "-wal"))?;
    }
    let mut header = [0; HEADER];
    File::open(draft)?.read_exact(&mut header)?;
    let pages = u32::try_from(fs::metadata(old)?.len() / 4096).unwrap_or(u32::MAX);
    let mut put = |at: usize, value: u32| {
        if let Some(place) = header.get_mut(at..at + 4) {
            place.copy_from_slice(&value.to_be_bytes());
        }
    };
    // The size of the database; that no page of it is free is wrong, and does no harm to one that is only read.
    put(28, pages);
    put(32, 0);
    put(36, 0);
    let mut file = File::options().write(true).open(copy)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header)?;
    file.sync_all()
}

fn remove_copy(copy: &Path) {
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(beside(copy, ending)).ok();
    }
}

async fn copy_all(connection: &mut SqliteConnection, rescue: &mut Rescue) -> Result<(), StoreError> {
    let query = "SELECT name FROM main.sqlite_schema
                  WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND name NOT LIKE '!_sqlx!_%' ESCAPE '!'";
    let tables: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut *connection).await?;
    for table in tables {
        let rows = copy_table(connection, &table).await?;
        rescue.rows.insert(table, rows);
    }
    Ok(())
}

/// Copies what can be read of a table and answers how many rows that are.
async fn copy_table(connection: &mut SqliteConnection, table: &str) -> Result<u64, StoreError> {
    let columns = "SELECT group_concat(name, ', ') FROM pragma_table_info(?1, 'main')
                    WHERE name IN (SELECT name FROM pragma_table_info(?1, 'damaged'))";
    let columns: Option<String> =
        sqlx::query_scalar(columns).bind(table).fetch_one(&mut *connection).await.unwrap_or(None);
    let Some(columns) = columns else { return Ok(0) };
    let edge = async |connection: &mut SqliteConnection, which: &str| -> Option<i64> {
        let query = format!("SELECT {which}(rowid) FROM damaged.\"{table}\"");
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(connection).await.ok().flatten()
    };
    let (first, last) = (edge(connection, "min").await, edge(connection, "max").await);
    let known = "SELECT seq FROM damaged.sqlite_sequence WHERE name = ?1";
    let known: Option<i64> =
        sqlx::query_scalar(known).bind(table).fetch_optional(&mut *connection).await.unwrap_or(None);
    let (Some(last), first) = (last.max(known), first.unwrap_or(1)) else { return Ok(0) };
    let copy = format!(
        "INSERT OR IGNORE INTO main.\"{table}\" ({columns})
         SELECT {columns} FROM damaged.\"{table}\" WHERE rowid BETWEEN ?1 AND ?2"
    );
    let mut rows = 0;
    let mut from = first;
    while from <= last {
        let to = from.saturating_add(WINDOW - 1).min(last);
        rows += copy_range(connection, &copy, from, to).await;
        from = to.saturating_add(1);
    }
    Ok(rows)
}

/// Copies a range; where that fails, its halves, down to single rows. What cannot be read is left out.
///
/// Each attempt is a transaction of its own: SQLite ends one that met damage, sometimes only when it is to be committed.
fn copy_range<'a>(
    connection: &'a mut SqliteConnection,
    copy: &'a str,
    from: i64,
    to: i64,
) -> BoxFuture<'a, u64> {
    Box::pin(async move {
        let query = sqlx::query(AssertSqlSafe(copy.to_owned())).bind(from).bind(to);
        match query.execute(&mut *connection).await {
            Ok(copied) => copied.rows_affected(),
            Err(_) if from >= to => 0,
            Err(_) => {
                let middle = from + (to - from) / 2;
                copy_range(connection, copy, from, middle).await
                    + copy_range(connection, copy, middle + 1, to).await
            }
        }
    })
}

/// Makes one whole of what was read: nothing points at what is not there, and what is not whole is done once more.
async fn finish(
    connection: &mut SqliteConnection,
    rescue: &mut Rescue,
    newest: i64,
) -> Result<(), StoreError> {
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    for step in [
        // Faster than a look through the whole ledger for each file.
        "CREATE INDEX rescue_file ON ledger (file_sha256)",
        "DELETE FROM report
          WHERE file_id NOT IN (SELECT id FROM file) OR seq NOT IN (SELECT seq FROM report_body)",
        // A file of which a report is missing that the ledger says was made, or of which the ledger says nothing. One
        // whose report was taken over by a later file is whole.
        "CREATE TEMP TABLE halved AS
           SELECT id FROM file
            WHERE state = 'converted' AND duplicate_of IS NULL
              AND reports > (SELECT count(*) FROM report WHERE file_id = file.id)
              AND (NOT EXISTS (SELECT 1 FROM ledger WHERE file_sha256 = file.sha256 AND event = 'converted')
                   OR EXISTS (SELECT 1 FROM ledger
                               WHERE file_sha256 = file.sha256 AND event = 'converted'
                                 AND report_id NOT IN (SELECT id FROM report)))",
        "INSERT INTO halved SELECT id FROM file
          WHERE duplicate_of IS NOT NULL
            AND (duplicate_of NOT IN (SELECT id FROM file) OR duplicate_of IN (SELECT id FROM halved))",
    ] {
        sqlx::query(step).execute(&mut *connection).await?;
    }
    let gone =
        "SELECT count(*) FROM file WHERE id IN (SELECT id FROM halved) AND put_away = 1 AND kept_at IS NULL";
    let gone: i64 = sqlx::query_scalar(gone).fetch_one(&mut *connection).await?;
    rescue.gone = gone.unsigned_abs();
    for step in [
        "DELETE FROM report WHERE file_id IN (SELECT id FROM halved)",
        "DELETE FROM file WHERE id IN (SELECT id FROM halved)",
        "DELETE FROM report_body WHERE seq NOT IN (SELECT seq FROM report)",
        "DROP TABLE halved",
        "DROP INDEX rescue_file",
    ] {
        sqlx::query(step).execute(&mut *connection).await?;
    }
    never_again(connection, "file", newest).await?;
    let lost = "SELECT before + 1, seq - 1
                  FROM (SELECT seq, lag(seq, 1, 0) OVER (ORDER BY seq) AS before FROM ledger) WHERE seq > before + 1";
    let lost: Vec<(i64, i64)> = sqlx::query_as(lost).fetch_all(&mut *connection).await?;
    let mut record = Record::new(Event::Restored, String::new());
    record.at = rescue.at;
    record.words = Some(lost_words(&rescue.why, &lost));
    let mut records = vec![record];
    records.extend(lost_receipts(connection).await?);
    ledger::append(connection, records).await?;
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(())
}

/// Records of what the tables still know and the ledger does not any more: how reports were made, and how they ended.
async fn lost_receipts(connection: &mut SqliteConnection) -> Result<Vec<Record>, StoreError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id: String,
        serial_number: String,
        part_number: String,
        result: String,
        state: String,
        stored_at: i64,
        sent_at: Option<i64>,
        answer: Option<String>,
        body: Vec<u8>,
        source: String,
        name: String,
        sha256: String,
        size_bytes: i64,
        converter: String,
        arguments: String,
        is_made: bool,
        is_ended: bool,
    }
    let query = "SELECT r.id, r.serial_number, r.part_number, r.result, r.state, r.stored_at, r.sent_at, r.answer,
                        b.body, f.source, f.name, f.sha256, f.size_bytes, f.converter, f.arguments,
                        EXISTS (SELECT 1 FROM ledger WHERE report_id = r.id AND event = 'converted') AS is_made,
                        r.state NOT IN ('sent', 'rejected') OR EXISTS (
                          SELECT 1 FROM ledger WHERE report_id = r.id AND event IN ('acknowledged', 'refused')) AS is_ended
                   FROM report r JOIN file f ON f.id = r.file_id JOIN report_body b ON b.seq = r.seq
                  WHERE is_made = 0 OR is_ended = 0
                  ORDER BY r.seq";
    let rows: Vec<Row> = sqlx::query_as(query).fetch_all(connection).await?;
    let mut records = Vec::new();
    for row in rows {
        let event = if row.state == "sent" { Event::Acknowledged } else { Event::Refused };
        let mut ended = Record::new(event, row.source);
        ended.report_id = Some(row.id);
        ended.report_sha256 = Some(files::sha256(&body::unpack(row.body)?));
        ended.serial_number = Some(row.serial_number);
        ended.part_number = Some(row.part_number);
        ended.result = Some(row.result);
        if !row.is_made {
            let mut made = Record { event: Event::Converted, at: time(row.stored_at), ..ended.clone() };
            made.file_name = Some(row.name);
            made.file_sha256 = Some(row.sha256);
            made.file_bytes = Some(row.size_bytes);
            made.converter = Some(row.converter);
            made.arguments = Some(row.arguments);
            records.push(made);
        }
        if !row.is_ended {
            ended.at = row.sent_at.map_or(ended.at, time);
            ended.words = row.answer;
            records.push(ended);
        }
    }
    Ok(records)
}

/// Numbers up to `used` are not given again: archived files have them in their names.
async fn never_again(connection: &mut SqliteConnection, table: &str, used: i64) -> Result<(), StoreError> {
    let raise = "UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1";
    let raised = sqlx::query(raise).bind(table).bind(used).execute(&mut *connection).await?;
    if raised.rows_affected() == 0 {
        let insert = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
        sqlx::query(insert).bind(table).bind(used).execute(connection).await?;
    }
    Ok(())
}
