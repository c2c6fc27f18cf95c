//! How plug-ins are told of: states, kinds, what trust means, and what the sandbox lacks.

use wats_agent::control::api::{
    ConverterInfo, ConverterKind, LogLevel, LogLine, Part, PluginInfo, PluginLanguage, PluginState,
    SandboxStatus,
};

use crate::error::sentence;
use crate::words::{Badge, Tone};

/// How a plug-in stands.
pub(super) fn state_badge(plugin: &PluginInfo) -> Badge {
    match plugin.state {
        PluginState::Disabled => Badge::new(Tone::Quiet, "Not enabled"),
        PluginState::Enabled if plugin.trouble.is_some() => Badge::new(Tone::Bad, "Broken"),
        PluginState::Enabled => Badge::new(Tone::Good, "Enabled"),
        PluginState::Changed => Badge::new(Tone::Attention, "Changed"),
        PluginState::Missing => Badge::new(Tone::Bad, "Gone"),
        PluginState::Unusable => Badge::new(Tone::Bad, "Unusable"),
    }
}

/// What is to be done about the state; `None` when nothing is.
pub(super) fn state_words(plugin: &PluginInfo) -> Option<String> {
    let trouble = || plugin.trouble.as_deref().map(sentence).unwrap_or_default();
    match plugin.state {
        PluginState::Disabled => None,
        PluginState::Enabled => plugin.trouble.as_deref().map(sentence),
        PluginState::Changed => Some(
            "Another content lies there than the one that was enabled. It does not run, and files for it wait in their \
             folders. Look at it, and enable it again."
                .to_owned(),
        ),
        PluginState::Missing => Some(
            "It was enabled, and its file has gone from the plug-in folder. Files for it wait in their folders. Bring \
             the file again, or disable it."
                .to_owned(),
        ),
        PluginState::Unusable => Some(trouble()),
    }
}

/// What it is, and what it converts.
pub(super) fn kind_words(plugin: &PluginInfo) -> String {
    let language = match plugin.language {
        PluginLanguage::Python => "Python",
        PluginLanguage::Program => "Program",
    };
    let has = |kind| plugin.converters.iter().any(|it| it.kind == kind);
    let kinds = [
        (ConverterKind::File, "files"),
        (ConverterKind::Folder, "folders"),
        (ConverterKind::Scheduled, "at set times"),
    ];
    let kinds: Vec<_> = kinds.into_iter().filter(|(kind, _)| has(*kind)).map(|(_, word)| word).collect();
    if kinds.is_empty() { language.to_owned() } else { format!("{language}: {}", kinds.join(", ")) }
}

/// What one converter takes.
pub(super) fn takes_words(converter: &ConverterInfo) -> String {
    let patterns = converter.file_patterns.join(" ");
    match converter.kind {
        ConverterKind::File => format!("files {patterns}"),
        ConverterKind::Folder => format!("whole folders {patterns}"),
        ConverterKind::Scheduled => "no file: it runs at its own times".to_owned(),
    }
}

/// What a person allows who trusts a plug-in with a part.
pub(super) fn part_words(part: Part) -> (&'static str, &'static str) {
    match part {
        Part::Network => (
            "Network",
            "It may reach every computer that this machine reaches, and send there whatever it reads.",
        ),
        Part::Processes => {
            ("Other programs", "It may start any program of this machine, and as many processes as it likes.")
        }
        Part::Memory => (
            "Memory",
            "It may take all memory of this machine: the agent and this console may come to a standstill.",
        ),
        Part::Time => ("Time", "It may run without end, and the files behind it wait as long."),
        Part::Files => (
            "Other files",
            "It may read the folders /home, /srv, /mnt, /media and /data: results of other stations, and what else lies there.",
        ),
        Part::SystemCalls => (
            "System calls",
            "It may ask the kernel for anything: one weakness in the kernel, and it is out of the sandbox with the agent's rights.",
        ),
    }
}

/// What a person who relies on the sandbox must know; `None` when all its layers hold.
pub(super) fn sandbox_words(sandbox: &SandboxStatus) -> Option<String> {
    if let Some(trouble) = &sandbox.trouble {
        return Some(sentence(&format!(
            "there is no sandbox on this machine, so no converter of your own runs: {trouble}"
        )));
    }
    let missing = sandbox.missing();
    if missing.is_empty() {
        return None;
    }
    Some(format!(
        "The sandbox has {} of its {} layers on this machine. Missing: {}. Enable only what you would run without them.",
        sandbox.layers.len() - missing.len(),
        sandbox.layers.len(),
        missing.join(", ")
    ))
}

/// A line of a conversion's log.
pub(in crate::pages) struct LogRow {
    pub badge: Badge,
    pub text: String,
}

pub(in crate::pages) fn log_rows(lines: Vec<LogLine>) -> Vec<LogRow> {
    let badge = |level| match level {
        LogLevel::Debug => Badge::new(Tone::Quiet, "debug"),
        LogLevel::Info => Badge::new(Tone::Quiet, "info"),
        LogLevel::Warning => Badge::new(Tone::Attention, "warning"),
        LogLevel::Error => Badge::new(Tone::Bad, "error"),
        LogLevel::Output => Badge::new(Tone::Quiet, "output"),
    };
    lines.into_iter().map(|line| LogRow { badge: badge(line.level), text: line.text }).collect()
}

#[cfg(test)]
mod tests {
    use wats_agent::control::api::SandboxLayer;

    use super::*;

    #[test]
    fn a_sandbox_with_holes_is_told_of_and_a_whole_one_is_not() {
        let layer = |name: &str, holds| SandboxLayer {
            name: name.to_owned(),
            protects: String::new(),
            holds,
            detail: String::new(),
            remedy: String::new(),
        };
        let layers = vec![layer("users", true), layer("control-group", false)];
        let words = sandbox_words(&SandboxStatus { layers, trouble: None }).unwrap();
        assert!(words.contains("1 of its 2 layers") && words.contains("Missing: control-group"), "{words}");
        let whole = SandboxStatus { layers: vec![layer("users", true)], trouble: None };
        assert_eq!(sandbox_words(&whole), None);
        let none = SandboxStatus { layers: Vec::new(), trouble: Some("no kernel".to_owned()) };
        assert!(sandbox_words(&none).unwrap().ends_with("runs: no kernel."));
    }
}
