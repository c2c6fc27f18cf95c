//! One report: its header and its root.

use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use roxmltree::Node;
use uuid::Uuid;
use wats::report::{Double, Report, Status, Step, SubUnit, Text, Time, Uut};

use super::{Reading, props};
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, header, property, time, tree, xml};
use crate::{ConvertError, ErrorKind};

/// Properties of the unit that are read, or that only repeat what stands elsewhere.
const KNOWN: &[&str] = &[
    "SerialNumber",
    "UUTLoopIndex",
    "BatchLoopIndex",
    "BatchFailCount",
    "CriticalFailureStack",
    "BatchSerialNumber",
    "TestSocketIndex",
    "PartNumber",
    "AdditionalData",
    "UUTPartNumber",
    "UUTPartRevisionNumber",
    "UUTOperationType",
    "UUTOperationTypeDetails",
    "Comment",
    "UUT_Fixture_ID",
    "MiscUUTResult",
    "UnitRef",
];
/// Keys of `ReportInfo` that are read, or that only repeat what stands elsewhere.
const KNOWN_INFOS: &[&str] =
    &["ID", "Start", "StartUTC", "EngineStarted", "ReportWritten", "SN", "PN", "Rev", "PCode"];

/// When the steps of a report began: their times are seconds after something.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    zero: Timestamp,
    zone: TimeZone,
}

impl Clock {
    /// The moment so many seconds after.
    pub(super) fn at(&self, seconds: f64) -> Option<Time> {
        let moment = self.zero.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()?;
        // Microseconds are what the numbers have.
        let moment = moment.round(jiff::Unit::Microsecond).ok()?;
        Some(Time::from_zoned(&moment.to_zoned_datetime(self.zone.clone())))
    }
}

