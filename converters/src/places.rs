//! Where the steps of a report stand in the file that it came from.
//!
//! Converters do not note places: that would cost every file for the few whose report a server refuses. So the names
//! of all steps, in the order of the reports, are looked for in the text, and of all the ways to find them one after the
//! other the best is taken. A step that could stand in two places as well as in one is not found: nothing is said
//! rather than something wrong.

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use wats::report::Step;

use crate::kit::text;

/// A larger file is not looked through.
const LARGEST: usize = 16 << 20;
/// Nor one in which names stand so often: no order tells them apart.
const MOST_HITS: usize = 200_000;
/// In a longer line, as of JSON without line feeds, several steps may stand.
const LONG_LINE: usize = 4096;
/// So much of a line is shown.
const SHOWN: usize = 200;

/// What is known of a step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sought {
    pub name: String,
    /// What was measured, where it tells this step from others of its name.
    pub numbers: Vec<f64>,
    pub texts: Vec<String>,
}

impl From<&Step> for Sought {
    fn from(step: &Step) -> Self {
        Self {
            name: step.name.to_string(),
            numbers: step.numeric_meas.iter().map(|it| it.value.get()).collect(),
            texts: step
                .string_meas
                .iter()
                .filter_map(|it| it.value.as_deref())
                .map(ToOwned::to_owned)
                .collect(),
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Both count from 1; the column in characters.
    pub line: usize,
    pub column: usize,
    /// The line, cut around the step when it is long.
    pub text: String,
}

/// A name that stands in the text.
struct Hit {
    step: usize,
    at: usize,
    weight: usize,
}

/// Finds each of the steps, given in their order, or `None` where its place is not certain.
pub fn find(bytes: &[u8], steps: &[Sought]) -> Vec<Option<Spot>> {
    let nowhere = vec![None; steps.len()];
    if bytes.len() > LARGEST {
        return nowhere;
    }
    let Ok(text) = text::decode(bytes) else { return nowhere };
    let lines = Lines::of(&text);
    let Some(hits) = hits(&text, &lines, steps) else { return nowhere };
    let mut found = nowhere;
    for hit in certain(&hits) {
        if let Some(place) = found.get_mut(hit.step) {
            *place = Some(lines.spot(hit.at));
        }
    }
    found
}

/// A name as text, as JSON and as XML write it.
fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    let json = serde_json::to_string(name).unwrap_or_default();
    all.push(json.trim_matches('"').to_owned());
    let xml = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    all.push(xml.replace('"', "&quot;"));
    all.push(xml);
    all.sort();
    all.dedup();
    all
}

/// All places of all names in the order of the steps; `None` when there are too many.
fn hits(text: &str, lines: &Lines<'_>, steps: &[Sought]) -> Option<Vec<Hit>> {
    let mut named: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (number, step) in steps.iter().enumerate().filter(|(_, step)| !step.name.trim().is_empty()) {
        for spelling in spellings(&step.name) {
            named.entry(spelling).or_default().push(number);
        }
    }
    let names: Vec<(&String, &Vec<usize>)> = named.iter().collect();
    let searcher = AhoCorasick::new(names.iter().map(|(name, _)| name.as_str())).ok()?;
    // By step and line: in a line of usual length a step is one thing, however often it is named there.
    let mut hits: BTreeMap<(usize, usize), Hit> = BTreeMap::new();
    for found in searcher.find_overlapping_iter(text) {
        let Some(edges) = edges(text, found.start(), found.end()) else { continue };
        let (number, line) = lines.line_at(found.start());
        let long = line.len() > LONG_LINE;
        let numbers = if long { Vec::new() } else { numbers(line) };
        for &step in names.get(found.pattern().as_usize()).map_or(&[][..], |(_, steps)| steps) {
            let sought = steps.get(step)?;
            let told = !long
                && (sought.numbers.iter().any(|it| numbers.contains(it))
                    || sought.texts.iter().any(|it| !it.trim().is_empty() && line.contains(it.as_str())));
            let hit = Hit { step, at: found.start(), weight: 2 + usize::from(edges) + usize::from(told) };
            let key = (step, if long { found.start() } else { lines.start_of(number) });
            match hits.get(&key) {
                Some(known) if known.weight >= hit.weight => {}
                _ => {
                    hits.insert(key, hit);
                }
            }
            if hits.len() > MOST_HITS {
                return None;
            }
        }
    }
    Some(hits.into_values().collect())
}

/// Whether a name has something that separates on both sides, like a tab or a quote; `None` where it is part of a
/// longer word.
fn edges(text: &str, start: usize, end: usize) -> Option<bool> {
    let before = text.get(..start)?.chars().next_back();
    let after = text.get(end..)?.chars().next();
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if is_word(before) || is_word(after) {
        return None;
    }
    let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_control() || ";,|\"'<>=".contains(c));
    Some(is_edge(before) && is_edge(after))
}

