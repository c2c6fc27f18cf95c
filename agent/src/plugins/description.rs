//! What a plug-in says it is: its answer to `describe`, taken apart as something that may lie.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cron::Cron;
use crate::control::api::{ArgumentInfo, ArgumentRule, ArgumentType, ConverterInfo, ConverterKind};

/// So many converters, arguments of one, and patterns or choices of one are believed.
const MOST_CONVERTERS: usize = 64;
const MOST_ARGUMENTS: usize = 100;
const MOST_WORDS: usize = 200;
/// And texts of so many characters.
const LONGEST: usize = 4000;

/// The answer of a plug-in, found right.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// It answers many requests; otherwise it is started for each.
    pub persistent: bool,
    pub converters: Vec<Converter>,
}

/// One converter of a plug-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Converter {
    /// Name, patterns, arguments; the name without `plugin:`.
    pub info: ConverterInfo,
    pub author: String,
    /// It wants to hear what became of each file.
    pub hooks: bool,
    /// When a folder is complete.
    pub folder: FolderRule,
    pub schedule: Option<Schedule>,
    pub run_on_startup: bool,
}

/// When a folder is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRule {
    pub readiness_marker: Option<String>,
    pub min_files: Option<u64>,
    /// Shell patterns, of which each fits a file.
    pub expected_files: Vec<String>,
}

/// When a scheduled converter runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Seconds.
    Every(f64),
    /// Five fields.
    Cron(String),
}

