//! One part, from its PIR to its PRR, and the report that it becomes.

use std::collections::HashMap;
use std::rc::Rc;

use uuid::Uuid;
use wats::report::{Double, MiscInfo, Report, Status, Step, Uut};

use super::fields::{self, Fields, Short};
use super::lot::{Behind, Lot, add};
use super::measure::Tested;
use crate::kit::{build, header};
use crate::{Arguments, ConvertError, Input};

/// As many bytes of records are gathered before the id takes them in.
const MOST_RECORDS: usize = 1 << 16;

/// Room for as many steps is made before there are any.
const MOST_EXPECTED: usize = 1000;

/// A part that is being tested.
pub(super) struct Part {
    /// Of lot, site and number, and of the records so far, so that the same part gets the same id from a file that is
    /// complete as from one that was not.
    id: Uuid,
    /// Records that the id has not taken in yet: many in one go cost half as much as each alone.
    records: Vec<u8>,
    site: u8,
    /// Which part of the file it is, from 1.
    number: usize,
    /// The first is the root, the others are below it or below one another.
    sequences: Vec<Sequence>,
    /// How many steps they may get.
    expected: Rc<Sizes>,
    pub(super) tests: usize,
}

#[derive(Default)]
struct Sequence {
    name: String,
    /// The one that it is in, and its place there, at which a step without a name stands until it is closed.
    place: (usize, usize),
    steps: Vec<Step>,
    below: HashMap<String, usize>,
}

/// How many steps the sequences of a part have, in the order in which they began: most parts of a lot are alike.
pub(super) type Sizes = Vec<usize>;

impl Part {
    /// `lot` identifies the lot, and `number` the part in the file; `expected` are the sizes of a part before.
    pub(super) fn new(lot: Uuid, site: u8, number: usize, expected: Rc<Sizes>) -> Self {
        let id = Uuid::new_v5(&lot, format!("{site} {number}").as_bytes());
        let mut part =
            Self { id, records: Vec::new(), site, number, sequences: Vec::new(), expected, tests: 0 };
        part.open(Sequence::default());
        part
    }

    /// Begins a sequence, with room for its steps.
    fn open(&mut self, mut sequence: Sequence) {
        let expected = self.expected.get(self.sequences.len()).copied().unwrap_or_default();
        sequence.steps.reserve_exact(expected.min(MOST_EXPECTED));
        self.sequences.push(sequence);
    }

    /// What a part after this one may expect: as much as it or any before had.
    pub(super) fn sizes(&self) -> Rc<Sizes> {
        let own = |at: usize| self.sequences.get(at).map_or(0, |sequence| sequence.steps.len());
        let expected = |at: usize| self.expected.get(at).copied().unwrap_or_default();
        if (0..self.sequences.len()).all(|at| own(at) <= expected(at)) {
            return self.expected.clone();
        }
        let count = self.sequences.len().max(self.expected.len());
        Rc::new((0..count).map(|at| own(at).max(expected(at))).collect())
    }

    /// Adds a test; `section` is the program section that runs.
    pub(super) fn add(&mut self, section: Option<&Rc<str>>, tested: Tested) {
        self.tests += 1;
        let mut at = 0;
        for name in section.map(|it| &**it).into_iter().chain(tested.group()) {
            at = self.sequence(at, name);
        }
        self.push(at, tested.step());
    }

    /// Takes a record of the part into its id.
    pub(super) fn identify(&mut self, record: &[u8]) {
        self.records.extend_from_slice(record);
        if self.records.len() > MOST_RECORDS {
            self.id();
        }
    }

    fn id(&mut self) -> Uuid {
        self.id = Uuid::new_v5(&self.id, &self.records);
        self.records.clear();
        self.id
    }

    /// Adds what is no test.
    pub(super) fn note(&mut self, step: Step) {
        self.push(0, step);
    }

    fn push(&mut self, at: usize, step: Step) {
        if let Some(sequence) = self.sequences.get_mut(at) {
            sequence.steps.push(step);
        }
    }

    /// The sequence of that name below another.
    fn sequence(&mut self, at: usize, name: &str) -> usize {
        let new = self.sequences.len();
        let Some(parent) = self.sequences.get_mut(at) else { return at };
        if let Some(known) = parent.below.get(name) {
            return *known;
        }
        parent.below.insert(name.to_owned(), new);
        let place = (at, parent.steps.len());
        parent.steps.push(Step::new("", "", Status::Passed));
        self.open(Sequence { name: name.to_owned(), place, ..Sequence::default() });
        new
    }

    /// The steps of the root.
    fn steps(mut self) -> Vec<Step> {
        // A sequence comes behind the one that it is in: the last can be closed first.
        while let Some(Sequence { name, place: (parent, at), steps, .. }) = self.sequences.pop() {
            match self.sequences.get_mut(parent).and_then(|parent| parent.steps.get_mut(at)) {
                Some(place) => *place = build::sequence(&name, &name, "1.0.0", steps),
                None => return steps,
            }
        }
        Vec::new()
    }
}

/// What a PRR record says.
pub(super) struct Verdict {
    pub(super) head: u8,
    pub(super) site: u8,
    flags: u8,
    tests: Option<u16>,
    hard_bin: Option<u16>,
    soft_bin: Option<u16>,
    place: Option<(i16, i16)>,
    milliseconds: u32,
    pub(super) id: String,
    text: String,
    fix: String,
}

