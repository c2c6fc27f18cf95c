//! Paths in JSON: names need not be UTF-8.

/// A path as base64 of its bytes.
pub(super) mod path {
    use std::path::{Path, PathBuf};

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::system;

    pub(in super::super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(system::bytes(path.as_os_str())))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = BASE64.decode(text).map_err(serde::de::Error::custom)?;
        Ok(PathBuf::from(system::from_bytes(bytes)))
    }
}