impl Description {
    /// The converter of that name, or the only one.
    pub fn converter(&self, name: Option<&str>) -> Option<&Converter> {
        match (name, self.converters.as_slice()) {
            (Some(name), all) => all.iter().find(|it| it.info.name == name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// Takes an answer apart.
    ///
    /// # Errors
    /// With everything that is wrong in it, each in words for its author.
    pub fn read(answer: &Map<String, Value>) -> Result<Self, Vec<String>> {
        let mut reader = Reader { wrong: Vec::new() };
        match answer.get("protocol").and_then(Value::as_u64) {
            Some(1) => {}
            Some(other) => reader.wrong.push(format!(
                "\"protocol\" is {other}: this agent speaks version 1 of the plug-in protocol"
            )),
            None => reader.wrong.push("the answer to describe lacks \"protocol\": 1".to_owned()),
        }
        let persistent = reader.flag(answer, "persistent", "");
        let list = match answer.get("converters") {
            Some(Value::Array(list)) if list.is_empty() => {
                reader
                    .wrong
                    .push("\"converters\" is empty: a plug-in describes at least one converter".to_owned());
                &[][..]
            }
            Some(Value::Array(list)) => list,
            Some(_) => {
                reader.wrong.push("\"converters\" must be a list of objects".to_owned());
                &[]
            }
            None => {
                reader
                    .wrong
                    .push("the answer to describe lacks \"converters\", a list of objects".to_owned());
                &[]
            }
        };
        if list.len() > MOST_CONVERTERS {
            reader.wrong.push(format!("{} converters are too many: at most {MOST_CONVERTERS}", list.len()));
        }
        let mut converters: Vec<Converter> = Vec::new();
        for (index, value) in list.iter().take(MOST_CONVERTERS).enumerate() {
            let Some(members) = value.as_object() else {
                reader.wrong.push(format!("converters[{index}] is no object"));
                continue;
            };
            if let Some(converter) = reader.converter(members, index) {
                if converters.iter().any(|it| it.info.name == converter.info.name) {
                    reader.wrong.push(format!("two converters are called {:?}", converter.info.name));
                }
                converters.push(converter);
            }
        }
        if reader.wrong.is_empty() { Ok(Self { persistent, converters }) } else { Err(reader.wrong) }
    }
}

/// Letters, digits, `-` and `_`, at most 64.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

struct Reader {
    wrong: Vec<String>,
}

impl Reader {
    fn converter(&mut self, members: &Map<String, Value>, index: usize) -> Option<Converter> {
        let name = match members.get("name") {
            Some(Value::String(name)) if is_name(name) => name.clone(),
            Some(Value::String(name)) => {
                let shown: String = name.chars().take(80).collect();
                self.wrong.push(format!(
                    "converters[{index}]: {shown:?} is no name: use letters, digits, '-' and '_', at most 64"
                ));
                return None;
            }
            Some(_) => {
                self.wrong.push(format!("converters[{index}]: \"name\" must be a text"));
                return None;
            }
            None => {
                self.wrong.push(format!("converters[{index}] lacks \"name\""));
                return None;
            }
        };
        let at = format!("converter {name}: ");
        let kind = match members.get("kind").map(Value::as_str) {
            None | Some(Some("file")) => ConverterKind::File,
            Some(Some("folder")) => ConverterKind::Folder,
            Some(Some("scheduled")) => ConverterKind::Scheduled,
            Some(other) => {
                let other = other.unwrap_or("no text");
                self.wrong.push(format!("{at}\"kind\" is {other:?}: it is file, folder or scheduled"));
                ConverterKind::File
            }
        };
        let title =
            self.text(members, "title", &at).filter(|it| !it.is_empty()).unwrap_or_else(|| name.clone());
        let version = self.text(members, "version", &at).filter(|it| !it.is_empty());
        let mut patterns = self.words(members, "patterns", &at);
        if patterns.iter().any(|it| it.is_empty() || it.contains('/')) {
            self.wrong.push(format!("{at}a pattern is of a file name, like *.log, without '/'"));
        }
        if patterns.is_empty() {
            patterns.push("*".to_owned());
        }
        let info = ConverterInfo {
            title,
            description: self.text(members, "description", &at).unwrap_or_default(),
            version: version.unwrap_or_else(|| "1.0.0".to_owned()),
            file_patterns: patterns,
            arguments: self.arguments(members, &at),
            plugin: None,
            kind,
            name,
        };
        let folder = FolderRule {
            readiness_marker: self.text(members, "readiness_marker", &at).filter(|it| !it.is_empty()),
            min_files: self.count(members, "min_files", &at),
            expected_files: self.words(members, "expected_files", &at),
        };
        if folder.readiness_marker.as_deref().is_some_and(|it| it.contains(['/', '*']) || it.starts_with('.'))
        {
            self.wrong.push(format!(
                "{at}\"readiness_marker\" is the name of a file in the folder, like COMPLETE.marker"
            ));
        }
        if kind != ConverterKind::Folder && folder != FolderRule::default() {
            self.wrong.push(format!(
                "{at}\"readiness_marker\", \"min_files\" and \"expected_files\" are for \"kind\": \"folder\" alone"
            ));
        }
        Some(Converter {
            author: self.text(members, "author", &at).unwrap_or_default(),
            hooks: self.flag(members, "hooks", &at),
            folder,
            schedule: self.schedule(members, kind, &at),
            run_on_startup: self.flag(members, "run_on_startup", &at),
            info,
        })
    }

    fn schedule(&mut self, members: &Map<String, Value>, kind: ConverterKind, at: &str) -> Option<Schedule> {
        let every = match members.get("interval_seconds") {
            None | Some(Value::Null) => None,
            Some(value) => match value.as_f64() {
                Some(seconds) if (1.0..=31_536_000.0).contains(&seconds) => Some(Schedule::Every(seconds)),
                _ => {
                    self.wrong.push(format!("{at}\"interval_seconds\" must be a number from 1 to 31536000"));
                    None
                }
            },
        };
        let cron = self.text(members, "cron", at).filter(|it| !it.is_empty());
        if let Some(wrong) = cron.as_deref().and_then(|text| Cron::read(text).err()) {
            self.wrong.push(format!("{at}\"cron\": {wrong}"));
        }
        // The interval counts where both are given.
        let schedule = every.or(cron.map(Schedule::Cron));
        match (kind, &schedule) {
            (ConverterKind::Scheduled, None) => {
                self.wrong.push(format!("{at}a scheduled converter needs \"interval_seconds\" or \"cron\""));
            }
            (ConverterKind::File | ConverterKind::Folder, Some(_)) => self
                .wrong
                .push(format!("{at}\"interval_seconds\" and \"cron\" are for \"kind\": \"scheduled\" alone")),
            _ => {}
        }
        schedule
    }

    fn arguments(&mut self, members: &Map<String, Value>, at: &str) -> Vec<ArgumentInfo> {
        let list = match members.get("arguments") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(list)) => list,
            Some(_) => {
                self.wrong.push(format!("{at}\"arguments\" must be a list of objects"));
                return Vec::new();
            }
        };
        if list.len() > MOST_ARGUMENTS {
            self.wrong.push(format!("{at}{} arguments are too many: at most {MOST_ARGUMENTS}", list.len()));
        }
        let mut arguments: Vec<ArgumentInfo> = Vec::new();
        for (index, value) in list.iter().take(MOST_ARGUMENTS).enumerate() {
            let Some(argument) = self.argument(value, index, at) else { continue };
            if arguments.iter().any(|it| it.name == argument.name) {
                self.wrong.push(format!("{at}two arguments are called {:?}", argument.name));
            }
            arguments.push(argument);
        }
        arguments
    }

    fn argument(&mut self, value: &Value, index: usize, at: &str) -> Option<ArgumentInfo> {
        let name = value.get("name").and_then(Value::as_str).filter(|it| is_argument_name(it));
        let (Some(members), Some(name)) = (value.as_object(), name) else {
            self.wrong.push(format!(
                "{at}arguments[{index}] must be an object with a \"name\" of letters, digits, '-', '_' and '.', at most 64"
            ));
            return None;
        };
        let at = format!("{at}argument {name}: ");
        let kind = match members.get("type").map(|it| it.as_str().unwrap_or_default()) {
            None | Some("string" | "str") => ArgumentType::String,
            Some("integer" | "int") => ArgumentType::Integer,
            Some("float") => ArgumentType::Float,
            Some("boolean" | "bool") => ArgumentType::Boolean,
            Some("path") => ArgumentType::Path,
            Some("choice") => ArgumentType::Choice,
            Some("password") => ArgumentType::Password,
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                self.wrong.push(format!(
                    "{at}\"type\" is {other:?}: it is string, integer, float, boolean, path, choice or password"
                ));
                ArgumentType::String
            }
        };
        let choices = self.scalars(members, "choices", &at);
        if (kind == ArgumentType::Choice) == choices.is_empty() {
            self.wrong.push(format!("{at}a choice, and nothing else, has \"choices\""));
        }
        let rule = ArgumentRule {
            kind,
            required: self.flag(members, "required", &at),
            choices,
            min: self.scalar(members, "min", &at),
            max: self.scalar(members, "max", &at),
            pattern: self.text(members, "pattern", &at),
        };
        let default = self.scalar(members, "default", &at).unwrap_or_default();
        let description = self.text(members, "help", &at).unwrap_or_default();
        let argument = ArgumentInfo { name: name.to_owned(), description, default, rule };
        // A default that its own rule refuses would make every source that keeps it wrong.
        if !argument.default.is_empty() {
            let alone = std::slice::from_ref(&argument);
            if let Err(wrong) = super::argument::values(alone, &Default::default()) {
                self.wrong.extend(wrong.into_iter().map(|(_, words)| format!("{at}\"default\": {words}")));
            }
        }
        Some(argument)
    }

