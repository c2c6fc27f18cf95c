//! Converters of a pyWATS client become sources.

use serde_json::{Map, Value};

use super::super::Settings;
use super::super::validate::source_problems;
use super::fields::Fields;
use super::standard::{Found, find};
use super::{Import, times};
use crate::control::api::{After, SourceIntake, SourceSettings, USUAL_PRIORITY, Unit};

pub(super) fn take(import: &mut Import, base: &Settings, fields: &mut Fields<'_>) {
    let entries: Vec<(String, &str, &Value)> = match fields.value("converters") {
        None => return,
        Some(Value::Array(items)) => {
            items.iter().enumerate().map(|(at, it)| (format!("converters[{at}]"), "", it)).collect()
        }
        Some(Value::Object(items)) => {
            items.iter().map(|(name, it)| (format!("converters.{name}"), name.as_str(), it)).collect()
        }
        Some(_) => {
            return fields.not_taken("converters", "it is no list of converters: make the sources anew");
        }
    };
    for (key, name, entry) in entries {
        match entry {
            Value::Object(entry) => {
                let mut below = fields.below(&key, entry);
                converter(import, base, &mut below, (name, entry));
                fields.add(below.into_rows());
            }
            _ => fields.not_taken("converters", format!("{key} is no table: make the source anew")),
        }
    }
}

fn converter(
    import: &mut Import,
    base: &Settings,
    fields: &mut Fields<'_>,
    (usual_name, entry): (&str, &Map<String, Value>),
) {
    let name = fields.text("name").unwrap_or_else(|| usual_name.to_owned());
    let module = fields.text("module_path").unwrap_or_default();
    let folder = fields.text("watch_folder");
    let place = folder.as_deref().unwrap_or("its folder");
    let converter = match find(&module) {
        Found::Ours(name) => name,
        Found::Own => {
            let words = format!(
                "needs a plug-in: {name:?} is a Python file of your own; its files stay in {place} until it runs as one"
            );
            return fields.not_taken("module_path", words);
        }
        Found::Lacking => {
            let words =
                format!("this version has no converter for it; the files of {name:?} stay in {place}");
            return fields.not_taken("module_path", words);
        }
    };
    fields.translated("module_path", format!("converter = {converter:?}"), "the same format");

    let mut source = SourceSettings {
        name: source_name(import, fields, &name, converter),
        converter: converter.to_owned(),
        folder: None,
        file_patterns: Vec::new(),
        arguments: Default::default(),
        after: After::default(),
        paused: false,
        priority: USUAL_PRIORITY,
        intake: SourceIntake::default(),
    };
    self::folder(fields, base, &mut source, folder);
    patterns(fields, &mut source);
    arguments(fields, &mut source, entry);
    after(fields, &mut source);
    schedule(fields, &mut source);
    rest(fields, &mut source);
    if !check(import, base, fields, &mut source) {
        return;
    }
    let known = import.config.sources.iter().position(|it| it.name == source.name);
    match known.and_then(|at| import.config.sources.get_mut(at)) {
        Some(place) if *place == source => {}
        Some(place) => {
            let words = format!("it replaces the source {:?} that was there", source.name);
            fields.translated("name", format!("sources: {:?}", source.name), words);
            *place = source;
        }
        None => import.config.sources.push(source),
    }
}

/// Lower-case letters, digits and dashes. A name that this import gave already gets a number.
fn source_name(import: &Import, fields: &mut Fields<'_>, name: &str, converter: &str) -> String {
    let mut plain = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => plain.push(c),
            _ if plain.ends_with('-') || plain.is_empty() => {}
            _ => plain.push('-'),
        }
    }
    let plain: String = plain.chars().take(60).collect();
    let plain = plain.trim_end_matches('-');
    let plain = if plain.is_empty() { converter } else { plain };
    let given = |wanted: &str| import.names.iter().any(|it| it == wanted);
    let unique = std::iter::once(plain.to_owned())
        .chain((2..).map(|number| format!("{plain}-{number}")))
        .find(|it| !given(it))
        .unwrap_or_default();
    if unique != plain {
        fields.translated("name", format!("name = {unique:?}"), "another has that name already");
    } else if unique == name {
        fields.taken("name", format!("name = {unique:?}"));
    } else {
        fields.translated("name", format!("name = {unique:?}"), "lower-case letters, digits and dashes");
    }
    unique
}

