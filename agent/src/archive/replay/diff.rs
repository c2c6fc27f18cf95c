//! What differs between two reports, for a person. Decides, touches nothing.

use serde_json::Value;

use crate::control::api::Difference;

/// So many differences of a report are named; the others are counted.
const NAMED: usize = 20;
/// A longer value is cut.
const LONGEST: usize = 80;

/// What differs, and how many differences there are beyond those.
pub(super) fn differences(before: &Value, after: &Value) -> (Vec<Difference>, u64) {
    let mut found = Found { named: Vec::new(), more: 0 };
    found.compare("", before, after);
    (found.named, found.more)
}

struct Found {
    named: Vec<Difference>,
    more: u64,
}

impl Found {
    fn compare(&mut self, path: &str, before: &Value, after: &Value) {
        match (before, after) {
            _ if before == after => {}
            (Value::Object(old), Value::Object(new)) => {
                for (name, before) in old {
                    match new.get(name) {
                        Some(after) => self.compare(&member(path, name), before, after),
                        None => self.note(&member(path, name), Some(before), None),
                    }
                }
                for (name, after) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                    self.note(&member(path, name), None, Some(after));
                }
            }
            (Value::Array(old), Value::Array(new)) => self.lists(path, old, new),
            _ => self.note(path, Some(before), Some(after)),
        }
    }

    /// What is equal at both ends is laid aside, so that one step more does not make all later ones differ.
    fn lists(&mut self, path: &str, old: &[Value], new: &[Value]) {
        let (mut start, mut old_end, mut new_end) = (0, old.len(), new.len());
        while old_end > start && new_end > start && old.get(start) == new.get(start) {
            start += 1;
        }
        while old_end > start && new_end > start && old.get(old_end - 1) == new.get(new_end - 1) {
            (old_end, new_end) = (old_end - 1, new_end - 1);
        }
        for index in start..old_end.max(new_end) {
            let before = old.get(index).filter(|_| index < old_end);
            let after = new.get(index).filter(|_| index < new_end);
            let path = item(path, index, before.or(after));
            match (before, after) {
                (Some(before), Some(after)) => self.compare(&path, before, after),
                (before, after) => self.note(&path, before, after),
            }
        }
    }

    fn note(&mut self, path: &str, before: Option<&Value>, after: Option<&Value>) {
        if self.named.len() >= NAMED {
            self.more += 1;
            return;
        }
        let path = path.to_owned();
        self.named.push(Difference { path, before: before.map(shown), after: after.map(shown) });
    }
}

fn member(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The place in a list, with the name of what stands there.
fn item(path: &str, index: usize, value: Option<&Value>) -> String {
    match value.and_then(|value| value.get("name")).and_then(Value::as_str) {
        Some(name) => format!("{path}[{index} {:?}]", cut(name)),
        None => format!("{path}[{index}]"),
    }
}

fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(before: &Value, after: &Value, expected: &[&str]) {
        let (named, more) = differences(before, after);
        let named: Vec<String> = named.iter().map(ToString::to_string).collect();
        assert_eq!((named, more), (expected.iter().map(|it| (*it).to_owned()).collect(), 0));
    }

    #[test]
    fn equal_reports_differ_in_nothing_whatever_the_order_of_their_members() {
        let other: Value = serde_json::from_str(r#"{"b":[1,2],"a":null}"#).unwrap();
        check(&json!({"a": null, "b": [1, 2]}), &other, &[]);
    }

    #[test]
    fn each_field_is_named_by_its_way_from_the_top() {
        let before = json!({"sn": "1", "old": true, "root": {"steps": [{"name": "Vout", "numericMeas": [{"value": 5.01}]}]}});
        let after = json!({"sn": "1", "new": "x", "root": {"steps": [{"name": "Vout", "numericMeas": [{"value": 5.02}]}]}});
        check(
            &before,
            &after,
            &[
                "old: true, now absent",
                "root.steps[0 \"Vout\"].numericMeas[0].value: 5.01, now 5.02",
                "new: absent before, now \"x\"",
            ],
        );
    }

    #[test]
    fn a_step_more_in_the_middle_is_one_difference() {
        let step = |name: &str| json!({"name": name});
        let before = json!([step("a"), step("b"), step("c")]);
        let after = json!([step("a"), step("new"), step("b"), step("c")]);
        check(&before, &after, &["[1 \"new\"]: absent before, now {\"name\":\"new\"}"]);
        check(&after, &before, &["[1 \"new\"]: {\"name\":\"new\"}, now absent"]);
        check(&json!(["x", "x"]), &json!(["x"]), &["[1]: \"x\", now absent"]);
    }

    #[test]
    fn no_more_is_named_than_anybody_reads_and_long_values_are_cut() {
        let before: Vec<u32> = (0..100).collect();
        let after: Vec<u32> = (1000..1100).collect();
        let (named, more) = differences(&json!(before), &json!(after));
        assert_eq!((named.len(), more), (NAMED, 80));
        let (named, _) = differences(&json!("µ".repeat(500)), &json!(1));
        assert_eq!(named[0].before.as_ref().unwrap().chars().count(), LONGEST + 1);
    }
}