    fn text(&mut self, members: &Map<String, Value>, key: &str, at: &str) -> Option<String> {
        match members.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.chars().count() <= LONGEST => Some(text.clone()),
            Some(Value::String(_)) => {
                self.wrong.push(format!("{at}{key:?} is longer than {LONGEST} characters"));
                None
            }
            Some(_) => {
                self.wrong.push(format!("{at}{key:?} must be a text"));
                None
            }
        }
    }

    fn flag(&mut self, members: &Map<String, Value>, key: &str, at: &str) -> bool {
        match members.get(key) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong.push(format!("{at}{key:?} must be true or false"));
                false
            }
        }
    }

    fn count(&mut self, members: &Map<String, Value>, key: &str, at: &str) -> Option<u64> {
        let value = members.get(key).filter(|it| !it.is_null())?;
        let count = value.as_u64();
        if count.is_none() {
            self.wrong.push(format!("{at}{key:?} must be a whole number"));
        }
        count
    }

    /// A text, number or flag, as a text.
    fn scalar(&mut self, members: &Map<String, Value>, key: &str, at: &str) -> Option<String> {
        let value = members.get(key).filter(|it| !it.is_null())?;
        let text = scalar(value);
        if text.is_none() {
            self.wrong.push(format!("{at}{key:?} must be a text, a number, true or false"));
        }
        text
    }

    fn scalars(&mut self, members: &Map<String, Value>, key: &str, at: &str) -> Vec<String> {
        self.list(members, key, at, scalar)
    }

    fn words(&mut self, members: &Map<String, Value>, key: &str, at: &str) -> Vec<String> {
        self.list(members, key, at, |it| it.as_str().map(str::to_owned))
    }

    fn list(
        &mut self,
        members: &Map<String, Value>,
        key: &str,
        at: &str,
        one: fn(&Value) -> Option<String>,
    ) -> Vec<String> {
        let list = match members.get(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(list)) if list.len() <= MOST_WORDS => list,
            Some(_) => {
                self.wrong.push(format!("{at}{key:?} must be a list of at most {MOST_WORDS} texts"));
                return Vec::new();
            }
        };
        let texts: Option<Vec<_>> =
            list.iter().map(|it| one(it).filter(|text| text.chars().count() <= LONGEST)).collect();
        if texts.is_none() {
            self.wrong.push(format!("{at}{key:?} must hold texts only"));
        }
        texts.unwrap_or_default()
    }
}

