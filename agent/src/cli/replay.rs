//! `wats-agent replay`: converts archived files again, part by part, and says what changes.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::Serialize;

use super::client;
use super::print::{print, show};
use crate::config::Settings;
use crate::control::api::{Change, FileReplay, ReplayOutcome, ReplayRequest};

/// How often it is said how far it is, where nobody watches a line change.
const SAY: Duration = Duration::from_secs(30);

/// What `replay` is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files that this converter has converted.
    #[arg(long, value_name = "NAME")]
    converter: String,
    /// Files received since then: a date like 2026-01-31, or a moment like 2026-01-31T08:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Moment,
    /// Files received until then, a whole day included; without it, until now.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Moment>,
    /// Only show what would change; nothing is stored or sent.
    #[arg(long)]
    dry_run: bool,
}

/// A point in time, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Exact(Timestamp),
    /// A day of the station's calendar.
    Day(Date),
}

fn moment(text: &str) -> Result<Moment, String> {
    let wrong = || "write a date like 2026-01-31, or a moment like 2026-01-31T08:00:00+01:00".to_owned();
    // Longer texts also read as a date, without their time.
    if text.len() == "2026-01-31".len() {
        return text.parse().map(Moment::Day).map_err(|_| wrong());
    }
    text.parse().map(Moment::Exact).map_err(|_| wrong())
}

impl Moment {
    fn begins(self, zone: &TimeZone) -> anyhow::Result<Timestamp> {
        match self {
            Self::Exact(at) => Ok(at),
            Self::Day(day) => Ok(day
                .at(0, 0, 0, 0)
                .to_zoned_datetime(zone.clone())
                .context("reading the date")?
                .timestamp()),
        }
    }

    fn ends(self, zone: &TimeZone) -> anyhow::Result<Timestamp> {
        match self {
            Self::Exact(at) => Ok(at),
            Self::Day(day) => Self::Day(day.checked_add(1.day()).context("reading the date")?).begins(zone),
        }
    }
}

/// What became of all files.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Totals {
    files: u64,
    equal: u64,
    changed: u64,
    new: u64,
    gone: u64,
    /// Files that the converter refuses now.
    failed: u64,
    missing: u64,
    damaged: u64,
    unreadable: u64,
}

#[derive(Debug, Serialize)]
struct Answer {
    dry_run: bool,
    totals: Totals,
    files: Vec<FileReplay>,
}

/// Converts all files of the time again.
pub(super) async fn run(settings: &Settings, args: &Args, json: bool) -> anyhow::Result<()> {
    let zone = &settings.config.station.time_zone;
    let zone = TimeZone::get(zone).with_context(|| format!("looking up the time zone {zone}"))?;
    let mut wish = ReplayRequest {
        converter: args.converter.clone(),
        from: args.from.begins(&zone)?,
        to: args.to.map_or_else(|| Ok(Timestamp::now()), |to| to.ends(&zone))?,
        dry_run: args.dry_run,
        after: None,
    };
    let client = client(settings)?;
    let mut answer = Answer { dry_run: args.dry_run, totals: Totals::default(), files: Vec::new() };
    let mut progress = Progress::default();
    loop {
        let part = client.replay(&wish).await?;
        for file in part.files {
            answer.totals.count(&file);
            if json {
                answer.files.push(file);
            } else {
                let words = describe(&file);
                if !words.is_empty() {
                    progress.clear();
                    print(&words)?;
                }
            }
        }
        progress.say(answer.totals.files, part.left);
        wish.after = part.next;
        if wish.after.is_none() {
            break;
        }
    }
    progress.clear();
    show(json, &answer, |answer| answer.totals.describe(args.dry_run))
}

impl Totals {
    fn count(&mut self, file: &FileReplay) {
        self.files += 1;
        match &file.outcome {
            ReplayOutcome::Converted { reports } => {
                for report in reports {
                    *match report.change {
                        Change::Equal => &mut self.equal,
                        Change::Changed { .. } => &mut self.changed,
                        Change::New => &mut self.new,
                        Change::Gone => &mut self.gone,
                    } += 1;
                }
            }
            ReplayOutcome::Failed { .. } => self.failed += 1,
            ReplayOutcome::Missing => self.missing += 1,
            ReplayOutcome::Damaged => self.damaged += 1,
            ReplayOutcome::Unreadable { .. } => self.unreadable += 1,
        }
    }

