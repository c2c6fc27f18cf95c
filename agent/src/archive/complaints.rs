//! What the server said about a refused report, with the lines of its source file.
//!
//! It is looked up when a person asks, in the file as it lies in the archive: files whose reports are taken cost nothing.

use std::collections::HashMap;

use wats::Report;
use wats::report::Step;
use wats::validate::blamed;
use wats_converters::places::{self, Sought, Spot};

use super::read::{Reading, read};
use super::replay::unit;
use crate::Agent;
use crate::control::api::{Complaint, ReportDetail, SourceLine};
use crate::store::StoreError;

/// So many lines of an answer are looked at.
const LINES: usize = 500;
/// A file is looked through only with all its reports, and with no more than these.
const REPORTS: usize = 200;
/// A larger file is not looked through.
const LARGEST: u64 = 16 << 20;

/// Each line of the server's answer, with its place in the source where that is certain.
///
/// # Errors
/// When the database does not answer.
pub async fn complaints(agent: &Agent, detail: &ReportDetail) -> Result<Vec<Complaint>, StoreError> {
    let Some(answer) = &detail.server_answer else { return Ok(Vec::new()) };
    let lines: Vec<String> =
        answer.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let lines = lines.into_iter().take(LINES).collect::<Vec<_>>();
    let unplaced = |words: String| Complaint { words, source: None };
    // Without a step there is no place.
    if !lines.iter().any(|line| line.starts_with("root -> ")) {
        return Ok(lines.into_iter().map(unplaced).collect());
    }
    let Some((bytes, reports, own)) = source(agent, detail).await? else {
        return Ok(lines.into_iter().map(unplaced).collect());
    };
    let words = lines.clone();
    let placed = tokio::task::spawn_blocking(move || place(&bytes, &reports, own, lines)).await;
    // A search that failed is a place that is not known.
    Ok(placed.unwrap_or_else(|_| words.into_iter().map(unplaced).collect()))
}

/// The file, all reports of it, and which of them is meant; `None` where they do not all come from one readable file.
async fn source(
    agent: &Agent,
    detail: &ReportDetail,
) -> Result<Option<(Vec<u8>, Vec<Report>, usize)>, StoreError> {
    let store = agent.store();
    let file = store.archived_file(detail.record.file_id).await?;
    let Some(file) = file.filter(|file| file.size_bytes <= LARGEST) else { return Ok(None) };
    let ids = store.reports_of(file.id).await?;
    if ids.len() > REPORTS {
        return Ok(None);
    }
    let (mut reports, mut own) = (Vec::with_capacity(ids.len()), None);
    for (id, _) in ids {
        let Some(other) = store.report(id).await? else { return Ok(None) };
        let Ok(report) = serde_json::from_value(other.body) else { return Ok(None) };
        if id == detail.record.id {
            own = Some(reports.len());
        }
        reports.push(report);
    }
    let Some(own) = own else { return Ok(None) };
    match read(&file, unit(&agent.settings(), &file)).await {
        Reading::Whole { bytes, .. } => Ok(Some((bytes, reports, own))),
        Reading::Missing | Reading::Damaged | Reading::Failed(_) => Ok(None),
    }
}

fn place(bytes: &[u8], reports: &[Report], own: usize, lines: Vec<String>) -> Vec<Complaint> {
    let steps: Vec<&Step> = reports.iter().flat_map(|it| it.root.iter().flat_map(Step::walk)).collect();
    let sought: Vec<Sought> = steps.iter().map(|step| Sought::from(*step)).collect();
    let spots: HashMap<*const Step, Spot> = steps
        .iter()
        .zip(places::find(bytes, &sought))
        .filter_map(|(step, spot)| Some((std::ptr::from_ref(*step), spot?)))
        .collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for line in &lines {
        *counts.entry(line).or_default() += 1;
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let sources: Vec<Option<SourceLine>> = lines
        .iter()
        .map(|line| {
            let steps = reports.get(own).map_or_else(Vec::new, |report| blamed(report, line));
            let nth = seen.entry(line).or_default();
            // Several steps of one name, each with the same complaint: they come in their order.
            let step = match steps.as_slice() {
                [only] => Some(*only),
                several if counts.get(line.as_str()) == Some(&several.len()) => several.get(*nth).copied(),
                _ => None,
            };
            *nth += 1;
            spots.get(&std::ptr::from_ref(step?)).map(source_line)
        })
        .collect();
    lines.into_iter().zip(sources).map(|(words, source)| Complaint { words, source }).collect()
}

fn source_line(spot: &Spot) -> SourceLine {
    SourceLine {
        line: u64::try_from(spot.line).unwrap_or(u64::MAX),
        column: u64::try_from(spot.column).unwrap_or(u64::MAX),
        text: spot.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "head\nR1;1\nR2;2\nhead\nR1;3\nR1;4\nR2;5\n";

    fn report(steps: &[(&str, f64)]) -> Report {
        let mut report = Report::uut("p", "s", "r");
        let steps: Vec<String> = steps
            .iter()
            .map(|(name, value)| {
                format!(
                    r#"{{"name":{name:?},"status":"P","numericMeas":[{{"compOp":"LOG","status":"P","value":{value}}}]}}"#
                )
            })
            .collect();
        let root = format!(r#"{{"name":"Main","status":"P","seqCall":{{}},"steps":[{}]}}"#, steps.join(","));
        report.root = Some(serde_json::from_str(&root).unwrap());
        report
    }

    #[track_caller]
    fn check(own: usize, lines: &[&str], expected: &[Option<u64>]) {
        let reports = [report(&[("R1", 1.0), ("R2", 2.0)]), report(&[("R1", 3.0), ("R1", 4.0), ("R2", 5.0)])];
        let lines = lines.iter().map(|it| (*it).to_owned()).collect();
        let found = place(FILE.as_bytes(), &reports, own, lines);
        assert_eq!(found.iter().map(|it| it.source.as_ref().map(|it| it.line)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_report_of_a_file_has_its_own_lines() {
        check(0, &["root -> step R2: wrong."], &[Some(3)]);
        check(1, &["root -> step R2 -> numericMeas : wrong.", "sn: wrong."], &[Some(7), None]);
    }

    #[test]
    fn of_steps_with_one_name_nothing_is_said_unless_each_has_its_complaint() {
        check(1, &["root -> step R1: wrong."], &[None]);
        check(1, &["root -> step R1: wrong.", "root -> step R1: wrong."], &[Some(5), Some(6)]);
        check(1, &["root -> step R1: wrong.", "root -> step R1: other."], &[None, None]);
    }
}
