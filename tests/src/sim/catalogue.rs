//! The operations that the simulated server knows, and what may be repaired in them.

use serde_json::{Value, json};
use uuid::Uuid;
use wats::report::{Report, ReportType};
use wats::validate::Strictness;

pub(super) struct Operation {
    pub code: i32,
    pub name: &'static str,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Test,
    Repair,
    Wip,
}

/// What a server of a customer could be set up with.
const OPERATIONS: &[Operation] = &[
    Operation { code: 10, name: "SW Debug", kind: Kind::Test },
    Operation { code: 30, name: "FCT", kind: Kind::Test },
    Operation { code: 50, name: "PCBA test", kind: Kind::Test },
    Operation { code: 90, name: "Burn In test", kind: Kind::Test },
    Operation { code: 100, name: "End of line test", kind: Kind::Test },
    Operation { code: 200, name: "Assembly", kind: Kind::Wip },
    Operation { code: 500, name: "Repair", kind: Kind::Repair },
    Operation { code: 510, name: "RMA Repair", kind: Kind::Repair },
];

/// Categories of failures, each with its codes.
const FAILURES: &[(&str, &[&str])] = &[
    ("Component", &["Burned Component", "Defect Component", "Missing component", "Wrong component"]),
    ("Solder", &["Cold joint", "Solder bridge", "Missing solder"]),
    ("Process", &["Wrong Handling", "Assembly Error"]),
    ("Other", &["No Failure Found", "Unknown"]),
];

impl Operation {
    fn id(&self) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, &self.code.to_be_bytes())
    }

    /// As the public route shows it.
    fn public(&self) -> Value {
        json!({
            "code": self.code, "name": self.name, "description": null, "isTestOperation": self.kind == Kind::Test,
            "isRepairOperation": self.kind == Kind::Repair, "isWipOperation": self.kind == Kind::Wip,
            "processIndex": self.code, "state": 1,
        })
    }

    /// As the internal route shows it.
    fn internal(&self) -> Value {
        json!({
            "Code": self.code, "ProcessID": self.id(), "Name": self.name, "Description": null,
            "ProcessIndex": self.code, "State": 1, "Properties": null, "IsTestOperation": self.kind == Kind::Test,
            "IsWIPOperation": self.kind == Kind::Wip, "IsRepairOperation": self.kind == Kind::Repair,
        })
    }

    fn repair(&self) -> Value {
        json!({
            "Description": self.name, "UUTRequired": 1, "CompRefMask": null, "CompRefMaskDescription": null,
            "BomConstraint": null, "BOMRequired": 1, "VendorRequired": 1, "Categories": categories(), "MiscInfos": [],
        })
    }
}

fn categories() -> Vec<Value> {
    let fail_code = |name: &str, order: usize, below: Vec<Value>| {
        json!({
            "GUID": Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()), "Description": name, "Selectable": true,
            "SortOrder": order, "FailureType": 0, "ImageConstraint": null, "Status": 1, "Failcodes": below,
        })
    };
    let codes = |codes: &[&str]| {
        codes.iter().enumerate().map(|(order, name)| fail_code(name, order, Vec::new())).collect()
    };
    FAILURES.iter().enumerate().map(|(order, (name, below))| fail_code(name, order, codes(below))).collect()
}

pub(super) fn name_of(code: i32) -> Option<&'static str> {
    OPERATIONS.iter().find(|operation| operation.code == code).map(|operation| operation.name)
}

/// The public list; a kind is left out where the caller says so.
pub(super) fn public(wanted: impl Fn(Kind) -> bool) -> Vec<Value> {
    OPERATIONS.iter().filter(|operation| wanted(operation.kind)).map(Operation::public).collect()
}

pub(super) fn internal() -> Vec<Value> {
    OPERATIONS.iter().map(Operation::internal).collect()
}

pub(super) fn internal_one(id: Uuid) -> Option<Value> {
    OPERATIONS.iter().find(|operation| operation.id() == id).map(Operation::internal)
}

fn repairs() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|operation| operation.kind == Kind::Repair)
}

/// Process code to repair operation.
pub(super) fn repair_operations() -> Value {
    repairs().map(|operation| (operation.code.to_string(), operation.repair())).collect()
}

pub(super) fn repair_operation(id: Uuid) -> Option<Value> {
    repairs().find(|operation| operation.id() == id).map(Operation::repair)
}

/// The rules that only a server with its operations can check.
pub(super) fn problems(report: &Report, strictness: Strictness) -> Vec<String> {
    let mut lines = Vec::new();
    let kind = if report.report_type == ReportType::Test { Kind::Test } else { Kind::Repair };
    if let Some(code) = report.process_code {
        match OPERATIONS.iter().find(|operation| operation.code == code && operation.kind == kind) {
            None => lines.push("processCode: Process code must be a valid value.".to_owned()),
            Some(found)
                if strictness == Strictness::Documented
                    && report.process_name.as_deref().is_some_and(|name| name != found.name) =>
            {
                lines.push("processName: Process name must belong to the process code.".to_owned());
            }
            Some(_) => {}
        }
    }
    if kind == Kind::Repair {
        for (unit, sub_unit) in report.sub_units.iter().enumerate() {
            for (index, failure) in sub_unit.failures.iter().flatten().enumerate() {
                let path = format!("subUnits -> Index {unit} -> failures -> Index {index}");
                let category = failure.category.as_deref().unwrap_or_default();
                match FAILURES.iter().find(|(name, _)| *name == category) {
                    None => lines.push(format!("{path}: Category must be a valid value.")),
                    Some((_, codes)) if !codes.contains(&failure.code.as_deref().unwrap_or_default()) => {
                        lines.push(format!("{path}: Code must be a valid value."));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    lines
}
