//! `wats-agent ledger`: verify it, export it, find a serial number in it. Reads the database, with or without an agent.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::pin::pin;

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::json;

use crate::config::Settings;
use crate::ledger::{Check, Event, Lost, Record, Sound};
use crate::store::Ledger;

/// What can be done with the ledger.
#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Compute every hash again and say whether a record was changed or is missing.
    Verify {
        /// The last hash of an earlier check: it must still be there.
        #[arg(long, value_name = "HASH")]
        noted: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the records of a time.
    Export {
        /// The first moment, like 2026-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME", default_value_t = Timestamp::UNIX_EPOCH)]
        from: Timestamp,
        /// The moment after the last.
        #[arg(long, value_name = "TIME", default_value_t = Timestamp::MAX)]
        to: Timestamp,
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
    },
    /// Say which files a serial number came from and whether the server has it.
    Find {
        serial_number: String,
        /// As JSON: the records.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Format {
    Csv,
    /// One JSON object in each line.
    Json,
}

/// Does what was asked for.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(settings: &Settings, command: &LedgerCommand) -> anyhow::Result<()> {
    let ledger = Ledger::open(&settings.database()).await?;
    let mut out = io::stdout().lock();
    let done = match command {
        LedgerCommand::Verify { noted, json } => verify(&ledger, noted.clone(), *json, &mut out).await,
        LedgerCommand::Export { from, to, format } => export(&ledger, *from, *to, *format, &mut out).await,
        LedgerCommand::Find { serial_number, json } => find(&ledger, serial_number, *json, &mut out).await,
    };
    match done {
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        done => done,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

async fn verify(
    ledger: &Ledger,
    noted: Option<String>,
    as_json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    // Before the records: what is added meanwhile is no flaw.
    let written = ledger.written().await?;
    let mut check = Check::new(noted);
    let mut records = pin!(ledger.records(Timestamp::MIN, Timestamp::MAX));
    while let Some(record) = records.next().await {
        check.next(&record?).context("the ledger is not as it was written")?;
    }
    let sound = check.end(written).context("the ledger is not as it was written")?;
    let Sound { records: count, hash, lost } = &sound;
    if as_json {
        writeln!(out, "{}", json!(sound))?;
    } else if *count == 0 {
        writeln!(out, "the ledger is empty")?;
    } else {
        for Lost { from, to, said_by } in lost {
            writeln!(
                out,
                "records {from} to {to} were lost with a damaged database, as record {said_by} says"
            )?;
        }
        writeln!(out, "{count} records are as they were written; the last hash is\n{hash}")?;
        writeln!(out, "Note it elsewhere: --noted HASH proves later that nothing before it was taken out.")?;
    }
    Ok(())
}

async fn export(
    ledger: &Ledger,
    from: Timestamp,
    to: Timestamp,
    format: Format,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut records = pin!(ledger.records(from, to));
    match format {
        Format::Json => {
            while let Some(record) = records.next().await {
                serde_json::to_writer(&mut *out, &record?).map_err(io::Error::from)?;
                writeln!(out)?;
            }
        }
        Format::Csv => {
            let mut table = csv::Writer::from_writer(&mut *out);
            while let Some(record) = records.next().await {
                table.serialize(record?).map_err(io::Error::other)?;
            }
            table.flush()?;
        }
    }
    Ok(())
}

async fn find(
    ledger: &Ledger,
    serial_number: &str,
    as_json: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let records = ledger.find(serial_number).await?;
    if as_json {
        writeln!(out, "{}", serde_json::to_string_pretty(&records)?)?;
    } else {
        write!(out, "{}", describe(serial_number, &records))?;
    }
    Ok(())
}

/// Each report of the serial number: from which file, and what became of it.
fn describe(serial_number: &str, records: &[Record]) -> String {
    let mut reports: BTreeMap<i64, Vec<&Record>> = BTreeMap::new();
    let mut first: BTreeMap<&str, i64> = BTreeMap::new();
    for record in records {
        let id = record.report_id.as_deref().unwrap_or_default();
        let at = *first.entry(id).or_insert(record.seq);
        reports.entry(at).or_default().push(record);
    }
    if reports.is_empty() {
        return format!("{serial_number} is in no record\n");
    }
    let mut text = String::new();
    for history in reports.values() {
        let made = history.iter().rev().find(|it| matches!(it.event, Event::Converted | Event::Replayed));
        let Some(made) = made else { continue };
        let last = history.iter().rev().find(|it| it.event != Event::Duplicate).unwrap_or(made);
        let fate = match last.event {
            Event::Acknowledged => format!("on the server since {}", last.at),
            Event::Refused => {
                let words = last.words.as_deref().unwrap_or_default();
                format!("refused by the server at {}: {}", last.at, words.lines().next().unwrap_or_default())
            }
            Event::Discarded => format!("refused by the server and given up at {}", last.at),
            _ => format!("waiting to be sent since {}", made.at),
        };
        let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
        text.push_str(&format!(
            "{serial_number}: {fate}\n  report  {}, result {}\n  file    {} from source {}, {} bytes, SHA-256 {}\n  by      {} {}\n",
            or_none(&made.report_id),
            or_none(&made.result),
            or_none(&made.file_name),
            made.source,
            made.file_bytes.unwrap_or_default(),
            or_none(&made.file_sha256),
            or_none(&made.converter),
            or_none(&made.converter_version),
        ));
    }
    text
}
