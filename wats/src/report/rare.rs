//! What most steps do not have.

use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{AdditionalData, Attachment, CallExe, Chart, Extra, List, MessagePopup, Text};

/// The members of a step that most steps do not have.
///
/// They take up room only where there are some, because there may be very many steps: to look at one that is not there
/// is free, to write one makes room for all.
#[derive(Debug, Clone, Default)]
pub struct Rare(Option<Box<RareMembers>>);

/// What stands in [`Rare`].
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RareMembers {
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tot_time_format: Option<Text>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code_format: Option<Text>,
    /// At most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Text>,
    /// TestStand's number of an interactive execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interactive_exe_num: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interactive_exe_num_format: Option<Text>,
    /// A program that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_exe: Option<Box<CallExe>>,
    /// A question to the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_popup: Option<Box<MessagePopup>>,
    /// Not together with `attachment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<Box<Chart>>,
    /// Not together with `chart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Box<Attachment>>,
    /// Free trees of properties.
    #[serde(skip_serializing_if = "List::is_empty")]
    pub additional_results: List<AdditionalData>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Rare {
    /// No members.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The members to be changed, where there are any.
    pub fn get_mut(&mut self) -> Option<&mut RareMembers> {
        self.0.as_deref_mut()
    }

    /// Sets one member, for which room is made only if there is something to be set.
    pub fn set<T>(&mut self, member: impl FnOnce(&mut RareMembers) -> &mut Option<T>, value: Option<T>) {
        if value.is_some() || self.0.is_some() {
            *member(self) = value;
        }
    }
}

impl From<RareMembers> for Rare {
    fn from(members: RareMembers) -> Self {
        Self((members != *NONE).then(|| Box::new(members)))
    }
}

static NONE: LazyLock<RareMembers> = LazyLock::new(RareMembers::default);

impl Deref for Rare {
    type Target = RareMembers;

    fn deref(&self) -> &RareMembers {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Rare {
    fn deref_mut(&mut self) -> &mut RareMembers {
        self.0.get_or_insert_default()
    }
}

impl PartialEq for Rare {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            _ => **self == **other,
        }
    }
}

impl Serialize for Rare {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(members) => members.serialize(to),
            None => to.serialize_map(Some(0))?.end(),
        }
    }
}
