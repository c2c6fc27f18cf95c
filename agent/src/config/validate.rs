//! What must hold in a configuration beyond its form.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use url::Url;

use super::{Plugins, Server, Settings};
use crate::control::api::{Problem, SourceSettings, Station};
use crate::plugins::description::is_name;
use crate::plugins::{argument, content, name_of};

/// Everything that is wrong, with keys as in the file: `sources[1].folder`.
pub fn problems(settings: &Settings) -> Vec<Problem> {
    let config = &settings.config;
    let mut found = Vec::new();
    if config.version != 1 {
        let wrong = format!(
            "this agent reads version 1, not {}: the file was made for another agent",
            config.version
        );
        found.push(problem("version", wrong));
    }
    found.extend(within("station", station_problems(&config.station)));
    found.extend(within("server", server_problems(&config.server)));

    range(&mut found, "delivery.uploads", u64::from(config.delivery.uploads), 1, 64);
    let pace = config.delivery.requests_per_minute;
    range(&mut found, "delivery.requests_per_minute", u64::from(pace), 0, 100_000);
    range(&mut found, "intake.settle_seconds", u64::from(config.intake.settle_seconds), 1, 3600);
    range(&mut found, "intake.rescan_seconds", u64::from(config.intake.rescan_seconds), 1, 86_400);
    let silence = u64::from(config.intake.share_timeout_seconds);
    range(&mut found, "intake.share_timeout_seconds", silence, 1, 600);
    range(&mut found, "intake.max_file_bytes", config.intake.max_file_bytes, 1024, 1 << 30);
    range(&mut found, "convert.workers", u64::from(config.convert.workers), 1, 64);
    range(&mut found, "convert.time_limit_seconds", u64::from(config.convert.time_limit_seconds), 1, 3600);

    let control = &config.control;
    let pace = u64::from(control.requests_per_minute);
    range(&mut found, "control.requests_per_minute", pace, 0, 1_000_000);
    let pace = u64::from(control.service_requests_per_minute);
    range(&mut found, "control.service_requests_per_minute", pace, 0, 1_000_000);
    if let Some(address) = control.listen.filter(|it| !it.ip().is_loopback()) {
        let wrong =
            format!("{address} is not on this machine alone: use 127.0.0.1 or ::1, like 127.0.0.1:8765");
        found.push(problem("control.listen", wrong));
    }

    if cfg!(windows) && !control.allow_users.is_empty() {
        let wrong = "on Windows the system lets administrators and the agent's own user in, and nobody else";
        found.push(problem("control.allow_users", wrong));
    }

    range(&mut found, "retention.days", u64::from(config.retention.days), 0, 36_500);
    range(&mut found, "retention.percent", u64::from(config.retention.percent), 0, 90);
    range(&mut found, "storage.least_free_mb", u64::from(config.storage.least_free_mb), 16, 1_000_000);

    let paths = [
        ("control.socket", &config.control.socket),
        ("storage.folder", &config.storage.folder),
        ("storage.machine_key", &config.storage.machine_key),
    ];
    for (key, path) in paths {
        if let Some(wrong) = path.as_deref().and_then(path_problem) {
            found.push(problem(key, wrong));
        }
    }

    found.extend(within("plugins", plugins_problems(&config.plugins)));
    let sandbox = &config.sandbox;
    range(&mut found, "sandbox.seconds", u64::from(sandbox.seconds), 1, 3600);
    range(&mut found, "sandbox.processor_seconds", u64::from(sandbox.processor_seconds), 1, 3600);
    range(&mut found, "sandbox.memory_mb", u64::from(sandbox.memory_mb), 128, 65_536);

    for (index, source) in config.sources.iter().enumerate() {
        let earlier = config.sources.get(..index).unwrap_or_default();
        let wrong = source_problems(settings, source, earlier);
        found.extend(within(&format!("sources[{index}]"), wrong));
    }
    found
}

