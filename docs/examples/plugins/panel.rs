//! A plug-in in Rust without any crate: one file, several reports.
//!
//! A panel file names a part and then one board on each line: `PART`, then `SERIAL pass` or `SERIAL fail`. Build it with
//! `rustc -O panel.rs` and put the program `panel` into the plug-in folder.

use std::io::{BufRead, Write};

const DESCRIPTION: &str = r#"{"answer": "described", "protocol": 1, "persistent": true, "converters": [{"name": "panel", "title": "Panels (example)", "version": "1.0.0", "patterns": ["*.panel"]}]}"#;

fn main() -> std::io::Result<()> {
    let (stdin, mut stdout) = (std::io::stdin().lock(), std::io::stdout().lock());
    for request in stdin.lines() {
        let request = request?;
        match member(&request, "request").as_deref() {
            Some("describe") => writeln!(stdout, "{DESCRIPTION}")?,
            Some("convert") => {
                let path = member(&request, "path").unwrap_or_default();
                match std::fs::read_to_string(&path) {
                    Ok(text) => convert(&text, &mut stdout)?,
                    Err(error) => writeln!(stdout, r#"{{"answer": "failed", "error": {}}}"#, quoted(&error.to_string()))?,
                }
            }
            _ => writeln!(stdout, r#"{{"answer": "error", "text": "not known here"}}"#)?,
        }
        stdout.flush()?;
    }
    Ok(())
}

fn convert(text: &str, out: &mut impl Write) -> std::io::Result<()> {
    let mut lines = text.lines();
    let part = lines.next().unwrap_or_default().trim();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let result = match line.split_whitespace().nth(1) {
            Some("pass") => "P",
            Some("fail") => "F",
            _ => {
                // None of the reports before it is used then.
                return writeln!(out, r#"{{"answer": "failed", "error": "expected SERIAL pass|fail", "line": {}}}"#, number + 2);
            }
        };
        let serial = line.split_whitespace().next().unwrap_or_default();
        writeln!(
            out,
            r#"{{"answer": "report", "report": {{"type": "T", "sn": {}, "pn": {}, "rev": "A", "result": "{result}", "processCode": 10, "root": {{"stepType": "SequenceCall", "group": "M", "name": "Main", "status": "{result}", "steps": []}}}}}}"#,
            quoted(serial),
            quoted(part)
        )?;
    }
    writeln!(out, r#"{{"answer": "done"}}"#)
}

/// The text of a member of a request. A real program has a JSON library for that.
fn member(request: &str, name: &str) -> Option<String> {
    let (_, rest) = request.split_once(&format!("\"{name}\":"))?;
    let rest = rest.trim_start().strip_prefix('"')?;
    let (mut text, mut chars) = (String::new(), rest.chars());
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => match chars.next()? {
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// A text as JSON has it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
