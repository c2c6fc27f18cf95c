//! The arguments of a plug-in's converter: texts in the settings, typed values in a request.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::control::api::{ArgumentInfo, ArgumentType};

/// What stands in the records in the place of a password.
const HIDDEN: &str = "(hidden)";

/// What is wrong with arguments, by name.
pub type Wrong = Vec<(String, String)>;

/// The values that a converter gets: those that were set, and the defaults of the others.
///
/// # Errors
/// With every argument that is unknown, does not fit its type, or is missing.
pub fn values(
    declared: &[ArgumentInfo],
    given: &BTreeMap<String, String>,
) -> Result<Map<String, Value>, Wrong> {
    let (mut values, mut wrong) = (Map::new(), Wrong::new());
    for name in given.keys().filter(|name| !declared.iter().any(|it| it.name == **name)) {
        let known: Vec<_> = declared.iter().map(|it| it.name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        wrong.push((name.clone(), format!("there is no argument {name:?}; known: {known}")));
    }
    for argument in declared {
        let text = given.get(&argument.name).or((!argument.default.is_empty()).then_some(&argument.default));
        match text {
            Some(text) => match value(argument, text) {
                Ok(value) => {
                    values.insert(argument.name.clone(), value);
                }
                Err(expected) => wrong.push((
                    argument.name.clone(),
                    match argument.rule.kind {
                        ArgumentType::Password => format!("argument {:?} must be {expected}", argument.name),
                        _ => format!("argument {:?} is {text:?}; expected {expected}", argument.name),
                    },
                )),
            },
            None if argument.rule.required => {
                wrong.push((argument.name.clone(), format!("argument {:?} must be set", argument.name)));
            }
            None => {}
        }
    }
    if wrong.is_empty() { Ok(values) } else { Err(wrong) }
}

/// One value as its type says, or what was expected.
fn value(argument: &ArgumentInfo, text: &str) -> Result<Value, String> {
    let rule = &argument.rule;
    let trimmed = text.trim();
    match rule.kind {
        ArgumentType::String | ArgumentType::Path | ArgumentType::Password => Ok(Value::from(text)),
        ArgumentType::Integer => {
            let number: i64 = trimmed.parse().map_err(|_| "a whole number".to_owned())?;
            let within = |limit: &Option<String>, fits: fn(f64, f64) -> bool| {
                // Limits come as the plug-in wrote them: 10 or 10.0.
                #[expect(clippy::cast_precision_loss, reason = "limits of that size are no limits")]
                limit.as_deref().and_then(|it| it.parse().ok()).is_none_or(|it| fits(number as f64, it))
            };
            if within(&rule.min, |a, b| a >= b) && within(&rule.max, |a, b| a <= b) {
                Ok(Value::from(number))
            } else {
                Err(format!("a whole number{}", range(argument)))
            }
        }
        ArgumentType::Float => {
            let number: f64 = trimmed.parse().map_err(|_| "a number".to_owned())?;
            let limit = |limit: &Option<String>| limit.as_deref().and_then(|it| it.parse::<f64>().ok());
            let fits = number.is_finite()
                && limit(&rule.min).is_none_or(|it| number >= it)
                && limit(&rule.max).is_none_or(|it| number <= it);
            if fits { Ok(Value::from(number)) } else { Err(format!("a number{}", range(argument))) }
        }
        ArgumentType::Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(Value::from(true)),
            "false" | "no" | "off" | "0" => Ok(Value::from(false)),
            _ => Err("true or false".to_owned()),
        },
        ArgumentType::Choice => match rule.choices.iter().find(|choice| *choice == text) {
            Some(choice) => Ok(Value::from(choice.as_str())),
            None => Err(format!("one of {}", rule.choices.join(", "))),
        },
    }
}

fn range(argument: &ArgumentInfo) -> String {
    match (&argument.rule.min, &argument.rule.max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(" of at least {min}"),
        (None, Some(max)) => format!(" of at most {max}"),
        (None, None) => String::new(),
    }
}

/// The arguments as they stand in records: without passwords.
pub fn shown(declared: &[ArgumentInfo], given: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let hides =
        |name: &str| declared.iter().any(|it| it.name == name && it.rule.kind == ArgumentType::Password);
    let shown = |(name, value): (&String, &String)| {
        (name.clone(), if hides(name) { HIDDEN.to_owned() } else { value.clone() })
    };
    given.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::api::ArgumentRule;

    fn argument(name: &str, kind: ArgumentType, default: &str, rule: ArgumentRule) -> ArgumentInfo {
        let (name, default) = (name.to_owned(), default.to_owned());
        ArgumentInfo { name, description: String::new(), default, rule: ArgumentRule { kind, ..rule } }
    }

    fn declared() -> Vec<ArgumentInfo> {
        let rule = ArgumentRule::default;
        let ten = ArgumentRule { min: Some("1".into()), max: Some("10".into()), ..rule() };
        let choices = ArgumentRule { choices: vec!["a".into(), "B".into()], ..rule() };
        vec![
            argument("count", ArgumentType::Integer, "3", ten),
            argument("scale", ArgumentType::Float, "1.5", rule()),
            argument("strict", ArgumentType::Boolean, "false", rule()),
            argument("mode", ArgumentType::Choice, "a", choices),
            argument("key", ArgumentType::Password, "", ArgumentRule { required: true, ..rule() }),
            argument("note", ArgumentType::String, "", rule()),
        ]
    }

    #[track_caller]
    fn check(given: &[(&str, &str)], expected: &str) {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let shown = match values(&declared(), &given) {
            Ok(values) => Value::Object(values).to_string(),
            Err(wrong) => wrong.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join("; "),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn texts_become_values_of_their_type_and_each_mistake_is_named() {
        check(&[("key", "k")], r#"{"count":3,"scale":1.5,"strict":false,"mode":"a","key":"k"}"#);
        check(
            &[("key", "k"), ("count", " 7 "), ("strict", "Yes"), ("mode", "B"), ("note", " x ")],
            r#"{"count":7,"scale":1.5,"strict":true,"mode":"B","key":"k","note":" x "}"#,
        );
        check(
            &[("count", "11"), ("scale", "inf"), ("strict", "maybe"), ("mode", "b"), ("colour", "1")],
            "there is no argument \"colour\"; known: count, scale, strict, mode, key, note; argument \"count\" is \"11\"; \
             expected a whole number from 1 to 10; argument \"scale\" is \"inf\"; expected a number; argument \"strict\" is \
             \"maybe\"; expected true or false; argument \"mode\" is \"b\"; expected one of a, B; argument \"key\" must be set",
        );
    }

    #[test]
    fn a_password_is_in_no_record() {
        let given =
            BTreeMap::from([("key".to_owned(), "secret".to_owned()), ("note".to_owned(), "n".to_owned())]);
        let shown = shown(&declared(), &given);
        assert_eq!((shown["key"].as_str(), shown["note"].as_str()), (HIDDEN, "n"));
    }
}
