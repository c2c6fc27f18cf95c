//! The arguments of a converter as form controls, made from what the converter declares.

use std::collections::BTreeMap;

use wats_agent::control::api::{ArgumentInfo, ArgumentRule, ArgumentType};

use crate::error::sentence;
use crate::forms::FormErrors;

/// One argument in a form: the template `arguments.html` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentField {
    /// As in the form: `argument.NAME`.
    pub field: String,
    pub name: String,
    /// Which control it is.
    pub control: Control,
    pub help: String,
    /// What is used when nothing is typed.
    pub placeholder: String,
    pub value: String,
    /// Nothing can be saved without it.
    pub required: bool,
    pub error: String,
}

/// The form control of an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    Text,
    Number {
        min: String,
        max: String,
        step: &'static str,
    },
    Check {
        on: bool,
    },
    Choice(Vec<Choice>),
    /// Its value is shown to nobody; `stored`: there is one.
    Password {
        stored: bool,
    },
}

/// One value of a choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// The controls for what a converter declares, with the values that were set.
pub fn fields(
    declared: &[ArgumentInfo],
    given: &BTreeMap<String, String>,
    errors: &FormErrors,
) -> Vec<ArgumentField> {
    declared.iter().map(|it| field(it, given.get(&it.name).map(String::as_str), errors)).collect()
}

fn field(argument: &ArgumentInfo, given: Option<&str>, errors: &FormErrors) -> ArgumentField {
    let ArgumentInfo { name, description, default, rule } = argument;
    let value = given.unwrap_or_default();
    let control = control(rule, given, default);
    let mut help = Vec::new();
    if !description.trim().is_empty() {
        help.push(sentence(description.trim()));
    }
    help.extend(limits(rule).map(|it| sentence(&it)));
    match &control {
        Control::Text | Control::Number { .. } if !default.is_empty() => {
            help.push(format!("Empty: {default}"));
        }
        Control::Password { stored: true } => {
            help.push("One is stored and shown to nobody; left empty it stays.".to_owned());
        }
        _ => {}
    }
    let needed = must_be_set(argument);
    ArgumentField {
        field: field_name(name),
        name: name.clone(),
        help: help.join(" "),
        placeholder: if rule.kind == ArgumentType::Password { String::new() } else { default.clone() },
        value: if rule.kind == ArgumentType::Password { String::new() } else { value.to_owned() },
        required: needed && !matches!(control, Control::Check { .. } | Control::Password { stored: true }),
        control,
        error: errors.at(&format!("arguments.{name}")).to_owned(),
    }
}

fn control(rule: &ArgumentRule, given: Option<&str>, default: &str) -> Control {
    let current = given.unwrap_or(default);
    let is_number = given.is_none_or(|it| it.trim().parse::<f64>().is_ok());
    match rule.kind {
        // A browser would show a wrong value as none, and saving would lose it.
        ArgumentType::Integer | ArgumentType::Float if !is_number => Control::Text,
        ArgumentType::Integer => Control::Number {
            min: whole(rule.min.as_deref(), f64::ceil),
            max: whole(rule.max.as_deref(), f64::floor),
            step: "1",
        },
        ArgumentType::Float => Control::Number {
            min: rule.min.clone().unwrap_or_default(),
            max: rule.max.clone().unwrap_or_default(),
            step: "any",
        },
        ArgumentType::Boolean => Control::Check { on: flag(current).unwrap_or(false) },
        ArgumentType::Choice => Control::Choice(choices(rule, current, default)),
        ArgumentType::Password => Control::Password { stored: given.is_some_and(|it| !it.is_empty()) },
        ArgumentType::String | ArgumentType::Path => Control::Text,
    }
}

/// A limit of whole numbers may be written as `10.0`, from which a browser would count in fractions.
fn whole(limit: Option<&str>, round: fn(f64) -> f64) -> String {
    limit.and_then(|it| it.parse().ok()).map_or_else(String::new, |it: f64| format!("{:.0}", round(it)))
}

fn choices(rule: &ArgumentRule, current: &str, default: &str) -> Vec<Choice> {
    let choice =
        |value: &str, label: String| Choice { value: value.to_owned(), label, chosen: value == current };
    let mut choices = Vec::new();
    if default.is_empty() {
        let label = if rule.required { "Choose…" } else { "Not set" };
        choices.push(choice("", label.to_owned()));
    }
    choices.extend(
        rule.choices
            .iter()
            .map(|it| choice(it, if it == default { format!("{it} (usual)") } else { it.clone() })),
    );
    // Nothing else may be saved in its place unseen.
    if choices.iter().all(|it| !it.chosen) {
        choices.insert(0, choice(current, format!("{current} (not offered any more)")));
    }
    choices
}

/// What a value must be, where its control does not show that.
fn limits(rule: &ArgumentRule) -> Option<String> {
    if let Some(pattern) = rule.pattern.as_deref().filter(|it| !it.is_empty()) {
        return Some(format!("it must fit the pattern {pattern}"));
    }
    let noun = match rule.kind {
        ArgumentType::Integer => "a whole number",
        ArgumentType::Float => "a number",
        _ => return None,
    };
    Some(match (&rule.min, &rule.max) {
        (Some(min), Some(max)) => format!("{noun} from {min} to {max}"),
        (Some(min), None) => format!("{noun} of at least {min}"),
        (None, Some(max)) => format!("{noun} of at most {max}"),
        (None, None) => noun.to_owned(),
    })
}

