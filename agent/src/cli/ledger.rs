//! `wats-agent ledger`: verify it, export it, find a serial number in it. Reads the database, with or without an agent.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::pin::pin;

use clap::Subcommand;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::json;

use crate::config::Settings;
use crate::control::api::LedgerFormat;
use crate::ledger::export::write;
use crate::ledger::{Event, Lost, Record, Sound};
use crate::store::{Ledger, LedgerError};

/// What can be done with the ledger.
#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Compute every hash again and say whether a record was changed or is missing.
    Verify {
        /// The last hash of an earlier check: it must still be there.
        #[arg(long, value_name = "HASH")]
        noted: Option<String>,
    },
    /// Print the records of a time.
    Export {
        /// The first moment, like 2026-01-31T00:00:00Z.
        #[arg(long, value_name = "TIME", default_value_t = Timestamp::UNIX_EPOCH)]
        from: Timestamp,
        /// The moment after the last.
        #[arg(long, value_name = "TIME", default_value_t = Timestamp::MAX)]
        to: Timestamp,
        /// The form of the records; with --json JSON.
        #[arg(long, value_enum, default_value_t = LedgerFormat::Csv)]
        format: LedgerFormat,
    },
    /// Say which files a serial number came from and whether the server has it.
    Find { serial_number: String },
}

/// Does what was asked for.
pub(super) async fn run(settings: &Settings, command: &LedgerCommand, json: bool) -> anyhow::Result<()> {
    let ledger = Ledger::open(&settings.database()).await?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = match command {
        LedgerCommand::Verify { noted } => verify(&ledger, noted.clone(), json, &mut out).await,
        LedgerCommand::Export { from, to, format } => {
            let format = if json { LedgerFormat::Json } else { *format };
            export(&ledger, *from, *to, format, &mut out).await
        }
        LedgerCommand::Find { serial_number } => find(&ledger, serial_number, json, &mut out).await,
    };
    match done.and_then(|()| Ok(out.flush()?)) {
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
    let verified = ledger.verify(noted).await.map_err(|error| match error {
        LedgerError::Flaw(flaw) => anyhow::Error::from(flaw).context("the ledger is not as it was written"),
        error => error.into(),
    });
    let sound = verified?;
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
    format: LedgerFormat,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut records = pin!(ledger.records(from, to));
    let mut is_first = true;
    while let Some(record) = records.next().await {
        write(format, is_first, &record?, &mut *out)?;
        is_first = false;
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
            Event::Corrected => format!("corrected by a person, waiting to be sent since {}", last.at),
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