fn is_argument_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.chars().count() <= LONGEST => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "an inline snapshot is made at the call")]
    fn check(answer: Value, expected: Expect) {
        let shown = match Description::read(answer.as_object().unwrap()) {
            Ok(it) => format!("right: {} converters, persistent {}\n", it.converters.len(), it.persistent),
            Err(wrong) => wrong.join("\n") + "\n",
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn the_answer_of_the_protocols_page_is_right() {
        check(
            json!({"answer": "described", "protocol": 1, "persistent": true, "converters": [{
                "name": "acme-log", "title": "ACME log files", "version": "1.0.0", "description": "", "author": "",
                "kind": "file", "patterns": ["*.log"],
                "arguments": [{"name": "process_code", "type": "integer", "default": 10, "help": "", "required": false}]}]}),
            expect![[r#"
                right: 1 converters, persistent true
            "#]],
        );
    }

    #[test]
    fn each_mistake_has_its_own_words() {
        check(
            json!({"protocol": 2, "persistent": "yes", "converters": []}),
            expect![[r#"
                "protocol" is 2: this agent speaks version 1 of the plug-in protocol
                "persistent" must be true or false
                "converters" is empty: a plug-in describes at least one converter
            "#]],
        );
        check(
            json!({"converters": [
                {}, {"name": "a b"}, {"name": 7}, 8, {"name": "a"}, {"name": "a", "kind": "stream", "cron": "* * *"},
                {"name": "b", "patterns": ["x/y"], "readiness_marker": "M", "arguments": [
                    {"name": "n", "type": "number", "choices": ["1"]},
                    {"name": "c", "type": "choice"},
                    {"name": "i", "type": "integer", "default": 11, "max": 10},
                    {"name": "i"}, "x"]},
                {"name": "s", "kind": "scheduled"}, {"name": "t", "kind": "scheduled", "interval_seconds": 0}]}),
            expect![[r#"
                the answer to describe lacks "protocol": 1
                converters[0] lacks "name"
                converters[1]: "a b" is no name: use letters, digits, '-' and '_', at most 64
                converters[2]: "name" must be a text
                converters[3] is no object
                converter a: "kind" is "stream": it is file, folder or scheduled
                converter a: "cron": "* * *" must have five fields: minute, hour, day, month, weekday
                converter a: "interval_seconds" and "cron" are for "kind": "scheduled" alone
                two converters are called "a"
                converter b: a pattern is of a file name, like *.log, without '/'
                converter b: argument n: "type" is "number": it is string, integer, float, boolean, path, choice or password
                converter b: argument n: a choice, and nothing else, has "choices"
                converter b: argument c: a choice, and nothing else, has "choices"
                converter b: argument i: "default": argument "i" is "11"; expected a whole number of at most 10
                converter b: two arguments are called "i"
                converter b: arguments[4] must be an object with a "name" of letters, digits, '-', '_' and '.', at most 64
                converter b: "readiness_marker", "min_files" and "expected_files" are for "kind": "folder" alone
                converter s: a scheduled converter needs "interval_seconds" or "cron"
                converter t: "interval_seconds" must be a number from 1 to 31536000
                converter t: a scheduled converter needs "interval_seconds" or "cron"
            "#]],
        );
    }
}