impl Reading<'_> {
    pub(super) fn unit(&mut self, node: Node<'_, '_>) -> Result<Report, ConvertError> {
        let unit = props::find(node, "UUT").ok_or_else(|| {
            ConvertError::new(ErrorKind::Missing, "there is no property UUT")
                .at_path(xml::path(node))
                .expected("an element Prop with Name='UUT'")
        })?;
        let info = |key: &str| {
            let mut infos = children(node, "ReportInfo");
            infos.find(|it| attribute(*it, "key") == Some(key)).and_then(|it| attribute(it, "value"))
        };
        let mut report = self.identity(unit, &info);
        report.id = info("ID").and_then(|id| Uuid::parse_str(id).ok());
        report.start = self.start(node, &info);
        let station = props::find(node, "StationInfo");
        let of_station = |name: &str| station.and_then(|it| props::text(it, name));
        report.machine_name = of_station("StationID").unwrap_or_default();
        for (field, name, argument) in
            [(&mut report.location, "Location", "location"), (&mut report.purpose, "Purpose", "purpose")]
        {
            *field = match station {
                Some(station) => props::text(station, name).unwrap_or_default(),
                None => self.arguments.text(argument).into(),
            };
        }
        let data =
            station.and_then(|it| props::find(it, "AdditionalData")).filter(|it| !props::is_empty(*it));
        report.additional_data.extend(data.map(|data| {
            property::named("Station info", children(data, "Prop").map(|it| props::property(it, 0)).collect())
        }));
        self.misc(unit, &mut report);
        for other in children(node, "ReportInfo") {
            let key = attribute(other, "key").unwrap_or_default();
            if !KNOWN_INFOS.contains(&key) {
                report.misc_infos.push(build::info(key, attribute(other, "value").unwrap_or_default()));
            }
        }

        let main = main_result(node);
        let root = match main {
            Some(main) => self.root(main, report.start.as_ref(), info("EngineStarted"))?,
            None => Step { status: Status::Unknown, ..Step::sequence("MainSequence") },
        };
        report.result = self.result(node, main, &root)?;
        report.uut = Some(Uut {
            user: of_station("LoginName"),
            exec_time: main
                .and_then(|it| props::number(it, "TS.TotalTime"))
                .filter(|it| *it >= 0.0)
                .map(Double::new),
            test_socket_index: props::whole(unit, "TestSocketIndex").filter(|index| *index >= 0),
            batch_sn: props::text(unit, "BatchSerialNumber"),
            comment: props::text(unit, "Comment"),
            error_code: root.error_code,
            error_message: root.rare.error_message.clone(),
            fixture_id: props::text(unit, "UUT_Fixture_ID"),
            batch_fail_count: props::whole(unit, "BatchFailCount"),
            batch_loop_index: props::whole(unit, "UUTLoopIndex")
                .or_else(|| props::whole(unit, "BatchLoopIndex")),
            ..Uut::default()
        });
        report.root = Some(Step { status: report.result, ..root });
        header::complete(&mut report, self.input, &mut self.warnings)
            .map_err(|error| error.at_path(xml::path(unit)))?;
        Ok(report)
    }

    fn identity<'n>(&mut self, unit: Node<'_, '_>, info: &impl Fn(&str) -> Option<&'n str>) -> Report {
        let of_info = |key: &str| info(key).map(ToOwned::to_owned);
        let part_number = props::text(unit, "UUTPartNumber").or_else(|| props::text(unit, "PartNumber"));
        let part_number = part_number.or_else(|| of_info("PN").map(Into::into)).unwrap_or_else(|| {
            let default = self.arguments.text("partNumber");
            self.warnings.push(format!("the file has no part number: \"{default}\" is used"));
            default.into()
        });
        let serial_number =
            props::text(unit, "SerialNumber").or_else(|| of_info("SN").map(Into::into)).unwrap_or_default();
        let revision = props::text(unit, "UUTPartRevisionNumber").or_else(|| of_info("Rev").map(Into::into));
        let revision = revision.unwrap_or_else(|| self.arguments.text("partRevision").into());
        let mut report = Report::without_root(part_number, serial_number, revision);
        let code = props::whole(unit, "UUTOperationType");
        let code = code.or_else(|| info("PCode").and_then(|code| code.trim().parse().ok()));
        let code = code.filter(|code| (1..=i32::from(i16::MAX)).contains(code));
        report.process_code =
            code.or_else(|| self.arguments.process_code("operationTypeCode").map(i32::from));
        report
    }

    /// Misc infos, sub units, and whatever else the unit has.
    fn misc(&mut self, unit: Node<'_, '_>, report: &mut Report) {
        let list = |path: &str| props::find(unit, path).into_iter().flat_map(props::objects);
        for entry in list("MiscUUTResult.Misc_UUT_Info") {
            let numeric = props::whole(entry, "Data_Numeric");
            let numeric = numeric.filter(|it| i16::try_from(*it).is_ok());
            let text = props::text(entry, "Data_String");
            let written = props::text(entry, "Data_Numeric").filter(|it| it != "0");
            let name = props::text(entry, "Description").unwrap_or_else(|| "Misc".into());
            let mut info = build::info(&name, &text.or(written).unwrap_or_default());
            info.numeric = numeric.filter(|it| *it != 0);
            report.misc_infos.push(info);
        }
        for part in list("MiscUUTResult.UUT_Part_Info") {
            let text = |name: &str| props::text(part, name);
            if text("Part_Type").or(text("Part_Number")).or(text("Part_Serial_Number")).is_none() {
                continue;
            }
            let or_unknown = |text: Option<Text>| text.or_else(|| Some("Unknown".into()));
            report.sub_units.push(SubUnit {
                part_type: or_unknown(text("Part_Type")),
                pn: or_unknown(text("Part_Number")),
                sn: or_unknown(text("Part_Serial_Number")),
                rev: text("Part_Revision_Number"),
                ..SubUnit::default()
            });
        }
        if let Some(data) = props::find(unit, "AdditionalData").filter(|it| !props::is_empty(*it)) {
            if self.arguments.flag("convertAdditionalDataToMiscInfo") {
                infos(data, report);
            } else {
                let props = children(data, "Prop").map(|it| props::property(it, 0)).collect();
                report.additional_data.push(property::named("AdditionalData", props));
            }
        }
        for other in children(unit, "Prop").filter(|it| !props::is_empty(*it)) {
            let name = attribute(other, "Name").unwrap_or_default();
            if !KNOWN.contains(&name) {
                self.unknown.add_as(name, other);
                report.additional_data.push(property::named(name, vec![props::property(other, 0)]));
            }
        }
    }

    /// The start with its offset, else the date and time of the station.
    fn start<'n>(&mut self, node: Node<'_, '_>, info: &impl Fn(&str) -> Option<&'n str>) -> Option<Time> {
        let zone = &self.input.station.time_zone;
        for (key, zone) in [("Start", zone), ("StartUTC", &TimeZone::UTC)] {
            let Some(written) = info(key) else { continue };
            let time = time::parse(written, zone);
            if time.is_some() {
                return time;
            }
            self.warnings
                .push(format!("the start \"{written}\" is no time like 2022-06-23T10:55:04.37+02:00"));
        }
        let date = props::find(node, "StartDate")?;
        let clock = props::find(node, "StartTime");
        let read = || {
            let small = |node, name: &str| props::whole(node, name).and_then(|it| i8::try_from(it).ok());
            let of_clock = |name: &str| clock.and_then(|it| small(it, name)).unwrap_or_default();
            let milliseconds = clock.and_then(|it| props::whole(it, "Milliseconds")).unwrap_or_default();
            let local = DateTime::new(
                year(date)?,
                small(date, "Month")?,
                small(date, "MonthDay")?,
                of_clock("Hours"),
                of_clock("Minutes"),
                of_clock("Seconds"),
                milliseconds.checked_mul(1_000_000)?,
            );
            time::local(local.ok()?, zone)
        };
        let time = read();
        if time.is_none() {
            self.warnings.push(format!("{}: the date cannot be read", xml::path(date)));
        }
        time
    }

    fn root(
        &mut self,
        main: Node<'_, '_>,
        start: Option<&Time>,
        engine: Option<&str>,
    ) -> Result<Step, ConvertError> {
        let offset = start.and_then(|it| Pieces::parse(it.as_str()).ok()?.to_numeric_offset());
        let zone = offset.map_or_else(|| self.input.station.time_zone.clone(), TimeZone::fixed);
        let engine = engine.and_then(|it| time::parse(it, &zone)?.instant());
        // Without the start of the engine the steps are placed after the first, which began with the report.
        let relative = || {
            let began = SignedDuration::try_from_secs_f64(props::number(main, "TS.StartTime")?).ok()?;
            start?.instant()?.checked_sub(began).ok()
        };
        let clock = engine.or_else(relative).map(|zero| Clock { zero, zone });
        let mut steps = self.step(main, clock.as_ref(), 0)?;
        let mut root = steps.pop().unwrap_or_else(|| Step::sequence("MainSequence"));
        if root.seq_call.is_none() {
            let own = root;
            root = build::sequence(&own.name, &own.name, "1.0.0", vec![own.clone()]);
        } else {
            // A measurement of the root itself has no place but below it.
            steps.append(root.steps.get_or_insert_default());
            root.steps = Some(steps);
        }
        // The report says so itself.
        (root.start, root.tot_time, root.loop_) = (None, None, None);
        Ok(root)
    }

    /// The verdict of the main sequence, else that of the report.
    fn result(
        &mut self,
        node: Node<'_, '_>,
        main: Option<Node<'_, '_>>,
        root: &Step,
    ) -> Result<Status, ConvertError> {
        let stated = attribute(node, "UUTResult").and_then(Status::from_word);
        let of_main = main.and_then(|it| Status::from_word(&props::text(it, "Status")?));
        let status = match of_main {
            // Done is no verdict where the report has one.
            Some(status) if !matches!(status, Status::Unknown | Status::Done) => Some(root.status),
            _ => stated.or(Some(root.status).filter(|status| *status != Status::Unknown)),
        };
        match status {
            Some(Status::Done) => Ok(Status::Passed),
            Some(Status::Skipped) => Ok(Status::Terminated),
            Some(Status::Unknown) => Ok(tree::rolled_up(root.children())),
            Some(status) => Ok(status),
            None if !root.children().is_empty() => {
                self.warnings
                    .push(format!("{}: no verdict that is known; the steps decide", xml::path(node)));
                Ok(tree::rolled_up(root.children()))
            }
            None => Err(ConvertError::new(ErrorKind::Missing, "the report has neither a result nor steps")
                .at_path(xml::path(node))
                .expected("a property of Type='TEResult', or an attribute UUTResult")),
        }
    }
}

