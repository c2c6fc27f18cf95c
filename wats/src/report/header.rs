//! The report itself and all that hangs on it beside the steps.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Double, Extra, Status, Step, Time};

/// UUT (test) or UUR (repair).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReportType {
    #[serde(rename = "T")]
    Test,
    #[serde(rename = "R")]
    Repair,
}

/// One run of one process on one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    #[serde(rename = "type")]
    pub report_type: ReportType,
    /// The report's identity: the same id replaces the report on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Part number, 1 to 100 characters.
    #[serde(default)]
    pub pn: String,
    /// Serial number, 1 to 100 characters.
    #[serde(default)]
    pub sn: String,
    /// Revision of the part.
    #[serde(default)]
    pub rev: String,
    /// Output of the server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// A test operation in a UUT, a repair operation in a UUR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_name: Option<String>,
    pub result: Status,
    /// Station name.
    #[serde(default)]
    pub machine_name: String,
    #[serde(default)]
    pub location: String,
    #[serde(default)]
    pub purpose: String,
    /// User or client that sent it; output of the server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    /// The same instant as `start`, with `Z`.
    #[serde(rename = "startUTC", default, skip_serializing_if = "Option::is_none")]
    pub start_utc: Option<Time>,
    /// UUT only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Step>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uut: Option<Uut>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uur: Option<Uur>,
    #[serde(default)]
    pub misc_infos: Vec<MiscInfo>,
    #[serde(default)]
    pub sub_units: Vec<SubUnit>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<Asset>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_stats: Vec<AssetStats>,
    /// UUR only: files of the whole report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binary_data: Vec<BinaryData>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_data: Vec<AdditionalData>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a test report has beyond the common header.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Uut {
    /// Operator.
    #[serde(default)]
    pub user: Option<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_time: Option<Double>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_time_format: Option<String>,
    /// -1: no socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_socket_index: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_socket_index_format: Option<String>,
    #[serde(rename = "batchSN", default, skip_serializing_if = "Option::is_none")]
    pub batch_sn: Option<String>,
    /// At most 5000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixture_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_fail_count: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_fail_count_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_loop_index: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_loop_index_format: Option<String>,
    #[serde(rename = "stepIdCausedUUTFailure", default, skip_serializing_if = "Option::is_none")]
    pub step_id_caused_uut_failure: Option<i32>,
    /// Repairs that point at this report.
    #[serde(rename = "refUURs", default, skip_serializing_if = "Option::is_none")]
    pub ref_uurs: Option<Vec<RefUur>>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// A repair that points at a test report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefUur {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a repair report has beyond the common header.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Uur {
    /// Repair operator.
    #[serde(default)]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The test operation that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_name: Option<String>,
    /// The failed test report.
    #[serde(rename = "refUUT", default)]
    pub ref_uut: Option<Uuid>,
    #[serde(default)]
    pub confirm_date: Option<Time>,
    #[serde(default)]
    pub finalize_date: Option<Time>,
    /// Seconds.
    #[serde(default)]
    pub exec_time: Option<Double>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Uuid>>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// A searchable key with its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MiscInfo {
    /// The key, at most 100 characters.
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numeric: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numeric_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typedef: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// A unit inside the unit. In a UUR, index 0 is the repaired unit itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubUnit {
    #[serde(default)]
    pub part_type: Option<String>,
    #[serde(default)]
    pub pn: Option<String>,
    #[serde(default)]
    pub sn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idx: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_idx: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_idx: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<Failure>>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a repair found on a unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    #[serde(default)]
    pub category: Option<String>,
    #[serde(default)]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Component reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub com_ref: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub func_block: Option<String>,
    /// Id of the failed step in the referenced test report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_step_id: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_step_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_rev: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_vendor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<BinaryData>>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// A file of a repair report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BinaryData {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub content_type: Option<String>,
    /// Base64.
    #[serde(default)]
    pub data: Option<String>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// A piece of equipment that was used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    #[serde(rename = "assetSN", default)]
    pub asset_sn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_count: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_count_format: Option<String>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// How far a piece of equipment is from its limits; output of the server only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetStats {
    #[serde(rename = "assetSN", default, skip_serializing_if = "Option::is_none")]
    pub asset_sn: Option<String>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// A free tree of properties.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalData {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub props: Vec<Property>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// One node of a free tree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    #[serde(default)]
    pub name: Option<String>,
    /// `String`, `Number`, `Bool`, `Obj`, `Array`.
    #[serde(rename = "type", default)]
    pub property_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<i32>,
    /// Always text, for numbers too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub props: Option<Vec<Property>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<PropertyArray>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// The elements of a property of type `Array`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyArray {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<i32>,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub element_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexedProperty>,
    #[serde(flatten)]
    pub extra: Extra,
}

/// One element of an array.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexedProperty {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<Property>>,
    #[serde(flatten)]
    pub extra: Extra,
}

impl Report {
    /// A test report with an empty root sequence. Everything that is not given is empty.
    pub fn uut(pn: impl Into<String>, sn: impl Into<String>, rev: impl Into<String>) -> Self {
        Self {
            report_type: ReportType::Test,
            id: None,
            pn: pn.into(),
            sn: sn.into(),
            rev: rev.into(),
            product_name: None,
            process_code: None,
            process_code_format: None,
            process_name: None,
            result: Status::Passed,
            machine_name: String::new(),
            location: String::new(),
            purpose: String::new(),
            origin: None,
            start: None,
            start_utc: None,
            root: Some(Step::sequence("MainSequence Callback")),
            uut: Some(Uut { user: Some(String::new()), ..Uut::default() }),
            uur: None,
            misc_infos: Vec::new(),
            sub_units: Vec::new(),
            assets: Vec::new(),
            asset_stats: Vec::new(),
            binary_data: Vec::new(),
            additional_data: Vec::new(),
            extra: Extra::new(),
        }
    }
}