fn folder(fields: &mut Fields<'_>, base: &Settings, source: &mut SourceSettings, folder: Option<String>) {
    let ours = base.folder_of(source).display().to_string();
    let why = match folder {
        None => "no folder was named".to_owned(),
        Some(folder) if folder.starts_with('/') && !folder.contains('\\') => {
            fields.taken("watch_folder", format!("folder = {folder:?}"));
            source.folder = Some(folder);
            return;
        }
        Some(folder) if folder.contains('\\') || folder.get(1..2) == Some(":") => {
            "a folder of Windows: share that of the agent with the testers, or mount theirs and set folder"
                .to_owned()
        }
        Some(_) => "it is no absolute path: set folder".to_owned(),
    };
    source.paused = true;
    let why = format!("{why}. The source is paused until somebody has looked");
    fields.translated("watch_folder", format!("folder = {ours:?}, paused = true"), why);
}

fn patterns(fields: &mut Fields<'_>, source: &mut SourceSettings) {
    let is_folder = fields.text("converter_type").is_some_and(|it| it.eq_ignore_ascii_case("folder"));
    if let Some(patterns) = fields.list("file_patterns") {
        if patterns.iter().any(|it| matches!(it.as_str(), "*" | "*.*")) || patterns.is_empty() {
            let words = "all files meant those that the converter takes: its own patterns hold";
            fields.translated("file_patterns", "those of the converter", words);
        } else {
            fields.taken("file_patterns", format!("file_patterns = {patterns:?}"));
            source.file_patterns = patterns;
        }
    }
    let folders = fields.list("folder_patterns").unwrap_or_default();
    let marker = fields.text("readiness_marker");
    let least = fields.value("min_file_count");
    if !is_folder {
        return;
    }
    source.intake.unit = Some(Unit::Folder);
    fields.translated("converter_type", "intake.unit = \"folder\"", "a folder is one unit");
    if !folders.iter().all(|it| it == "*") {
        fields.taken("folder_patterns", format!("intake.include = {folders:?}"));
        source.intake.include = folders;
    }
    if let Some(marker) = marker {
        fields.taken("readiness_marker", format!("intake.ready_marker = {marker:?}"));
        source.intake.ready_marker = Some(marker);
    }
    if least.is_some() {
        let words =
            "a folder is complete by its marker, or when nothing changes in it: see intake.quiet_seconds";
        fields.not_taken("min_file_count", words);
    }
}

fn arguments(fields: &mut Fields<'_>, source: &mut SourceSettings, entry: &Map<String, Value>) {
    let Some(arguments) = fields.value("arguments") else { return };
    let (Some(arguments), Some(Value::Object(content))) = (arguments.as_object(), entry.get("arguments"))
    else {
        return fields.not_taken("arguments", "it is no table of arguments");
    };
    let declared = wats_converters::find(&source.converter).map_or(&[][..], |it| it.about().arguments);
    let mut below = fields.below("arguments", content);
    for (name, value) in arguments {
        let ours = declared.iter().find(|it| it.name.eq_ignore_ascii_case(name));
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
            _ => None,
        };
        below.value(name);
        match (ours, text) {
            (_, _) if value.is_null() => {}
            (Some(ours), Some(text)) => {
                below.taken(name, format!("arguments.{} = {text:?}", ours.name));
                source.arguments.insert(ours.name.to_owned(), text);
            }
            (Some(_), None) => below.not_taken(name, "it is no single value: the default holds"),
            (None, _) => {
                let known: Vec<_> = declared.iter().map(|it| it.name).collect();
                below.not_taken(
                    name,
                    format!("{} has no such argument; known: {}", source.converter, known.join(", ")),
                );
            }
        }
    }
    fields.add(below.into_rows());
}

fn after(fields: &mut Fields<'_>, source: &mut SourceSettings) {
    let action = fields.text("post_action").unwrap_or_default().to_lowercase();
    match action.as_str() {
        "" => {}
        "delete" => {
            source.after = After::Delete;
            fields.taken("post_action", "after = \"delete\"");
        }
        "keep" => {
            source.after = After::Keep;
            fields.taken("post_action", "after = \"keep\"");
        }
        "move" | "archive" | "zip" => {
            let words = "the agent keeps files in an archive of its own: see [retention]";
            fields.translated("post_action", "after = \"archive\"", words);
        }
        _ => fields
            .not_taken("post_action", "it is none of move, archive, delete and keep: files are archived"),
    }
    for key in ["done_folder", "archive_folder", "pending_folder"] {
        if fields.text(key).is_some() {
            fields.not_taken(key, "files are kept in the agent's own archive");
        }
    }
    if fields.text("error_folder").is_some() {
        fields.not_taken("error_folder", "refused files are kept in the folder error below the source's");
    }
}

