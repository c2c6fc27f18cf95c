//! STDF V4, the binary format of semiconductor testers; unit by unit, so that a lot may have very many parts.
//!
//! A file is gone through twice. The first time only what stands behind the parts is kept: names of bins and tests, the
//! time of the end, and whether there is an end at all. The second time each part is handed over at its last record.

mod fields;
mod lot;
mod measure;
mod part;
mod reader;
mod records;

use std::io::Read as _;

use wats::report::Report;

use crate::kit::archive::{self, Gunzip};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, Input, Manual,
    Qualification,
};
use reader::Reader;
use records::Records;

pub(crate) struct Stdf;

/// As many bytes of a packed file are held in memory; a larger one is unpacked each time that it is gone through.
const MOST_UNPACKED: u64 = 16 << 20;

const ABOUT: About = About {
    name: "stdf",
    title: "STDF V4 (semiconductor)",
    vendor: "Teradyne and others",
    description: "Binary STDF V4 files of semiconductor testers, packed by gzip or not; one report for each part.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.stdf", "*.std", "*.stdf.gz", "*.std.gz"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "serialNumber",
            description: "Serial number: PartId (PART_ID), WaferCoordinates (WAFER.X.Y) or Running (the lot's SERL_NUM, else LOT.PART#WF and the number \
                          of the part in the file). Where the file does not have it, the next that it has",
            default: "PartId",
            kind: ArgumentKind::Choice(&["PartId", "WaferCoordinates", "Running"]),
        },
        Argument {
            name: "partNumber",
            description: "Part number where the file has no PART_TYP",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partRevision",
            description: "Revision where the file has no DSGN_REV",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator where the file has no OPER_NAM",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "times",
            description: "Whether the times in the file are UTC, as most testers write them, or Local to the station, as the standard says",
            default: "UTC",
            kind: ArgumentKind::Choice(&["UTC", "Local"]),
        },
    ],
    manual: Manual {
        setup: "Switch on the STDF V4 data log of the test program, one file for each lot or wafer, and let it be written or copied into the watched \
                folder. A file is taken once it rests; it may be packed by gzip before or after.\n\nWhere PART_ID is only a running number, lots would share \
                serial numbers: set `serialNumber` to `WaferCoordinates` or `Running`.",
        mapping: &[
            ("PIR to PRR of one HEAD_NUM and SITE_NUM", "one report; several sites may be open at once"),
            ("MIR PART_TYP, DSGN_REV", "pn, rev"),
            ("PRR PART_ID, or as `serialNumber` says", "sn"),
            ("MIR START_T, else SETUP_T", "start, the same for all parts of the file"),
            ("MIR OPER_NAM, NODE_NAM, LOT_ID", "uut.user, machineName, uut.batchSN"),
            ("MIR JOB_NAM, JOB_REV", "name and version of the root sequence"),
            (
                "PRR PART_FLG",
                "result: bit 2 terminated, else bit 4 error, else bit 3 failed, else passed; also the root's status",
            ),
            ("PRR TEST_T, SITE_NUM", "uut.execTime in seconds, uut.testSocketIndex"),
            (
                "PRR bins, coordinates, PART_ID, PART_TXT, PART_FIX; HBR, SBR names of bins; WIR WAFER_ID",
                "misc infos",
            ),
            ("other fields of FAR, MIR, SDR, MRR", "misc infos"),
            ("PTR", "numeric step `TEST_NUM - text`; a text `group: name` puts it into a sequence"),
            ("MPR", "a step with a number for each pin, named by PMR"),
            ("FTR", "pass/fail step; counts, vector and pins that failed as its text"),
            ("STR of V4-2007", "pass/fail step; its texts as text"),
            ("BPS to EPS", "a sequence"),
            ("DTR, GDR", "steps Datalog and Generic data with the text; outside of a part in the next one"),
            (
                "TEST_FLG",
                "status: bit 4 skipped, else bit 6 without verdict, else bit 7 failed, else bit 5 terminated, else passed; alarms and other flags as text",
            ),
            (
                "OPT_FLAG, limits",
                "limits; what is missing or marked is that of the first record of the same TEST_NUM and text",
            ),
            ("UNITS", "unit; values are in base units, as the file has them"),
            (
                "MIR, number and records of the part",
                "id: the same part has the same, also in a file that was cut and is dropped again as a whole",
            ),
            ("TSR TEST_NAM", "name of tests whose records have no text"),
        ],
        limits: &[
            "A file that breaks off gives the parts that are complete, and a warning; the part that was being tested is left out.",
            "Display formats, scales, pin groups and lists, retest bins, wafer configuration, synopsis counts and the scan patterns and failing cycles of V4-2007 are not taken over.",
            "Records of types that the standard does not have are skipped, with a warning.",
            "The time of each part is not in the file: all have the start of the lot.",
        ],
    },
};

impl Converter for Stdf {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let mut unpacked = [0; 6];
        let packed = archive::is_gzip(&input.bytes);
        let beginning: &[u8] = if packed {
            match Gunzip::new(&input.bytes).read_exact(&mut unpacked) {
                Ok(()) => &unpacked,
                Err(_) => return Qualification::none("packed by gzip, and cannot be unpacked"),
            }
        } else {
            &input.bytes
        };
        match (records::is_stdf(beginning), packed) {
            (true, false) => Qualification::new(0.98, "begins with the FAR record of STDF V4"),
            (true, true) => Qualification::new(0.98, "packed by gzip, begins with the FAR record of STDF V4"),
            (false, false) => Qualification::none("does not begin with a FAR record of STDF V4"),
            (false, true) => Qualification::none("packed by gzip, without a FAR record of STDF V4 inside"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut reports = Vec::new();
        let warnings = read(input, arguments, &mut |report| {
            reports.push(report);
            Ok(())
        })?;
        Ok(Conversion { reports, warnings })
    }

    fn convert_each(
        &self,
        input: Input,
        arguments: &Arguments,
        each: &mut dyn FnMut(Report) -> Result<(), ConvertError>,
    ) -> Result<Vec<String>, ConvertError> {
        read(&input, arguments, each)
    }
}

/// The content of a packed file that is whole and not large: to unpack it takes longer than to go through its records.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    Gunzip::new(bytes).take(MOST_UNPACKED + 1).read_to_end(&mut unpacked).ok()?;
    u64::try_from(unpacked.len()).is_ok_and(|length| length <= MOST_UNPACKED).then_some(unpacked)
}

fn read(
    input: &Input,
    arguments: &Arguments,
    each: &mut dyn FnMut(Report) -> Result<(), ConvertError>,
) -> Result<Vec<String>, ConvertError> {
    let is_local = arguments.text("times") == "Local";
    let is_packed = archive::is_gzip(&input.bytes);
    let unpacked = if is_packed { unpacked(&input.bytes) } else { None };
    let records = || match &unpacked {
        Some(unpacked) => Records::new(unpacked),
        None if is_packed => Records::packed(&input.bytes),
        None => Records::new(&input.bytes),
    };
    let survey = lot::survey(records(), &input.bytes, &input.station.time_zone, is_local)?;
    let mut reader = Reader::new(input, arguments, &survey, is_local);
    let mut records = records();
    // The survey has met every other end.
    while let Ok(Some(kind)) = records.advance() {
        if reader.is_padding(kind) {
            break;
        }
        if let Some(report) = reader.take(kind, &records)? {
            each(report)?;
        }
    }
    reader.finish()
}
