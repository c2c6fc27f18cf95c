//! What all parts of a lot share: its head, the equipment, and what stands behind the last part.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wats::report::{MiscInfo, Time};

use super::fields::{Fields, Order, Short};
use super::records::{self, HBR, MRR, PCR, Records, SBR, Stop, TSR};
use crate::kit::{self, archive, build};
use crate::{ConvertError, ErrorKind};

/// As many files may have been joined to one.
const MOST_LOTS: usize = 1000;
/// Names of as many tests are kept.
const MOST_NAMES: usize = 100_000;

/// What a first look at the whole file gave: what stands behind the parts and is needed for them.
pub(super) struct Survey {
    /// One for each FAR.
    pub(super) lots: Vec<Behind>,
    /// Where the file breaks off.
    pub(super) cut: Option<String>,
}

/// What stands behind the parts of a lot.
#[derive(Default)]
pub(super) struct Behind {
    pub(super) hard_bins: HashMap<u16, String>,
    pub(super) soft_bins: HashMap<u16, String>,
    /// Names of tests, for records that name none.
    pub(super) tests: HashMap<u32, String>,
    /// How many parts there were, over all sites.
    pub(super) parts: Option<u32>,
    /// True when the lot has its last record.
    pub(super) is_whole: bool,
    pub(super) infos: Vec<MiscInfo>,
}

/// Reads the records that stand behind the parts; `bytes` are those of the file.
///
/// # Errors
/// For a file that is no STDF V4, cannot be unpacked, or has a damaged record of these.
pub(super) fn survey(
    mut records: Records<'_>,
    bytes: &[u8],
    zone: &TimeZone,
    is_local: bool,
) -> Result<Survey, ConvertError> {
    let mut survey = Survey { lots: Vec::new(), cut: None };
    loop {
        let kind = match records.advance() {
            Ok(Some(kind)) => kind,
            Ok(None) => break,
            Err(Stop::Cut) => {
                survey.cut = Some(records.place());
                break;
            }
            Err(Stop::Unusable(error)) => return Err(error),
        };
        let short = |short| records.error(kind, short);
        if kind == records::FAR {
            first(&records, survey.lots.len())?;
            survey.lots.push(Behind::default());
            continue;
        }
        let Some(lot) = survey.lots.last_mut() else { break };
        // Some testers fill the file up to the size of a block.
        if lot.is_whole && kind == (0, 0) {
            break;
        }
        lot.take(kind, records.fields(), zone, is_local).map_err(short)?;
    }
    if survey.lots.is_empty() {
        // A packed file that is cut is so before its first record.
        let is_short = bytes.len() < 6 || (archive::is_gzip(bytes) && survey.cut.is_some());
        let kind = if is_short { ErrorKind::NotYet } else { ErrorKind::WrongFormat };
        return Err(ConvertError::new(kind, "the file does not begin with a whole FAR record")
            .at_record(1, 0)
            .expected(
                "an STDF V4 file, packed by gzip or not, whose first bytes are 00 02 00 0A or 02 00 00 0A",
            )
            .help("Check that the right converter is set for this folder."));
    }
    Ok(survey)
}

/// Checks the first record.
fn first(records: &Records<'_>, lots: usize) -> Result<(), ConvertError> {
    let mut fields = records.fields();
    let short = |short| records.error(records::FAR, short);
    let (_, version) = (fields.u1().map_err(short)?, fields.u1().map_err(short)?);
    if records.len() != 2 || version != Some(4) {
        let found = version.map_or_else(|| "no version".to_owned(), |version| format!("version {version}"));
        return Err(ConvertError::new(ErrorKind::WrongFormat, format!("the FAR record says {found}"))
            .at_record(lots + 1, 0)
            .expected("STDF version 4")
            .help("Set the tester to write STDF V4."));
    }
    if lots >= MOST_LOTS {
        return Err(ConvertError::new(ErrorKind::TooLarge, "the file holds very many lots")
            .expected(format!("at most {MOST_LOTS}")));
    }
    Ok(())
}