    fn describe(&self, dry_run: bool) -> String {
        if self.files == 0 {
            return "in this time the converter has converted no file that is still known\n".to_owned();
        }
        let mut text = format!(
            "{} files: {} reports equal, {} changed, {} new, {} gone\n",
            self.files, self.equal, self.changed, self.new, self.gone
        );
        for (count, words) in [
            (self.failed, "are refused by the converter now; what they gave before stays"),
            (self.missing, "are not there any more; what they gave before stays"),
            (self.damaged, "are not what was converted: their checksum is another"),
            (self.unreadable, "could not be read"),
        ] {
            if count > 0 {
                text += &format!("{count} files {words}\n");
            }
        }
        let send = self.changed + self.new;
        text += &match (dry_run, send) {
            (true, 0) => "nothing would be sent\n".to_owned(),
            (true, _) => format!("{send} reports would be sent; run it without --dry-run to do so\n"),
            (false, 0) => "nothing is sent\n".to_owned(),
            (false, _) => format!("{send} reports wait to be sent, behind all others\n"),
        };
        text
    }
}

/// A file with what changes; empty when nothing does.
fn describe(file: &FileReplay) -> String {
    let head = format!("{} (file {} of source {}, {})", file.name, file.id, file.source, file.received_at);
    let reports = match &file.outcome {
        ReplayOutcome::Converted { reports } => reports,
        ReplayOutcome::Failed { error } => {
            return format!("{head}: refused now: {}\n", error.replace('\n', "\n    "));
        }
        ReplayOutcome::Missing => return format!("{head}: not there any more\n"),
        ReplayOutcome::Damaged => {
            return format!("{head}: not what was converted, its checksum is another\n");
        }
        ReplayOutcome::Unreadable { error } => return format!("{head}: could not be read: {error}\n"),
    };
    let mut text = String::new();
    for report in reports {
        let serial = &report.serial_number;
        match &report.change {
            Change::Equal => {}
            Change::New => text += &format!("  new      {} {serial}\n", report.id),
            Change::Gone => text += &format!("  gone     {} {serial}: it stays on the server\n", report.id),
            Change::Changed { differences, more } => {
                text += &format!("  changed  {} {serial}\n", report.id);
                text.extend(differences.iter().map(|difference| format!("    {difference}\n")));
                if *more > 0 {
                    text += &format!("    and {more} more differences\n");
                }
            }
        }
    }
    if text.is_empty() { text } else { format!("{head}\n{text}") }
}

/// How far it is, on standard error.
#[derive(Debug, Default)]
struct Progress {
    line: bool,
    said: Option<Instant>,
}

impl Progress {
    fn say(&mut self, done: u64, left: u64) {
        let total = done + left;
        let mut out = std::io::stderr().lock();
        let written = if out.is_terminal() {
            self.line = true;
            write!(out, "\r\x1b[K{done} of {total} files").and_then(|()| out.flush())
        } else if left > 0 && self.said.is_none_or(|said| said.elapsed() >= SAY) {
            self.said = Some(Instant::now());
            writeln!(out, "{done} of {total} files")
        } else {
            Ok(())
        };
        // Who does not listen does not miss it.
        written.ok();
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.line) {
            write!(std::io::stderr().lock(), "\r\x1b[K").ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_stations_and_counts_as_a_whole() {
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        let day = moment("2026-03-29").unwrap();
        assert_eq!(day.begins(&zone).unwrap().to_string(), "2026-03-28T23:00:00Z");
        assert_eq!(day.ends(&zone).unwrap().to_string(), "2026-03-29T22:00:00Z", "a day of 23 hours");
        let exact = moment("2026-01-31T08:00:00+01:00").unwrap();
        assert_eq!(exact.ends(&zone).unwrap().to_string(), "2026-01-31T07:00:00Z");
        for wrong in ["", "yesterday", "2026-02-30", "2026-01-31T08:00:00", "31.01.2026"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