fn numbers(line: &str) -> Vec<f64> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || ".+-".contains(c)));
    words
        .filter(|word| word.contains(|c: char| c.is_ascii_digit()))
        .filter_map(|word| word.parse().ok())
        .collect()
}

/// The hits through which every best way goes, in which steps and places both go forward.
fn certain(hits: &[Hit]) -> Vec<&Hit> {
    let mut places: Vec<usize> = hits.iter().map(|hit| hit.at).collect();
    places.sort_unstable();
    places.dedup();
    let rank = |hit: &Hit| places.partition_point(|place| *place < hit.at);
    // The best way that ends with each hit, and the best that begins with it.
    let ends = best_ends(hits.iter(), places.len(), rank);
    let mut begins = best_ends(hits.iter().rev(), places.len(), |hit| places.len() - 1 - rank(hit));
    begins.reverse();
    let best = ends.iter().copied().max().unwrap_or(0);
    let on_best = || {
        hits.iter()
            .zip(&ends)
            .zip(&begins)
            .filter(move |((hit, end), begin)| **end + **begin - hit.weight == best)
    };
    // Each best way covers every point of the score once: where only one hit does, all go through it.
    let mut changes = vec![0_i64; best + 1];
    for ((hit, end), _) in on_best() {
        for (at, change) in [(end - hit.weight, 1), (*end, -1)] {
            if let Some(place) = changes.get_mut(at) {
                *place += change;
            }
        }
    }
    let mut cover = 0;
    let covers: Vec<i64> = changes
        .into_iter()
        .map(|change| {
            cover += change;
            cover
        })
        .collect();
    let alone =
        |from: usize, to: usize| covers.get(from..to).is_some_and(|all| all.iter().all(|it| *it == 1));
    on_best().filter(|((hit, end), _)| alone(**end - hit.weight, **end)).map(|((hit, _), _)| hit).collect()
}

/// For each hit, in their order, the weight of the heaviest way that ends with it.
fn best_ends<'h>(
    hits: impl Iterator<Item = &'h Hit>,
    places: usize,
    rank: impl Fn(&Hit) -> usize,
) -> Vec<usize> {
    let mut tree = HighestBefore(vec![0; places + 1]);
    let (mut ends, mut step, mut waiting) = (Vec::new(), None, Vec::new());
    for hit in hits {
        // Those of one step do not follow each other.
        if step != Some(hit.step) {
            step = Some(hit.step);
            for (rank, end) in waiting.drain(..) {
                tree.put(rank, end);
            }
        }
        let end = tree.before(rank(hit)) + hit.weight;
        waiting.push((rank(hit), end));
        ends.push(end);
    }
    ends
}

/// Answers with the highest value at any lower rank, in steps that double.
struct HighestBefore(Vec<usize>);

impl HighestBefore {
    fn before(&self, rank: usize) -> usize {
        let (mut at, mut highest) = (rank, 0);
        while at > 0 {
            highest = highest.max(self.0.get(at).copied().unwrap_or(0));
            at &= at - 1;
        }
        highest
    }

    fn put(&mut self, rank: usize, value: usize) {
        let mut at = rank + 1;
        while let Some(place) = self.0.get_mut(at) {
            *place = value.max(*place);
            at += at & at.wrapping_neg();
        }
    }
}

/// The lines of a text, by where they begin.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let after = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(after).collect() }
    }

    /// The number of a line, from 0, and the line.
    fn line_at(&self, at: usize) -> (usize, &'t str) {
        let number = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let end = self.starts.get(number + 1).copied().unwrap_or(self.text.len());
        (number, self.text.get(self.start_of(number)..end).unwrap_or_default().trim_end_matches(['\n', '\r']))
    }

    fn start_of(&self, number: usize) -> usize {
        self.starts.get(number).copied().unwrap_or(0)
    }

    fn spot(&self, at: usize) -> Spot {
        let (number, line) = self.line_at(at);
        let before = self.text.get(self.start_of(number)..at).unwrap_or_default().chars().count();
        // A little of what stands before, so that the reader sees where she is.
        let first = if line.chars().count() > SHOWN { before.saturating_sub(SHOWN / 4) } else { 0 };
        let shown: String = line.chars().skip(first).take(SHOWN).collect();
        let shown: String = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        Spot { line: number + 1, column: before + 1, text: shown.trim().to_owned() }
    }
}

#[cfg(test)]
mod tests;