impl Behind {
    fn take(
        &mut self,
        kind: records::Kind,
        mut fields: Fields<'_>,
        zone: &TimeZone,
        is_local: bool,
    ) -> Result<(), Short> {
        match kind {
            HBR | SBR => {
                let (_, _, bin) = (fields.u1()?, fields.u1()?, fields.u2()?);
                let (_, _, name) = (fields.u4()?, fields.c1()?, fields.cn()?);
                let bins = if kind == HBR { &mut self.hard_bins } else { &mut self.soft_bins };
                if let Some(bin) = bin.filter(|_| !name.is_empty()) {
                    bins.entry(bin).or_insert(name);
                }
            }
            TSR => {
                let (_, _, _) = (fields.u1()?, fields.u1()?, fields.c1()?);
                let number = fields.u4()?;
                let (_, _, _, name) = (fields.u4()?, fields.u4()?, fields.u4()?, fields.cn()?);
                if let Some(number) = number.filter(|_| !name.is_empty() && self.tests.len() < MOST_NAMES) {
                    self.tests.entry(number).or_insert(name);
                }
            }
            PCR => {
                let (head, _, parts) = (fields.u1()?, fields.u1()?, fields.u4()?);
                // The sum of all sites stands under head 255.
                if head == Some(255) {
                    self.parts = parts.or(self.parts);
                }
            }
            MRR => {
                self.is_whole = true;
                let (finish, disposition) = (fields.u4()?, fields.c1()?);
                let (user, executive) = (fields.cn()?, fields.cn()?);
                let finish = finish.and_then(|it| time(it, zone, is_local));
                self.infos.extend(finish.map(|it| build::info("FinishTime", it.as_str())));
                add(&mut self.infos, "Disposition", disposition.map(String::from).unwrap_or_default());
                add(&mut self.infos, "UserDescription", user);
                add(&mut self.infos, "ExecDescription", executive);
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a lot says of itself before its parts.
#[derive(Default)]
pub(super) struct Lot {
    pub(super) part_type: String,
    pub(super) revision: String,
    pub(super) operator: String,
    pub(super) job: String,
    pub(super) job_revision: String,
    pub(super) node: String,
    pub(super) id: String,
    pub(super) serial: String,
    pub(super) start: Option<Time>,
    /// All of it that has no place of its own in a report.
    pub(super) infos: Vec<MiscInfo>,
}

impl Lot {
    /// From the MIR record.
    pub(super) fn read(fields: &mut Fields<'_>, zone: &TimeZone, is_local: bool) -> Result<Self, Short> {
        let (setup, start) = (fields.u4()?, fields.u4()?);
        let station = fields.u1()?;
        let codes = [fields.c1()?, fields.c1()?, fields.c1()?];
        let (burn, command) = (fields.u2()?, fields.c1()?);
        let mut lot = Self::default();
        let at = |seconds: Option<u32>| seconds.and_then(|it| time(it, zone, is_local));
        lot.start = at(start).or_else(|| at(setup));
        lot.infos.extend(at(setup).map(|it| build::info("SetupTime", it.as_str())));
        add(&mut lot.infos, "StationNumber", station.map(|it| it.to_string()).unwrap_or_default());
        for (name, code) in ["ModeCode", "RetestCode", "ProtectionCode"].into_iter().zip(codes) {
            add(&mut lot.infos, name, code.map(String::from).unwrap_or_default());
        }
        let burn = burn.filter(|minutes| !matches!(*minutes, 0 | u16::MAX));
        add(&mut lot.infos, "BurnInTime", burn.map(|it| it.to_string()).unwrap_or_default());
        add(&mut lot.infos, "CommandMode", command.map(String::from).unwrap_or_default());
        for name in TEXTS {
            let text = fields.cn()?;
            let place = match *name {
                "LotId" => &mut lot.id,
                "PartType" => &mut lot.part_type,
                "NodeName" => &mut lot.node,
                "JobName" => &mut lot.job,
                "JobRevision" => &mut lot.job_revision,
                "OperatorName" => &mut lot.operator,
                "DesignRevision" => &mut lot.revision,
                "SerialNumber" => &mut lot.serial,
                _ => {
                    add(&mut lot.infos, name, text);
                    continue;
                }
            };
            place.clone_from(&text);
            if matches!(*name, "LotId" | "NodeName" | "DesignRevision") {
                add(&mut lot.infos, name, text);
            }
        }
        Ok(lot)
    }
}

/// The texts of a MIR record, in their order.
const TEXTS: &[&str] = &[
    "LotId",
    "PartType",
    "NodeName",
    "TesterType",
    "JobName",
    "JobRevision",
    "SublotId",
    "OperatorName",
    "ExecType",
    "ExecVersion",
    "TestCode",
    "TestTemperature",
    "UserText",
    "AuxiliaryFile",
    "PackageType",
    "FamilyId",
    "DateCode",
    "FacilityId",
    "FloorId",
    "ProcessId",
    "OperationFrequency",
    "SpecificationName",
    "SpecificationVersion",
    "FlowId",
    "SetupId",
    "DesignRevision",
    "EngineeringLotId",
    "RomCode",
    "SerialNumber",
    "SupervisorName",
];

/// The equipment of some sites.
pub(super) struct Equipment {
    head: u8,
    sites: Vec<u8>,
    pub(super) infos: Vec<MiscInfo>,
}

impl Equipment {
    /// From an SDR record.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, Short> {
        let head = fields.u1()?.unwrap_or(255);
        let (_, count) = (fields.u1()?, fields.u1()?.unwrap_or_default());
        let mut sites = Vec::new();
        for _ in 0..count {
            sites.extend(fields.u1()?);
        }
        let mut infos = Vec::new();
        for name in [
            "HandlerType",
            "HandlerId",
            "ProbeCardType",
            "ProbeCardId",
            "LoadboardType",
            "LoadboardId",
            "DibBoardType",
            "DibBoardId",
            "CableType",
            "CableId",
            "ContactorType",
            "ContactorId",
            "LaserType",
            "LaserId",
            "ExtraType",
            "ExtraId",
        ] {
            add(&mut infos, name, fields.cn()?);
        }
        Ok(Self { head, sites, infos })
    }

    pub(super) fn serves(&self, head: u8, site: u8) -> bool {
        (self.head == head || self.head == 255) && (self.sites.is_empty() || self.sites.contains(&site))
    }
}

/// The processor that wrote the file, as the official converter names it.
pub(super) fn processor(order: Order) -> &'static str {
    match order {
        Order::Dec => "0",
        Order::Big => "1",
        Order::Little => "2",
    }
}

/// Adds what is not empty.
pub(super) fn add(infos: &mut Vec<MiscInfo>, name: &str, text: impl AsRef<str>) {
    if !text.as_ref().is_empty() {
        infos.push(build::info(name, text.as_ref()));
    }
}

/// A time of the file in the station's zone; 0 stands for none.
fn time(seconds: u32, zone: &TimeZone, is_local: bool) -> Option<Time> {
    let at = Timestamp::from_second(seconds.into()).ok().filter(|_| seconds != 0)?;
    if is_local {
        return kit::time::local(at.to_zoned_datetime(TimeZone::UTC).datetime(), zone);
    }
    Some(Time::from_zoned(&at.to_zoned_datetime(zone.clone())))
}