/// The type of an argument in words, with its limits.
pub fn kind_words(rule: &ArgumentRule) -> String {
    match rule.kind {
        ArgumentType::String => "text".to_owned(),
        ArgumentType::Path => "path".to_owned(),
        ArgumentType::Boolean => "yes or no".to_owned(),
        ArgumentType::Password => "password".to_owned(),
        ArgumentType::Choice => format!("one of {}", rule.choices.join(", ")),
        ArgumentType::Integer | ArgumentType::Float => limits(rule).unwrap_or_default(),
    }
}

/// True when a converter cannot work without a person setting it.
pub fn must_be_set(argument: &ArgumentInfo) -> bool {
    argument.rule.required && argument.default.is_empty()
}

fn field_name(name: &str) -> String {
    format!("argument.{name}")
}

/// What was typed, as the agent takes it: what is left empty, or as the converter has it anyway, is left out.
/// A password that is left empty stays as it is `stored`.
pub fn read(
    declared: &[ArgumentInfo],
    typed: &BTreeMap<String, String>,
    stored: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let value = |argument: &ArgumentInfo| {
        let text = typed.get(&field_name(&argument.name)).map(String::as_str);
        let trimmed = text.unwrap_or_default().trim();
        match argument.rule.kind {
            ArgumentType::Password => match text {
                Some(text) if !text.is_empty() => Some(text.to_owned()),
                _ if typed.contains_key(&format!("forget.{}", argument.name)) => None,
                _ => stored.get(&argument.name).cloned(),
            },
            // A browser says nothing of a box that is not ticked.
            ArgumentType::Boolean => match (flag(&argument.default), text.is_some()) {
                (Some(usual), on) if usual == on => None,
                (None, false) if !argument.rule.required => None,
                (_, on) => Some(on.to_string()),
            },
            ArgumentType::Choice => {
                text.filter(|it| !it.is_empty() && *it != argument.default).map(str::to_owned)
            }
            _ => (!trimmed.is_empty()).then(|| trimmed.to_owned()),
        }
    };
    declared.iter().filter_map(|it| Some((it.name.clone(), value(it)?))).collect()
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(name: &str, kind: ArgumentType, default: &str, rule: ArgumentRule) -> ArgumentInfo {
        let (name, default) = (name.to_owned(), default.to_owned());
        ArgumentInfo { name, description: String::new(), default, rule: ArgumentRule { kind, ..rule } }
    }

    fn declared() -> Vec<ArgumentInfo> {
        let rule = ArgumentRule::default;
        let ten = ArgumentRule { min: Some("0.5".into()), max: Some("10.0".into()), ..rule() };
        let choices = ArgumentRule { choices: vec!["a".into(), "b".into()], ..rule() };
        vec![
            argument("count", ArgumentType::Integer, "3", ten),
            argument("scale", ArgumentType::Float, "", rule()),
            argument("strict", ArgumentType::Boolean, "true", rule()),
            argument("loud", ArgumentType::Boolean, "", rule()),
            argument("mode", ArgumentType::Choice, "a", choices.clone()),
            argument("end", ArgumentType::Choice, "", ArgumentRule { required: true, ..choices }),
            argument("key", ArgumentType::Password, "", ArgumentRule { required: true, ..rule() }),
            argument("note", ArgumentType::String, "x", rule()),
        ]
    }

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn each_type_has_its_control() {
        let given = map(&[("mode", "c"), ("key", "secret"), ("scale", "much")]);
        let fields = fields(&declared(), &given, &FormErrors::default());
        let choice = |value: &str, label: &str, chosen| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen,
        };
        let controls: Vec<_> = fields.iter().map(|it| it.control.clone()).collect();
        assert_eq!(
            controls,
            [
                Control::Number { min: "1".to_owned(), max: "10".to_owned(), step: "1" },
                Control::Text,
                Control::Check { on: true },
                Control::Check { on: false },
                Control::Choice(vec![
                    choice("c", "c (not offered any more)", true),
                    choice("a", "a (usual)", false),
                    choice("b", "b", false),
                ]),
                Control::Choice(vec![
                    choice("", "Choose…", true),
                    choice("a", "a", false),
                    choice("b", "b", false)
                ]),
                Control::Password { stored: true },
                Control::Text,
            ]
        );
        assert_eq!(fields[0].help, "A whole number from 0.5 to 10.0. Empty: 3");
        assert_eq!(fields[1].value, "much", "a wrong value is shown, not lost");
        let key = &fields[6];
        assert_eq!((key.value.as_str(), key.required), ("", false), "a password is shown to nobody");
    }

    #[test]
    fn what_is_left_as_it_is_is_left_out_and_a_password_stays() {
        let stored = map(&[("key", "secret")]);
        let untouched = map(&[("argument.strict", "true"), ("argument.mode", "a"), ("argument.note", " ")]);
        assert_eq!(read(&declared(), &untouched, &stored), stored);
        let changed = map(&[
            ("argument.count", " 7 "),
            ("argument.loud", "true"),
            ("argument.mode", "b"),
            ("argument.key", " new "),
            ("argument.unknown", "1"),
        ]);
        let read_back = read(&declared(), &changed, &stored);
        let expected =
            map(&[("count", "7"), ("strict", "false"), ("loud", "true"), ("mode", "b"), ("key", " new ")]);
        assert_eq!(read_back, expected);
        let forgotten = map(&[("argument.strict", "true"), ("forget.key", "true")]);
        assert_eq!(read(&declared(), &forgotten, &stored), BTreeMap::new());
    }
}