fn schedule(fields: &mut Fields<'_>, source: &mut SourceSettings) {
    let every = fields.number("schedule_interval_seconds");
    let cron = fields.text("cron_expression");
    if let Some(seconds) = every {
        match times::every(seconds) {
            Some((schedule, exact)) => {
                let minutes = schedule.every_minutes.unwrap_or_default();
                let to = format!("intake.schedule = {{ every_minutes = {minutes} }}");
                let why = if exact { "in minutes" } else { "whole minutes, 1 to 1440" };
                fields.translated("schedule_interval_seconds", to, why);
                source.intake.schedule = Some(schedule);
            }
            None => fields.not_taken(
                "schedule_interval_seconds",
                "it is not above 0: the folder is watched all the time",
            ),
        }
    }
    if let Some(cron) = cron {
        match times::cron(&cron) {
            _ if source.intake.schedule.is_some() => {
                fields.not_taken("cron_expression", "the interval counts");
            }
            Some(schedule) => {
                let to = match schedule.every_minutes {
                    Some(minutes) => format!("intake.schedule = {{ every_minutes = {minutes} }}"),
                    None => format!("intake.schedule = {{ at = {:?} }}", schedule.at),
                };
                fields.translated("cron_expression", to, "in the station's time zone");
                source.intake.schedule = Some(schedule);
            }
            None => {
                let words = "only times of every day, and every so many minutes or hours, can be said: the folder is \
                             watched all the time, unless you set intake.schedule";
                fields.not_taken("cron_expression", words);
            }
        }
    }
    if fields.flag("run_on_startup") == Some(true)
        && source.intake.schedule.as_ref().is_some_and(|it| !it.at.is_empty())
    {
        fields.not_taken("run_on_startup", "a source with times of day looks at these only");
    }
}

fn rest(fields: &mut Fields<'_>, source: &mut SourceSettings) {
    if fields.flag("enabled") == Some(false) {
        source.paused = true;
        fields.translated("enabled", "paused = true", "a source that is switched off is paused");
    }
    if let Some(priority) = fields.number("priority") {
        let fitting = priority.round().clamp(1.0, 10.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
        let ours = fitting as u32;
        source.priority = ours;
        if (fitting - priority).abs() < f64::EPSILON {
            if ours != USUAL_PRIORITY {
                fields.taken("priority", format!("priority = {ours}"));
            }
        } else {
            fields.translated("priority", format!("priority = {ours}"), "1 to 10 are possible");
        }
    }
    for (key, usual, why) in [
        ("alarm_threshold", 0.5, "a file that is not of its format is refused with its reason"),
        ("reject_threshold", 0.2, "a file that is not of its format is refused with its reason"),
        ("max_retries", 3.0, "the agent retries by itself"),
        ("retry_delay_seconds", 60.0, "the agent retries by itself"),
    ] {
        if fields.number(key).is_some_and(|it: f64| (it - usual).abs() > f64::EPSILON) {
            fields.not_taken(key, why);
        }
    }
    for key in ["description", "author", "version"] {
        fields.value(key);
    }
    fields.unknown("the agent does not know this key: it has no effect");
}

/// Leaves out what the agent would refuse; false when the whole source cannot be had.
fn check(import: &mut Import, base: &Settings, fields: &mut Fields<'_>, source: &mut SourceSettings) -> bool {
    let settings = Settings { config: import.config.clone(), ..base.clone() };
    let others: Vec<_> = import.config.sources.iter().filter(|it| it.name != source.name).cloned().collect();
    // Each turn takes one thing out, so it ends.
    for _ in 0..20 {
        let Some(problem) = source_problems(&settings, source, &others).into_iter().next() else {
            import.names.push(source.name.clone());
            return true;
        };
        let key = problem.field.unwrap_or_default();
        let words = problem.message;
        if let Some(argument) = key.strip_prefix("arguments.") {
            source.arguments.remove(argument);
            fields.retract(&key);
            fields.not_taken("arguments", format!("{argument}: {words}"));
        } else if key.starts_with("file_patterns") {
            source.file_patterns.clear();
            fields.retract("file_patterns");
            fields.not_taken("file_patterns", format!("{words}: those of the converter hold"));
        } else if key.starts_with("intake.include") {
            source.intake.include.clear();
            fields.retract("folder_patterns");
            fields.not_taken("folder_patterns", format!("{words}: all folders are taken"));
        } else if key == "intake.ready_marker" {
            source.intake.ready_marker = None;
            fields.retract("readiness_marker");
            fields.not_taken("readiness_marker", words);
        } else if key == "folder" && source.folder.is_some() && !words.starts_with("overlaps") {
            let ours = base.folder_of(&SourceSettings { folder: None, ..source.clone() });
            (source.folder, source.paused) = (None, true);
            fields.retract("watch_folder");
            let to = format!("folder = {:?}, paused = true", ours.display().to_string());
            fields.translated("watch_folder", to, format!("{words}: set folder"));
        } else {
            fields.retract("");
            fields.not_taken("name", format!("the source cannot be had: {key} {words}"));
            return false;
        }
    }
    false
}
