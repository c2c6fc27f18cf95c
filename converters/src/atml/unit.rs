//! One `TestResults`: the report's header and its root.

use roxmltree::Node;
use wats::report::{AdditionalData, MiscInfo, Report, Status, Step, Time, Uut};

use super::{Reading, data, results};
use crate::kit::property;
use crate::kit::time::seconds;
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, header, teststand, time, tree, xml};
use crate::{ConvertError, ErrorKind};

/// Elements of a unit that are read, or that say only how the report is to be written.
const KNOWN: &[&str] = &["Personnel", "ResultSet", "UUT", "TestStation", "TestProgram", "Extension"];

impl Reading<'_> {
    pub(super) fn unit(&mut self, node: Node<'_, '_>) -> Result<Report, ConvertError> {
        let missing = |what: &str| {
            ConvertError::new(ErrorKind::Missing, format!("there is no element {what}"))
                .at_path(xml::path(node))
                .expected("Personnel, ResultSet and UUT, as in ATML")
        };
        let unit = child(node, "UUT").ok_or_else(|| missing("UUT"))?;
        let set = child(node, "ResultSet").ok_or_else(|| missing("ResultSet"))?;

        let mut report = self.identity(unit);
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        let station = child(node, "TestStation");
        report.machine_name =
            station.and_then(|it| child(it, "SerialNumber")).and_then(xml::text).unwrap_or_default();
        report.additional_data = station.and_then(station_info).into_iter().collect();
        self.others(node, &mut report);

        report.start = self.time(set, "startDateTime");
        let end = self.time(set, "endDateTime");
        let properties = [node, set].into_iter().filter_map(|it| child(it, "Extension"));
        let properties: Vec<Node<'_, '_>> =
            properties.filter_map(|it| child(it, "TSResultSetProperties")).collect();
        let setting = |name: &'static str| properties.iter().find_map(|it| data::setting(*it, name));
        let socket = setting("TestSocketIndex").and_then(|index| teststand::number(&index));
        report.uut = Some(Uut {
            user: Some(self.operator(node).into()),
            exec_time: seconds(report.start.as_ref(), end.as_ref()),
            test_socket_index: socket.and_then(teststand::whole).filter(|index| *index >= 0),
            batch_sn: setting("BatchSerialNumber"),
            ..Uut::default()
        });
        let root = self.root(set, unit)?;
        report.result = root.status;
        report.root = Some(root);
        header::complete(&mut report, self.input, &mut self.warnings)
            .map_err(|error| error.at_path(xml::path(node)))?;
        Ok(report)
    }

    fn operator(&self, node: Node<'_, '_>) -> String {
        let operator = child(node, "Personnel").and_then(|it| child(it, "SystemOperator"));
        let named = operator.and_then(|it| attribute(it, "name").or_else(|| attribute(it, "ID")));
        named.unwrap_or_else(|| self.arguments.text("operator")).to_owned()
    }

    /// Serial and part number, and what else tells the unit from others.
    fn identity(&mut self, unit: Node<'_, '_>) -> Report {
        let identification = child(unit, "Definition").and_then(|it| child(it, "Identification"));
        let numbers = identification.and_then(|it| child(it, "IdentificationNumbers"));
        let mut numbers =
            numbers.into_iter().flat_map(|it| children(it, "IdentificationNumber")).filter_map(|it| {
                Some((attribute(it, "qualifier").or_else(|| attribute(it, "type")), attribute(it, "number")?))
            });
        let part_number = numbers.next().map_or_else(
            || {
                let default = self.arguments.text("partNumber");
                self.warnings.push(format!("the file has no part number: \"{default}\" is used"));
                default
            },
            |(_, number)| number,
        );
        let serial_number = child(unit, "SerialNumber").and_then(xml::text).unwrap_or_else(|| {
            self.warnings.push("the file has no serial number: \"NA\" is used".to_owned());
            "NA".into()
        });
        let mut report =
            Report::without_root(part_number, serial_number, self.arguments.text("partRevision"));
        let model = identification.and_then(|it| child(it, "ModelName")).and_then(xml::text);
        let model = model.filter(|model| !model.eq_ignore_ascii_case("UNKNOWN"));
        report.misc_infos.extend(model.map(|model| build::info("ModelName", &model)));
        let further =
            numbers.map(|(kind, number)| build::info(kind.unwrap_or("IdentificationNumber"), number));
        report.misc_infos.extend(further);
        report.misc_infos.extend(additional(unit));
        report
    }

    /// What TestStand does not write, but the standard allows.
    fn others(&mut self, node: Node<'_, '_>, report: &mut Report) {
        for other in node.children().filter(Node::is_element) {
            let name = other.tag_name().name();
            if KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                continue;
            }
            self.unknown.add(other);
            report.additional_data.push(property::named(name, vec![property::of_element(other, 0)]));
        }
        let personnel = child(node, "Personnel").into_iter().flat_map(|it| it.children());
        for person in personnel.filter(|it| it.is_element() && !is(*it, "SystemOperator")) {
            let named = attribute(person, "name").or_else(|| attribute(person, "ID")).unwrap_or_default();
            report.misc_infos.push(build::info(person.tag_name().name(), named));
        }
    }

    /// A local time, or one with an offset.
    pub(super) fn time(&mut self, node: Node<'_, '_>, name: &str) -> Option<Time> {
        let written = attribute(node, name)?;
        let time = time::parse(written, &self.input.station.time_zone);
        if time.is_none() {
            self.warnings.push(format!(
                "{}/@{name}: \"{written}\" is no time like 2025-02-14T08:30:00.125",
                xml::path(node)
            ));
        }
        time
    }

    /// The result set as the root; version 2.02 has the sequence in a group of its own below it.
    fn root(&mut self, set: Node<'_, '_>, unit: Node<'_, '_>) -> Result<Step, ConvertError> {
        let set_name = attribute(set, "name").unwrap_or_default();
        let is_step =
            |it: &Node<'_, '_>| ["Test", "TestGroup", "SessionAction"].iter().any(|name| is(*it, name));
        let below: Vec<Node<'_, '_>> = set.children().filter(is_step).collect();
        let sequence = match below.as_slice() {
            [only] if is(*only, "TestGroup") && !set_name.contains('#') => {
                let name = attribute(*only, "name").unwrap_or_default();
                name.strip_prefix(set_name).is_some_and(|rest| rest.starts_with('#')).then_some(*only)
            }
            _ => None,
        };
        let node = sequence.unwrap_or(set);
        let full_name = attribute(node, "name").unwrap_or_default();
        let (file, name) = full_name.split_once('#').unwrap_or((full_name, "MainSequence Callback"));
        let file = if file.is_empty() { name } else { file };
        let mut root = build::sequence(name, file, self.arguments.text("sequenceVersion"), Vec::new());
        let mut own = self.sequence(node, &mut root, 1)?;
        // A measurement of the root itself has no place but below it.
        if let Some(steps) = &mut root.steps {
            own.append(steps);
            *steps = own;
        }
        // The report says so itself.
        (root.start, root.tot_time) = (None, None);
        let stated = child(set, "Outcome").or_else(|| child(node, "Outcome"));
        root.status = match stated.and_then(|it| results::outcome(it).of_run()) {
            Some(Status::Skipped | Status::Unknown) => {
                let place = xml::path(unit.parent().unwrap_or(unit));
                self.warnings.push(format!("{place}: the run was skipped; it counts as terminated"));
                Status::Terminated
            }
            Some(stated) => stated,
            None => tree::rolled_up(root.children()),
        };
        Ok(root)
    }
}