impl Verdict {
    pub(super) fn read(mut fields: Fields<'_>) -> Result<Self, Short> {
        let (head, site) = (fields.u1()?.unwrap_or(1), fields.u1()?.unwrap_or_default());
        let (flags, tests) = (fields.u1()?.unwrap_or_default(), fields.u2()?);
        let bins = [fields.u2()?, fields.u2()?].map(|bin| bin.filter(|bin| *bin != u16::MAX));
        let place = [fields.i2()?, fields.i2()?].map(|it| it.filter(|it| *it != i16::MIN));
        Ok(Self {
            head,
            site,
            flags,
            tests,
            hard_bin: bins[0],
            soft_bin: bins[1],
            place: place[0].zip(place[1]),
            milliseconds: fields.u4()?.unwrap_or_default(),
            id: fields.cn()?,
            text: fields.cn()?,
            fix: fields::hexadecimal(fields.bn()?),
        })
    }

    fn result(&self) -> Status {
        let is = |bit: u8| self.flags >> bit & 1 == 1;
        match () {
            () if is(2) => Status::Terminated,
            () if is(4) => Status::Error,
            () if is(3) => Status::Failed,
            () => Status::Passed,
        }
    }

    fn infos(&self, wafer: &str, behind: &Behind, infos: &mut Vec<MiscInfo>) {
        let text = |number: Option<u16>| number.map(|it| it.to_string()).unwrap_or_default();
        let named = |bin: Option<u16>, names: &HashMap<u16, String>| {
            bin.and_then(|bin| names.get(&bin)).cloned().unwrap_or_default()
        };
        add(infos, "HardBin", text(self.hard_bin));
        add(infos, "HardBinName", named(self.hard_bin, &behind.hard_bins));
        add(infos, "SoftBin", text(self.soft_bin));
        add(infos, "SoftBinName", named(self.soft_bin, &behind.soft_bins));
        add(infos, "WaferId", wafer);
        if let Some((x, y)) = self.place {
            add(infos, "XCoordinate", x.to_string());
            add(infos, "YCoordinate", y.to_string());
        }
        add(infos, "PartId", &self.id);
        add(infos, "PartText", &self.text);
        add(infos, "PartFix", &self.fix);
        add(infos, "Head", self.head.to_string());
        add(infos, "Site", self.site.to_string());
        add(infos, "TestCount", text(self.tests));
        let retest = match self.flags & 3 {
            0 => "",
            1 => "same part id as before",
            2 => "same coordinates as before",
            _ => "same part id and coordinates as before",
        };
        add(infos, "Retest", retest);
    }
}

/// What a report takes from around its part.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) lot: &'a Lot,
    pub(super) behind: &'a Behind,
    pub(super) wafer: &'a str,
    pub(super) file: &'a [MiscInfo],
    pub(super) equipment: &'a [MiscInfo],
}

/// The report of a part.
///
/// # Errors
/// When neither the file nor an argument has the part number.
pub(super) fn report(
    mut part: Part,
    verdict: &Verdict,
    around: Around<'_>,
    input: &Input,
    arguments: &Arguments,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let lot = around.lot;
    let or = |text: &str, argument: &str| {
        if text.is_empty() { arguments.text(argument).to_owned() } else { text.to_owned() }
    };
    let serial = serial(arguments.text("serialNumber"), lot, verdict, around.wafer, part.number);
    let mut report =
        Report::without_root(or(&lot.part_type, "partNumber"), serial, or(&lot.revision, "partRevision"));
    report.id = Some(part.id());
    report.process_code = arguments.process_code("operationTypeCode").map(i32::from);
    report.machine_name = lot.node.as_str().into();
    report.start.clone_from(&lot.start);
    report.result = verdict.result();
    report.uut = Some(Uut {
        user: Some(or(&lot.operator, "operator").into()),
        exec_time: (verdict.milliseconds > 0).then(|| Double::new(f64::from(verdict.milliseconds) / 1000.0)),
        test_socket_index: Some(part.site.into()),
        batch_sn: Some(lot.id.clone()).filter(|id| !id.is_empty()).map(Into::into),
        ..Uut::default()
    });
    let of_lot = [around.file, around.equipment, &lot.infos, &around.behind.infos];
    // Of those of a part there are 14.
    let mut infos = Vec::with_capacity(of_lot.iter().map(|infos| infos.len()).sum::<usize>() + 14);
    of_lot.iter().for_each(|of_lot| infos.extend_from_slice(of_lot));
    verdict.infos(around.wafer, around.behind, &mut infos);
    report.misc_infos = infos;
    let name = if lot.job.is_empty() { "MainSequence" } else { &lot.job };
    let version = if lot.job_revision.is_empty() { "1.0.0" } else { &lot.job_revision };
    let mut root = build::sequence(name, name, version, part.steps());
    // The tester's verdict counts, whatever its tests say.
    root.status = report.result;
    report.root = Some(root);
    header::complete(&mut report, input, warnings)?;
    Ok(report)
}

/// What identifies the part, by the argument, and by what there is.
fn serial(rule: &str, lot: &Lot, verdict: &Verdict, wafer: &str, number: usize) -> String {
    let running = || match lot.serial.as_str() {
        "" => format!("{}.{}#WF{number}", lot.id, lot.part_type),
        serial => serial.to_owned(),
    };
    let id = || Some(verdict.id.clone()).filter(|id| !id.is_empty());
    let place = || verdict.place.filter(|_| !wafer.is_empty()).map(|(x, y)| format!("{wafer}.{x}.{y}"));
    match rule {
        "WaferCoordinates" => place().or_else(id),
        "Running" => None,
        _ => id().or_else(place),
    }
    .unwrap_or_else(running)
}