/// What is wrong with a source, beside the `others`; keys as in the source: `arguments.partNumber`.
pub fn source_problems(
    settings: &Settings,
    source: &SourceSettings,
    others: &[SourceSettings],
) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Some(wrong) = name_problem(&source.name) {
        found.push(problem("name", wrong));
    } else if others.iter().any(|other| other.name == source.name) {
        found.push(problem("name", format!("there is already a source {:?}", source.name)));
    }
    if let Some(wrong) = folder_problem(settings, source, others) {
        found.push(problem("folder", wrong));
    }
    for (index, pattern) in source.file_patterns.iter().enumerate() {
        if pattern.is_empty() || pattern.contains('/') {
            let wrong = format!("{pattern:?} is no pattern of a file name, like *.json");
            found.push(problem(format!("file_patterns[{index}]"), wrong));
        }
    }
    match wats_converters::find(&source.converter) {
        _ if name_of(&source.converter).is_some() => found.extend(plugin_problems(settings, source)),
        None => {
            let known: Vec<_> = wats_converters::selectable().map(|it| it.about().name).collect();
            let wrong = format!("there is no converter {:?}; known: {}", source.converter, known.join(", "));
            found.push(problem("converter", wrong));
        }
        Some(converter) => found.extend(argument_problems(converter.about().arguments, &source.arguments)),
    }
    if !(1..=10).contains(&source.priority) {
        found.push(problem("priority", format!("{} is not from 1, the most urgent, to 10", source.priority)));
    }
    let wrong = source.intake.problems(settings.effective(source).unit());
    found.extend(wrong.into_iter().map(|(key, words)| problem(format!("intake.{key}"), words)));
    found
}

/// What is wrong with a station.
pub fn station_problems(station: &Station) -> Vec<Problem> {
    let mut found = Vec::new();
    if station.name.trim().is_empty() {
        found.push(problem("name", "a station needs a name"));
    }
    for (key, text) in
        [("name", &station.name), ("location", &station.location), ("purpose", &station.purpose)]
    {
        if text.chars().count() > 100 {
            found.push(problem(key, "at most 100 characters"));
        } else if text.chars().any(char::is_control) {
            found.push(problem(key, "control characters are not allowed"));
        }
    }
    if jiff::tz::TimeZone::get(&station.time_zone).is_err() {
        let wrong = format!("{:?} is no time zone, like Europe/Oslo", station.time_zone);
        found.push(problem("time_zone", wrong));
    }
    found
}

/// What is wrong with a source whose converter is a plug-in's. That it is not enabled, or has changed, is shown by the
/// source and stops no other.
fn plugin_problems(settings: &Settings, source: &SourceSettings) -> Vec<Problem> {
    if !name_of(&source.converter).is_some_and(is_name) {
        let wrong = format!(
            "{:?} is no name of a plug-in's converter: plugin: and then letters, digits, '-' and '_', at most 64",
            source.converter
        );
        return vec![problem("converter", wrong)];
    }
    let Some(declared) = settings.plugin_arguments(&source.converter) else { return Vec::new() };
    let wrong = argument::values(declared, &source.arguments).err().unwrap_or_default();
    wrong.into_iter().map(|(name, words)| problem(format!("arguments.{name}"), words)).collect()
}

/// What is wrong with the settings of plug-ins.
fn plugins_problems(plugins: &Plugins) -> Vec<Problem> {
    let mut found = Vec::new();
    range(&mut found, "attempts", u64::from(plugins.attempts), 1, 10_000);
    range(&mut found, "answer_mb", u64::from(plugins.answer_mb), 1, 1024);
    let folder = plugins.folder.as_deref();
    for (key, path) in
        [("folder", folder), ("support", Some(&*plugins.support)), ("python", Some(&*plugins.python))]
    {
        if let Some(wrong) = path.and_then(path_problem) {
            found.push(problem(key, wrong));
        }
    }
    for (index, enabled) in plugins.enabled.iter().enumerate() {
        if let Err(error) = content::check_name(&enabled.file) {
            found.push(problem(format!("enabled[{index}].file"), error.to_string()));
        }
        if plugins.enabled.iter().take(index).any(|it| it.file == enabled.file) {
            found.push(problem(
                format!("enabled[{index}].file"),
                format!("{:?} is enabled twice", enabled.file),
            ));
        }
        let is_hash =
            |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash(&enabled.sha256) {
            let wrong =
                "is no SHA-256, 64 lower-case hexadecimal digits: 'wats-agent plugin enable' writes it";
            found.push(problem(format!("enabled[{index}].sha256"), wrong));
        }
    }
    found
}