/// The collection that TestStand calls AdditionalData, wherever it stands below an element.
fn additional_data<'a, 'd>(node: Node<'a, 'd>) -> Option<Node<'a, 'd>> {
    let collections = node.descendants().filter(|it| is(*it, "TSCollection"));
    let mut items = collections.flat_map(|it| children(it, "Item"));
    let item = items.find(|it| attribute(*it, "name") == Some("AdditionalData"))?;
    data::value(item).filter(|value| is(*value, "Collection"))
}

/// Misc infos of the unit's additional data; an item within an item is called `outer.inner`.
fn additional(unit: Node<'_, '_>) -> Vec<MiscInfo> {
    let mut infos = Vec::new();
    let Some(collection) = additional_data(unit) else { return infos };
    let mut open: Vec<(String, Node<'_, '_>)> =
        data::items(collection).map(|(name, item)| (name.to_owned(), item)).collect();
    open.reverse();
    while let Some((name, item)) = open.pop() {
        match data::value(item) {
            Some(inner) if is(inner, "Collection") => {
                // A description takes 100 characters; names do not grow with the depth.
                let name: String = name.chars().take(100).collect();
                let nested: Vec<_> =
                    data::items(inner).map(|(inner, item)| (format!("{name}.{inner}"), item)).collect();
                open.extend(nested.into_iter().rev());
            }
            Some(datum) if is(datum, "Datum") => infos.push(build::info(&name, data::written(datum).trim())),
            Some(other) => {
                let texts = other.descendants().filter(|it| is(*it, "Element")).map(data::written);
                let texts: Vec<String> = texts.map(|text| text.trim().to_owned()).collect();
                infos.push(build::info(&name, &texts.join(", ")));
            }
            None => infos.push(build::info(&name, &xml::text(item).unwrap_or_default())),
        }
    }
    infos
}

/// A server takes data of this name as that of the station.
fn station_info(station: Node<'_, '_>) -> Option<AdditionalData> {
    let collection = additional_data(station)?;
    let props = data::items(collection).map(|(name, item)| data::of_item(name, item, 0));
    Some(property::named("Station info", props.collect()))
}
