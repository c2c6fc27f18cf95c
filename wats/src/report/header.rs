//! The report itself and all that hangs on it beside the steps.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Double, Extra, Status, Step, Text, Time};

/// UUT (test) or UUR (repair).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ReportType {
    /// A test, UUT.
    #[serde(rename = "T")]
    Test,
    /// A repair, UUR.
    #[serde(rename = "R")]
    Repair,
}

/// One run of one process on one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Test or repair; decides which of the members below are there.
    #[serde(rename = "type")]
    pub report_type: ReportType,
    /// The report's identity: the same id replaces the report on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Part number, 1 to 100 characters.
    #[serde(default)]
    pub pn: Text,
    /// Serial number, 1 to 100 characters.
    #[serde(default)]
    pub sn: Text,
    /// Revision of the part.
    #[serde(default)]
    pub rev: Text,
    /// Output of the server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_name: Option<Text>,
    /// A test operation in a UUT, a repair operation in a UUR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code_format: Option<Text>,
    /// The operation's name; when sent, it must belong to the code, letter case included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_name: Option<Text>,
    /// Passed, Failed, Error or Terminated; that of the root step.
    pub result: Status,
    /// Station name.
    #[serde(default)]
    pub machine_name: Text,
    /// Where the station stands, 1 to 100 characters.
    #[serde(default)]
    pub location: Text,
    /// What the station is for, 1 to 100 characters.
    #[serde(default)]
    pub purpose: Text,
    /// User or client that sent it; output of the server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Text>,
    /// When the run began, with its offset from UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    /// The same instant as `start`, with `Z`.
    #[serde(rename = "startUTC", default, skip_serializing_if = "Option::is_none")]
    pub start_utc: Option<Time>,
    /// UUT only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Step>,
    /// UUT only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uut: Option<Uut>,
    /// UUR only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uur: Option<Uur>,
    /// Searchable keys with their values.
    #[serde(default)]
    pub misc_infos: Vec<MiscInfo>,
    /// Units inside the unit; in a UUR the first is the unit itself.
    #[serde(default)]
    pub sub_units: Vec<SubUnit>,
    /// Equipment that was used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assets: Vec<Asset>,
    /// How worn that equipment is; output of the server only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asset_stats: Vec<AssetStats>,
    /// UUR only: files of the whole report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub binary_data: Vec<BinaryData>,
    /// Free trees of properties.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_data: Vec<AdditionalData>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a test report has beyond the common header.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Uut {
    /// Operator.
    #[serde(default)]
    pub user: Option<Text>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_time: Option<Double>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exec_time_format: Option<Text>,
    /// -1: no socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_socket_index: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_socket_index_format: Option<Text>,
    /// Lot or batch, at most 100 characters.
    #[serde(rename = "batchSN", default, skip_serializing_if = "Option::is_none")]
    pub batch_sn: Option<Text>,
    /// At most 5000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
    /// Shown only together with a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code_format: Option<Text>,
    /// At most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Text>,
    /// Fixture or test rig, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixture_id: Option<Text>,
    /// How many units of the batch failed so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_fail_count: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_fail_count_format: Option<Text>,
    /// The unit's number within the batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_loop_index: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_loop_index_format: Option<Text>,
    /// Output of the server only.
    #[serde(rename = "stepIdCausedUUTFailure", default, skip_serializing_if = "Option::is_none")]
    pub step_id_caused_uut_failure: Option<i32>,
    /// Repairs that point at this report.
    #[serde(rename = "refUURs", default, skip_serializing_if = "Option::is_none")]
    pub ref_uurs: Option<Vec<RefUur>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A repair that points at a test report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefUur {
    /// Id of the repair report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// When the repair began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a repair report has beyond the common header.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Uur {
    /// Repair operator.
    #[serde(default)]
    pub user: Option<Text>,
    /// At most 5000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
    /// The test operation that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_code_format: Option<Text>,
    /// Name of that operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_name: Option<Text>,
    /// The failed test report.
    #[serde(rename = "refUUT", default)]
    pub ref_uut: Option<Uuid>,
    /// When the repair was confirmed, in UTC.
    #[serde(default)]
    pub confirm_date: Option<Time>,
    /// When the repair was closed, in UTC.
    #[serde(default)]
    pub finalize_date: Option<Time>,
    /// Seconds.
    #[serde(default)]
    pub exec_time: Option<Double>,
    /// The repair that this one is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Uuid>,
    /// Repairs that are parts of this one; output of the server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Uuid>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A searchable key with its value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MiscInfo {
    /// The key, at most 100 characters.
    #[serde(default)]
    pub description: Option<Text>,
    /// The value, at most 100 characters.
    #[serde(default)]
    pub text: Option<Text>,
    /// The value as a number of 16 bits; text and number may both be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numeric: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numeric_format: Option<Text>,
    /// A type of the field as the sender names it, at most 30 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typedef: Option<Text>,
    /// UUR only: the field of the repair process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A unit inside the unit. In a UUR, index 0 is the repaired unit itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubUnit {
    /// What kind of part, at most 50 characters; `Main` for the repaired unit.
    #[serde(default)]
    pub part_type: Option<Text>,
    /// Part number, at most 100 characters.
    #[serde(default)]
    pub pn: Option<Text>,
    /// Serial number, at most 100 characters.
    #[serde(default)]
    pub sn: Option<Text>,
    /// Revision, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<Text>,
    /// UUR: number of the unit within the report, 0 for the repaired one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idx: Option<i32>,
    /// UUR: the unit that this one sits in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_idx: Option<i32>,
    /// Place within the parent, 16 bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i32>,
    /// UUR: the unit that replaced this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_idx: Option<i32>,
    /// UUR: what was found on this unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failures: Option<Vec<Failure>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a repair found on a unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Name of a category of the repair process.
    #[serde(default)]
    pub category: Option<Text>,
    /// Name of a code below that category.
    #[serde(default)]
    pub code: Option<Text>,
    /// What the operator wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
    /// Component reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub com_ref: Option<Text>,
    /// Function block, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub func_block: Option<Text>,
    /// Id of the failed step in the referenced test report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_step_id: Option<i32>,
    /// Its name; output of the server only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_step_name: Option<Text>,
    /// Article number of the replaced part, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_number: Option<Text>,
    /// Its revision, at most 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_rev: Option<Text>,
    /// Its vendor, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_vendor: Option<Text>,
    /// What it is, at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub art_description: Option<Text>,
    /// Files about the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Vec<BinaryData>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A file of a repair report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BinaryData {
    /// Given by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// File name, at most 256 characters.
    #[serde(default)]
    pub name: Option<Text>,
    /// MIME type.
    #[serde(default)]
    pub content_type: Option<Text>,
    /// Base64.
    #[serde(default)]
    pub data: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A piece of equipment that was used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// Serial number of the equipment, at most 100 characters.
    #[serde(rename = "assetSN", default)]
    pub asset_sn: Option<Text>,
    /// How many uses to add.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_count: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_count_format: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How far a piece of equipment is from its limits; output of the server only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetStats {
    /// Serial number of the equipment.
    #[serde(rename = "assetSN", default, skip_serializing_if = "Option::is_none")]
    pub asset_sn: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A free tree of properties.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalData {
    /// What the tree is about, at most 200 characters.
    #[serde(default)]
    pub name: Option<Text>,
    /// Its properties.
    #[serde(default)]
    pub props: Vec<Property>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One node of a free tree.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// The key.
    #[serde(default)]
    pub name: Option<Text>,
    /// `String`, `Number`, `Bool`, `Obj`, `Array`.
    #[serde(rename = "type", default)]
    pub property_type: Option<Text>,
    /// Bits of TestStand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<i32>,
    /// Always text, for numbers too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Text>,
    /// Display format of a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_format: Option<Text>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text>,
    /// The members of a property of type `Obj`.
    #[serde(default, deserialize_with = "super::depth::member", skip_serializing_if = "Option::is_none")]
    pub props: Option<Vec<Property>>,
    /// The elements of a property of type `Array`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<PropertyArray>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The elements of a property of type `Array`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyArray {
    /// Number of dimensions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimension: Option<i32>,
    /// Type of the elements.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub element_type: Option<Text>,
    /// The elements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexedProperty>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One element of an array.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IndexedProperty {
    /// The index as TestStand shows it: `[0][1]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
    /// The index in each dimension.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<i32>,
    /// The element.
    #[serde(default, deserialize_with = "super::depth::member", skip_serializing_if = "Option::is_none")]
    pub value: Option<Box<Property>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Report {
    /// A test report with an empty root sequence. Everything that is not given is empty.
    pub fn uut(pn: impl Into<Text>, sn: impl Into<Text>, rev: impl Into<Text>) -> Self {
        Self { root: Some(Step::sequence("MainSequence Callback")), ..Self::without_root(pn, sn, rev) }
    }

    /// Like [`Report::uut`], for who makes the root sequence anyway.
    pub fn without_root(pn: impl Into<Text>, sn: impl Into<Text>, rev: impl Into<Text>) -> Self {
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
            machine_name: Text::default(),
            location: Text::default(),
            purpose: Text::default(),
            origin: None,
            start: None,
            start_utc: None,
            root: None,
            uut: Some(Uut { user: Some(Text::default()), ..Uut::default() }),
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
