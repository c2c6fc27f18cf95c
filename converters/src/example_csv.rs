//! Example CSV: a header row that names its columns, and a row for each test.

use std::collections::HashMap;

use wats::report::{BooleanMeas, Extra, Report, Status, Step, StringMeas, Uut};

use crate::kit::tally::Tally;
use crate::kit::{build, header, leftover, text, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct ExampleCsv;

const ABOUT: About = About {
    name: "example-csv",
    title: "Example CSV",
    vendor: "WATS",
    description: "Comma-separated files with a row of column names and a row for each test; rows of the same unit make one report.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.csv"],
    arguments: &[
        Argument {
            name: "delimiter",
            description: "What stands between the columns: a character, or Tab; Auto takes what the first row has",
            default: "Auto",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operationTypeCode",
            description: "Process code where the file has no column process",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units; the files have none",
            default: "1",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "encoding",
            description: "Encoding of files without a byte-order mark; Auto takes UTF-8, or Windows-1252 where that is not possible",
            default: "Auto",
            kind: ArgumentKind::Choice(&["Auto", "utf-8", "utf-16", "latin-1", "cp1252"]),
        },
        Argument {
            name: "skip_empty_rows",
            description: "Skip rows without any text; else such a row is an error",
            default: "true",
            kind: ArgumentKind::Flag,
        },
    ],
    manual: Manual {
        setup: "Write a row of column names and below it a row for each test, in this form:\n\n\
                ```text\nserial_number,part_number,station,process,test_name,value,unit,low_limit,high_limit,status\n\
                SN001,PN-123,Station1,10,Voltage,5.2,V,4.5,5.5,P\n```\n\n\
                Columns may have any order; those that are not needed may be missing. A text with the delimiter, a quote or a line end stands in \
                double quotes, quotes in it are doubled.",
        mapping: &[
            ("serial_number or sn, part_number or pn", "sn, pn; rows with the same two are one report, in the order of their first rows"),
            ("station, process", "machineName, processCode"),
            ("test_name or name", "name of the step"),
            ("value, a number", "numeric step; low_limit and high_limit decide its operator"),
            ("value, another text", "string step that is only logged"),
            ("value, empty", "pass/fail step"),
            ("unit", "unit of the number"),
            ("status, else result", "status of the step: P, PASS, PASSED, OK; F, FAIL, FAILED; else Done, which a number's limits decide"),
            ("status, else result, failed in any row", "result failed, else passed"),
            ("group", "setup, main or cleanup where it says so"),
            ("the file's time", "start"),
            ("any other column", "misc info of the unit, its first value"),
        ],
        limits: &[
            "A number has a decimal point; one with a comma is a text.",
            "A group that is none of setup, main and cleanup is not taken over.",
            "A single measurement cannot be Done on a server: such a step has the status that its measurement has.",
        ],
    },
};
