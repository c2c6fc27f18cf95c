//! Reads one file, or its backup when it is broken.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

/// A larger file is no configuration.
const MAX_BYTES: u64 = 16 << 20;

/// Where a configuration was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileRead {
    /// As it was named.
    pub path: String,
    /// The same, or its backup.
    pub read_from: String,
    /// Why it was the backup, or why nothing could be read.
    pub trouble: Option<String>,
}

/// Reads a file; when it is missing or broken, the `.bak` that the client leaves beside it.
pub fn read(path: &Path) -> (FileRead, Option<Map<String, Value>>) {
    let shown = path.display().to_string();
    let why = match content(path) {
        Ok(content) => {
            return (FileRead { path: shown.clone(), read_from: shown, trouble: None }, Some(content));
        }
        Err(why) => why,
    };
    for backup in backups(path) {
        if let Ok(content) = content(&backup) {
            let read_from = backup.display().to_string();
            let trouble = Some(format!("{shown} {why}: its backup was read instead"));
            return (FileRead { path: shown, read_from, trouble }, Some(content));
        }
    }
    let trouble = Some(format!("{why}, and there is no backup that can be read"));
    (FileRead { path: shown.clone(), read_from: shown, trouble }, None)
}

fn backups(path: &Path) -> [PathBuf; 2] {
    let mut behind = path.as_os_str().to_owned();
    behind.push(".bak");
    [behind.into(), path.with_extension("bak")]
}

/// The JSON object, or what is wrong, without repeating it: it may hold a secret.
fn content(path: &Path) -> Result<Map<String, Value>, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("cannot be read ({error})"))?;
    if !file.metadata().is_ok_and(|it| it.is_file()) {
        return Err("is no file".to_owned());
    }
    let length = file.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    if length.map_err(|error| format!("cannot be read ({error})"))? as u64 > MAX_BYTES {
        return Err("is larger than 16 MiB, which no configuration is".to_owned());
    }
    let text = text(&bytes)?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(content)) => Ok(content),
        Ok(_) => Err("holds no JSON object".to_owned()),
        Err(_) if text.trim().is_empty() => Err("is empty".to_owned()),
        Err(error) => Err(format!("is no JSON at line {}, column {}", error.line(), error.column())),
    }
}

/// UTF-8, with or without the mark at its beginning, or UTF-16 with one.
fn text(bytes: &[u8]) -> Result<String, String> {
    let wide = |bytes: &[u8], join: fn([u8; 2]) -> u16| {
        let (pairs, _) = bytes.as_chunks::<2>();
        String::from_utf16(&pairs.iter().map(|pair| join(*pair)).collect::<Vec<_>>()).ok()
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => String::from_utf8(rest.to_vec()).ok(),
    };
    text.ok_or_else(|| "is no text in UTF-8".to_owned())
}
