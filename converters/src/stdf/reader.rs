//! What is open while the records go by, and the report of each part at its end.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use uuid::Uuid;
use wats::report::{MiscInfo, Report, Status, Step};

use super::fields::{Fields, Short};
use super::lot::{self, Behind, Equipment, Lot, Survey};
use super::measure::{Pins, Tested, Tests};
use super::part::{self, Around, Part, Sizes, Verdict};
use super::records::{self, Kind, Records};
use crate::kit::tally::Tally;
use crate::{Arguments, ConvertError, ErrorKind, Input};

/// The namespace of the ids of parts.
const NAMESPACE: Uuid = Uuid::from_u128(0x2d1b_6a57_90e4_4b1e_8f37_5c0c_a4d9_36e1);

/// A part has at most so many tests; genuine ones have thousands.
const MOST_TESTS: usize = 1_000_000;
/// As many texts before a part, or kinds of equipment, are kept.
const MOST_NOTES: usize = 1000;
/// Program sections nest at most this deep.
const MOST_SECTIONS: usize = 8;

/// Goes through the records and knows what is open.
pub(super) struct Reader<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    survey: &'a Survey,
    is_local: bool,
    /// How many FAR records there were.
    lots: usize,
    lot: Option<Lot>,
    lot_id: Uuid,
    /// The same in all reports of the lot.
    file_infos: Vec<MiscInfo>,
    equipment: Vec<Equipment>,
    pins: Pins,
    tests: Tests,
    /// By head.
    wafers: HashMap<u8, String>,
    open: BTreeMap<(u8, u8), Part>,
    /// Of the part that ended last.
    sizes: Rc<Sizes>,
    /// The part that the record before belongs to.
    latest: Option<(u8, u8)>,
    sections: Vec<String>,
    section: Option<Rc<str>>,
    /// Texts before the first or between two parts.
    notes: Vec<Step>,
    /// Parts that began; and those with a report, in the file and in this lot.
    begun: usize,
    done: usize,
    done_in_lot: usize,
    /// How many of them have their number as their id.
    numbered: usize,
    lost: usize,
    unknown: BTreeMap<Kind, usize>,
    tally: Tally,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        input: &'a Input,
        arguments: &'a Arguments,
        survey: &'a Survey,
        is_local: bool,
    ) -> Self {
        Self {
            input,
            arguments,
            survey,
            is_local,
            lots: 0,
            lot: None,
            lot_id: NAMESPACE,
            file_infos: Vec::new(),
            equipment: Vec::new(),
            pins: Pins::new(),
            tests: Tests::default(),
            wafers: HashMap::new(),
            open: BTreeMap::new(),
            sizes: Rc::default(),
            latest: None,
            sections: Vec::new(),
            section: None,
            notes: Vec::new(),
            begun: 0,
            done: 0,
            done_in_lot: 0,
            numbered: 0,
            lost: 0,
            unknown: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    fn behind(&self) -> Option<&'a Behind> {
        self.survey.lots.get(self.lots.checked_sub(1)?)
    }

    /// True for what fills a file up behind its last record.
    pub(super) fn is_padding(&self, kind: Kind) -> bool {
        kind == (0, 0) && self.behind().is_some_and(|it| it.is_whole)
    }

    /// Takes a record; answers with the report of the part that it ends.
    pub(super) fn take(&mut self, kind: Kind, records: &Records<'_>) -> Result<Option<Report>, ConvertError> {
        let short = |short: Short| records.error(kind, short);
        let mut fields = records.fields();
        match kind {
            records::FAR => self.begin_lot(records),
            records::MIR => {
                self.lot_id = Uuid::new_v5(&NAMESPACE, fields.rest());
                let zone = &self.input.station.time_zone;
                self.lot = Some(Lot::read(&mut fields, zone, self.is_local).map_err(short)?);
            }
            records::SDR if self.equipment.len() < MOST_NOTES => {
                self.equipment.push(Equipment::read(&mut fields).map_err(short)?);
            }
            records::PMR => self.pin(fields).map_err(short)?,
            records::WIR => {
                let (head, _, _) = (fields.u1(), fields.u1(), fields.u4());
                let wafer = fields.cn().map_err(short)?;
                self.wafers.insert(head.map_err(short)?.unwrap_or(255), wafer);
            }
            records::WRR => {
                self.wafers.remove(&fields.u1().map_err(short)?.unwrap_or(255));
            }
            records::PIR => {
                let (head, site) = (fields.u1().map_err(short)?, fields.u1().map_err(short)?);
                self.begin((head.unwrap_or(1), site.unwrap_or_default()));
            }
            records::PTR | records::MPR | records::FTR => {
                let tested = self.tested(kind, fields).map_err(short)?;
                self.test(tested, records)?;
            }
            records::STR => {
                let nothing = HashMap::new();
                let names = self.behind().map_or(&nothing, |behind| &behind.tests);
                if let Some(tested) = self.tests.scan(fields, names).map_err(short)? {
                    self.test(tested, records)?;
                }
            }
            records::PRR => {
                let verdict = Verdict::read(fields).map_err(short)?;
                return self.end(&verdict, records).map(Some);
            }
            records::BPS => self.enter(fields.cn().map_err(short)?),
            records::EPS => self.leave(),
            records::DTR => {
                let text = fields.cn().map_err(short)?;
                self.note("Datalog", text);
            }
            records::GDR => {
                let text = generic(fields).map_err(short)?;
                self.note("Generic data", text);
            }
            // Kept by the survey, or named as left out in the manual.
            records::ATR
            | records::MRR
            | records::PCR
            | records::HBR
            | records::SBR
            | records::PGR
            | records::PLR
            | records::RDR
            | records::SDR
            | records::VUR
            | records::PSR
            | records::NMR
            | records::CNR
            | records::SSR
            | records::CDR
            | records::WCR
            | records::TSR => {}
            _ => {
                let known = self.unknown.len();
                if known < MOST_NOTES || self.unknown.contains_key(&kind) {
                    *self.unknown.entry(kind).or_default() += 1;
                }
            }
        }
        Ok(None)
    }

    fn begin_lot(&mut self, records: &Records<'_>) {
        self.close_lot();
        self.lots += 1;
        self.lot = None;
        self.equipment.clear();
        self.pins.clear();
        self.tests = Tests::default();
        self.wafers.clear();
        self.sections.clear();
        self.section = None;
        self.file_infos.clear();
        lot::add(&mut self.file_infos, "CpuType", lot::processor(records.order()));
        lot::add(&mut self.file_infos, "StdfVersion", "4");
    }

    /// What can be said at the end of a lot.
    fn close_lot(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.lost += open.len();
        let Some(behind) = self.behind() else { return };
        if !open.is_empty() && self.survey.cut.is_none() {
            self.tally.add(format!("{} parts began and have no PRR record: they are left out", open.len()));
        }
        if !behind.is_whole && self.survey.cut.is_none() {
            self.tally.add("the lot has no MRR record at its end: perhaps the tester was stopped".to_owned());
        }
        if let Some(parts) = behind.parts.filter(|parts| usize::try_from(*parts) != Ok(self.done_in_lot)) {
            self.tally
                .add(format!("the lot counts {parts} parts (PCR), and {} are in the file", self.done_in_lot));
        }
        self.done_in_lot = 0;
    }

    fn pin(&mut self, mut fields: Fields<'_>) -> Result<(), Short> {
        let (index, _) = (fields.u2()?, fields.u2()?);
        let (channel, physical, logical) = (fields.cn()?, fields.cn()?, fields.cn()?);
        let name = [logical, physical, channel].into_iter().find(|name| !name.is_empty());
        // The sites have the same logical names, each site its own record.
        if let Some((index, name)) = index.zip(name) {
            self.pins.entry(index).or_insert(name);
        }
        Ok(())
    }

    fn begin(&mut self, at: (u8, u8)) {
        if self.open.is_empty() {
            // A part that failed early leaves its program section without the record of its end.
            self.sections.clear();
            self.section = None;
        }
        self.begun += 1;
        let mut part = Part::new(self.lot_id, at.1, self.begun, self.sizes.clone());
        std::mem::take(&mut self.notes).into_iter().for_each(|note| part.note(note));
        if self.open.insert(at, part).is_some() {
            self.lost += 1;
            self.tally.add(format!(
                "a part on head {}, site {} has no PRR record before the next begins: it is left out",
                at.0, at.1
            ));
        }
        self.latest = Some(at);
    }

    fn tested(&mut self, kind: Kind, fields: Fields<'_>) -> Result<Tested, Short> {
        let nothing = HashMap::new();
        let names = self.behind().map_or(&nothing, |behind| &behind.tests);
        match kind {
            records::PTR => self.tests.parametric(fields, names),
            records::MPR => self.tests.multiple(fields, names, &self.pins),
            _ => self.tests.functional(fields, names, &self.pins),
        }
    }

    fn test(&mut self, tested: Tested, records: &Records<'_>) -> Result<(), ConvertError> {
        let at = (tested.head, tested.site);
        if !self.open.contains_key(&at) {
            self.tally.add(format!(
                "a part on head {}, site {} has tests, but no PIR record before them",
                at.0, at.1
            ));
            self.begin(at);
        }
        self.latest = Some(at);
        let Some(part) = self.open.get_mut(&at) else { return Ok(()) };
        if part.tests >= MOST_TESTS {
            return Err(ConvertError::new(
                ErrorKind::TooLarge,
                format!(
                    "the part on head {}, site {} has too many tests, at {}",
                    at.0,
                    at.1,
                    records.place()
                ),
            )
            .expected(format!("at most {MOST_TESTS}")));
        }
        part.identify(records.fields().rest());
        part.add(self.section.as_ref(), tested);
        Ok(())
    }

    fn end(&mut self, verdict: &Verdict, records: &Records<'_>) -> Result<Report, ConvertError> {
        let at = (verdict.head, verdict.site);
        if !self.open.contains_key(&at) {
            self.tally.add(format!("a part on head {}, site {} ends that has no PIR record", at.0, at.1));
            self.begin(at);
        }
        let missing = || {
            ConvertError::new(
                ErrorKind::Missing,
                format!("a part ends before a MIR record, at {}", records.place()),
            )
            .expected("a MIR record, which names lot and part, before the first part")
        };
        let (Some(mut part), Some(lot), Some(behind)) = (self.open.remove(&at), &self.lot, self.behind())
        else {
            return Err(missing());
        };
        part.identify(records.fields().rest());
        self.done += 1;
        self.done_in_lot += 1;
        self.numbered += usize::from(verdict.id.parse() == Ok(self.done));
        let wafer = self.wafers.get(&at.0).or_else(|| self.wafers.get(&255)).map_or("", String::as_str);
        let equipment = self.equipment.iter().find(|it| it.serves(at.0, at.1));
        self.sizes = part.sizes();
        let equipment = equipment.map_or(&[][..], |it| &it.infos);
        let around = Around { lot, behind, wafer, file: &self.file_infos, equipment };
        let mut warnings = Vec::new();
        let report = part::report(part, verdict, around, self.input, self.arguments, &mut warnings).map_err(
            |error| match error.kind {
                ErrorKind::Missing => error.help("Set the argument partNumber of the source."),
                _ => error,
            },
        )?;
        warnings.into_iter().for_each(|warning| self.tally.add(warning));
        Ok(report)
    }

    fn enter(&mut self, name: String) {
        if self.sections.len() < MOST_SECTIONS {
            self.sections.push(if name.is_empty() { "Program section".to_owned() } else { name });
            self.section = Some(self.sections.join(" / ").into());
        }
    }

    fn leave(&mut self) {
        self.sections.pop();
        self.section = if self.sections.is_empty() { None } else { Some(self.sections.join(" / ").into()) };
    }

    /// A text that is no test: to the part that the record before belongs to, else to the only one, else to the next.
    fn note(&mut self, name: &str, text: String) {
        let mut step = Step::new("Action", name, Status::Done);
        step.report_text = Some(text.into());
        let at = self.latest.filter(|at| self.open.contains_key(at));
        let only = if self.open.len() == 1 { self.open.keys().next().copied() } else { None };
        match at.or(only).and_then(|at| self.open.get_mut(&at)) {
            Some(part) if part.tests < MOST_TESTS => {
                part.tests += 1;
                part.note(step);
            }
            _ if self.notes.len() < MOST_NOTES => self.notes.push(step),
            _ => self.tally.add("texts between the parts are left out: there are too many".to_owned()),
        }
    }

    /// The warnings of the file.
    ///
    /// # Errors
    /// When it has no part.
    pub(super) fn finish(mut self) -> Result<Vec<String>, ConvertError> {
        self.close_lot();
        let cut = self.survey.cut.as_deref();
        if self.done == 0 {
            let again = "Perhaps it was still being written or copied; drop the whole file again.";
            return Err(match cut {
                Some(place) => {
                    let problem = format!("the file breaks off in {place}, before a part is complete");
                    ConvertError::new(ErrorKind::NotYet, problem).help(again)
                }
                None if self.behind().is_some_and(|it| !it.is_whole) => {
                    let problem = "the file ends before a part is complete, and has no MRR record at its end";
                    ConvertError::new(ErrorKind::NotYet, problem).help(again)
                }
                None => ConvertError::new(ErrorKind::Missing, "the file holds no part that is complete")
                    .expected("PIR and PRR records"),
            });
        }
        let mut warnings = Vec::new();
        if let Some(place) = cut {
            warnings.push(format!(
                "the file breaks off in {place}: the {} parts before it that are complete were taken, {} that were being tested were \
                 left out, and what came behind is missing. If the whole file is dropped later its reports take the place of these",
                self.done, self.lost
            ));
        }
        for (kind, count) in &self.unknown {
            warnings.push(format!("records of type {}.{} are not known ({count}): skipped", kind.0, kind.1));
        }
        let rest: Vec<&str> =
            self.notes.iter().filter_map(|note| note.report_text.as_deref()).take(3).collect();
        if !rest.is_empty() {
            let shown: String = rest.join(" | ").chars().take(200).collect();
            warnings.push(format!(
                "{} texts behind the last part belong to none and are left out: {shown}",
                self.notes.len()
            ));
        }
        if self.numbered > 1 && self.numbered == self.done && self.arguments.text("serialNumber") == "PartId"
        {
            warnings.push(
                "the part ids are only running numbers, which other lots have as well: set serialNumber to WaferCoordinates \
                 or Running to tell their units apart"
                    .to_owned(),
            );
        }
        warnings.extend(self.tally.warnings("times"));
        Ok(warnings)
    }
}

/// The values of a GDR record.
fn generic(mut fields: Fields<'_>) -> Result<String, Short> {
    let count = fields.u2()?.unwrap_or_default();
    let mut values = Vec::new();
    for _ in 0..count {
        match fields.vn()? {
            Some(value) => values.push(value),
            None => break,
        }
    }
    values.retain(|value| !value.is_empty());
    Ok(values.join(" "))
}