/// The result of the main sequence: a property of its own, in an array, or without a name.
fn main_result<'a, 'd>(node: Node<'a, 'd>) -> Option<Node<'a, 'd>> {
    let is_result = |it: &Node<'a, 'd>| is(*it, "Prop") && attribute(*it, "Type") == Some("TEResult");
    if let Some(named) = props::find(node, "MainSequenceResults") {
        return if is_result(&named) || child(named, "Value").is_none() {
            Some(named)
        } else {
            props::objects(named).next()
        };
    }
    node.children().find(is_result)
}

/// The year: some versions write years since 1900, but spell the date out in the station's language.
fn year(date: Node<'_, '_>) -> Option<i16> {
    let plausible = |year: &i32| (1970..=2200).contains(year);
    let of_text = |name: &str| {
        let text = props::text(date, name)?;
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).filter(|it| it.len() >= 4);
        numbers.find_map(|it| it.get(..4)?.parse::<i32>().ok())
    };
    let year = props::whole(date, "Year").filter(plausible);
    let year = year.or_else(|| of_text("Text")).or_else(|| of_text("ShortText"));
    let since_1900 = || props::whole(date, "Year").filter(|year| (70..=200).contains(year));
    let year = year.or_else(|| since_1900().map(|year| year + 1900));
    year.and_then(|year| i16::try_from(year).ok())
}

/// Additional data as misc infos; a property within a property is called `outer.inner`.
fn infos(data: Node<'_, '_>, report: &mut Report) {
    let mut open: Vec<(String, Node<'_, '_>)> =
        children(data, "Prop").map(|it| (attribute(it, "Name").unwrap_or_default().to_owned(), it)).collect();
    open.reverse();
    while let Some((name, prop)) = open.pop() {
        match child(prop, "Value") {
            Some(_) => {
                let values = children(prop, "Value").map(|it| xml::text(it).unwrap_or_default());
                report.misc_infos.push(build::info(&name, &values.collect::<Vec<_>>().join(", ")));
            }
            None => {
                // A description takes 100 characters; names do not grow with the depth.
                let name: String = name.chars().take(100).collect();
                let inner: Vec<_> = children(prop, "Prop")
                    .map(|it| (format!("{name}.{}", attribute(it, "Name").unwrap_or_default()), it))
                    .collect();
                open.extend(inner.into_iter().rev());
            }
        }
    }
}
