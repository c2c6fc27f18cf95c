//! Members that the model does not know.

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::wsjf;

/// Members that the model does not know, in the order in which they came: a JSON object, which takes up room only
/// where there are some.
#[derive(Clone, Default)]
pub struct Extra(Option<Box<Map<String, Value>>>);

impl Extra {
    /// No members.
    pub const fn new() -> Self {
        Self(None)
    }

    /// Takes a member that was read.
    pub(super) fn read(&mut self, name: String, value: Value) {
        if wsjf::is_misspelt(&name, &value) {
            MISSPELT.set(true);
        }
        self.insert(name, value);
    }
}

static NONE: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

impl Deref for Extra {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Extra {
    fn deref_mut(&mut self) -> &mut Map<String, Value> {
        self.0.get_or_insert_default()
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            _ => **self == **other,
        }
    }
}

impl From<Extra> for Value {
    fn from(extra: Extra) -> Self {
        Self::Object(extra.0.map(|members| *members).unwrap_or_default())
    }
}

impl Extend<(String, Value)> for Extra {
    fn extend<I: IntoIterator<Item = (String, Value)>>(&mut self, members: I) {
        for (name, value) in members {
            self.insert(name, value);
        }
    }
}

impl IntoIterator for Extra {
    type Item = (String, Value);
    type IntoIter = serde_json::map::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(|members| *members).unwrap_or_default().into_iter()
    }
}

impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(members) => members.serialize(to),
            None => to.serialize_map(Some(0))?.end(),
        }
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Extra;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Extra, A::Error> {
                let mut extra = Extra::new();
                while let Some((name, value)) = members.next_entry()? {
                    extra.read(name, value);
                }
                Ok(extra)
            }
        }
        from.deserialize_map(Members)
    }
}

thread_local! {
    /// Whether a report that was read on this thread had a member that may be one of the model in another spelling.
    static MISSPELT: Cell<bool> = const { Cell::new(false) };
}

/// To be called before a report is read, if [`saw_misspelt`] is asked afterwards.
pub(crate) fn forget_misspelt() {
    MISSPELT.set(false);
}

/// True when any member, at any depth, of the report that was read last may be one of the model in another spelling.
///
/// Which object has unknown members is seen while they are read, and nowhere else without a walk through the whole
/// report.
pub(crate) fn saw_misspelt() -> bool {
    MISSPELT.get()
}