/// Checks each argument on its own, so that each mistake has its key.
fn argument_problems(
    declared: &[wats_converters::Argument],
    given: &BTreeMap<String, String>,
) -> Vec<Problem> {
    given
        .iter()
        .filter_map(|(name, value)| {
            let alone = BTreeMap::from([(name.clone(), value.clone())]);
            let error = wats_converters::Arguments::new(declared, &alone).err()?;
            Some(problem(format!("arguments.{name}"), error.to_string()))
        })
        .collect()
}

fn server_problems(server: &Server) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, url) in [("url", &server.url), ("proxy", &server.proxy)] {
        if let Some(wrong) = url.as_deref().and_then(url_problem) {
            found.push(problem(key, wrong));
        }
    }
    for (index, name) in server.proxy_bypass.iter().enumerate() {
        if name.is_empty() || name.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control()) {
            let wrong = format!("{name:?} is no name or address, like intranet.example.com or 10.0.0.0/8");
            found.push(problem(format!("proxy_bypass[{index}]"), wrong));
        }
    }
    if server.extra_ca.as_deref().is_some_and(|pem| !pem.contains("-----BEGIN CERTIFICATE-----")) {
        found.push(problem("extra_ca", "no certificate in PEM form: -----BEGIN CERTIFICATE-----"));
    }
    found
}

pub(super) fn url_problem(text: &str) -> Option<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(error) => return Some(format!("{text:?} is no address: {error}")),
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Some(format!("{text:?} must begin with https:// or http:// and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("a user name or password does not belong into the address".to_owned());
    }
    (url.query().is_some() || url.fragment().is_some())
        .then(|| format!("{text:?} has a part after '?' or '#', which an address of a server has not"))
}

/// Lower-case letters, digits and dashes: the name becomes part of paths.
fn name_problem(name: &str) -> Option<&'static str> {
    let fine = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && name.len() <= 64;
    (!fine).then_some("use lower-case letters, digits and dashes, at most 64, like line-3")
}

fn path_problem(path: &Path) -> Option<String> {
    if !path.is_absolute() {
        return Some(format!("{:?} must be an absolute path, from / on", path.display().to_string()));
    }
    path.components()
        .any(|part| part == Component::ParentDir)
        .then(|| format!("{:?} must not contain ..", path.display().to_string()))
}

/// Two sources must not see each other's files, nor the agent's own.
fn folder_problem(settings: &Settings, source: &SourceSettings, others: &[SourceSettings]) -> Option<String> {
    let folder = settings.folder_of(source);
    if let Some(wrong) = path_problem(&folder) {
        return Some(wrong);
    }
    if folder.parent().is_none() {
        return Some("the root of the file system cannot be watched".to_owned());
    }
    if overlap(&folder, &settings.storage_folder()) {
        return Some(format!("overlaps the agent's own folder {}", settings.storage_folder().display()));
    }
    let other = others
        .iter()
        .filter(|other| other.name != source.name)
        .find(|other| overlap(&folder, &settings.folder_of(other)))?;
    let theirs = settings.folder_of(other);
    Some(format!("overlaps the folder {} of the source {:?}", theirs.display(), other.name))
}

/// True when one is the other, or lies in it.
fn overlap(one: &Path, other: &Path) -> bool {
    let plain = |path: &Path| path.components().collect::<PathBuf>();
    let (one, other) = (plain(one), plain(other));
    one.starts_with(&other) || other.starts_with(&one)
}

fn range(found: &mut Vec<Problem>, key: &str, value: u64, least: u64, most: u64) {
    if !(least..=most).contains(&value) {
        found.push(problem(key, format!("{value} is out of range: {least} to {most}")));
    }
}

fn problem(key: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem { field: Some(key.into()), message: message.into() }
}

/// The same problems, seen from outside.
fn within(parent: &str, problems: Vec<Problem>) -> impl Iterator<Item = Problem> {
    problems.into_iter().map(move |problem| Problem {
        field: Some(match problem.field {
            Some(field) => format!("{parent}.{field}"),
            None => parent.to_owned(),
        }),
        ..problem
    })
}
