//! What a running agent answers is what `docs/control-api.json` says.

use serde_json::{Value, json};

use super::*;

/// What does not fit the schema, if anything. Knows the part of JSON Schema that the description uses, and stops at
/// any other, so that nothing passes unchecked.
fn misfit(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let rules = match schema {
        Value::Bool(true) => return Ok(()),
        schema => schema.as_object().expect("a schema is an object"),
    };
    let wrong = |words: &str| Err(format!("{words}: {value} for {schema}"));
    for (keyword, rule) in rules {
        let alternatives =
            || rule.as_array().unwrap().iter().filter(|it| misfit(root, it, value).is_ok()).count();
        match keyword.as_str() {
            "description" | "default" | "minimum" | "title" => {}
            "$ref" => {
                let name = rule.as_str().unwrap().strip_prefix('#').unwrap();
                misfit(root, root.pointer(name).expect("what is referred to is there"), value)?;
            }
            "type" => {
                let is = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "boolean",
                    Value::Number(number) if number.is_f64() => "number",
                    Value::Number(_) => "integer",
                    Value::String(_) => "string",
                    Value::Array(_) => "array",
                    Value::Object(_) => "object",
                };
                if rule != is && !rule.as_array().is_some_and(|types| types.iter().any(|it| it == is)) {
                    return wrong("another type");
                }
            }
            "format" => match (rule.as_str().unwrap(), value) {
                ("date-time", Value::String(text)) if text.parse::<jiff::Timestamp>().is_err() => {
                    return wrong("no time");
                }
                ("uuid", Value::String(text)) if text.parse::<Uuid>().is_err() => return wrong("no UUID"),
                _ => {}
            },
            "enum" if !rule.as_array().unwrap().contains(value) => return wrong("not one of the words"),
            "const" if rule != value => return wrong("another word"),
            "enum" | "const" => {}
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| misfit(root, rule, item))?;
            }
            "properties" => {
                for (name, rule) in rule.as_object().unwrap() {
                    value.get(name).map_or(Ok(()), |value| misfit(root, rule, value))?;
                }
            }
            "required" => {
                let missing =
                    rule.as_array().unwrap().iter().find(|it| value.get(it.as_str().unwrap()).is_none());
                if let Some(missing) = missing {
                    return wrong(&format!("{missing} is missing"));
                }
            }
            "additionalProperties" => {
                let known = rules.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flatten();
                for (name, value) in
                    others.filter(|(name, _)| !known.is_some_and(|it| it.contains_key(*name)))
                {
                    if *rule == false {
                        return wrong(&format!("{name} is too much"));
                    }
                    misfit(root, rule, value)?;
                }
            }
            "oneOf" if alternatives() != 1 => return wrong("not exactly one of several"),
            "anyOf" if alternatives() == 0 => return wrong("none of several"),
            "oneOf" | "anyOf" => {}
            other => panic!("the check does not know {other}"),
        }
    }
    Ok(())
}

/// The schema of a route's answer.
fn schema<'a>(description: &'a Value, path: &str, method: &str) -> &'a Value {
    let operation = &description["paths"][path][method];
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(!schema.is_null(), "{method} {path} is not described");
    schema
}

#[track_caller]
fn check(description: &Value, schema: &Value, answer: &Value, what: &str) {
    if let Err(words) = misfit(description, schema, answer) {
        panic!("{what}: {words}\n{answer:#}");
    }
}

#[tokio::test]
async fn answers_are_as_the_description_says() {
    let bench = Bench::start().await;
    let report = bench.refused(&["A", "B"]).await[0];
    bench.upload("a.json", b"{}".to_vec()).await.unwrap();
    bench.client.upload_plugin("acme.py", b"import csv\n".to_vec()).await.unwrap();
    // The first configuration of the history.
    bench.client.pause_delivery().await.unwrap();
    let token = bench.token();
    let description: Value =
        bench.ask(Method::GET, "/v1/openapi.json", Some(&token)).await.json().await.unwrap();
    let paths = description["paths"].as_object().unwrap();

    let mut asked = 0;
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let is_json = operation["responses"]["200"]["content"].get("application/json").is_some();
            let is_asked = method == "get" || path.ends_with("/pause") || path.ends_with("/resume");
            if !is_json || !is_asked {
                continue;
            }
            let filled = path.replace("{name}", "line").replace("{file_id}", "1");
            let mut filled = filled.replace("{report_id}", &report.to_string());
            if path == "/v1/ledger" {
                filled += "?serial_number=A";
            }
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            filled = filled.replace("{number}", "1").replace("{plugin}", "acme.py");
            let answer = bench.ask(verb, &filled, Some(&token)).await;
            assert_eq!(answer.status(), 200, "{method} {filled}");
            check(&description, schema(&description, path, method), &answer.json().await.unwrap(), path);
            asked += 1;
        }
    }
    assert!(asked >= 19, "{asked}");

    let refused =
        bench.ask(Method::GET, "/v1/reports/00000000-0000-0000-0000-000000000000", Some(&token)).await;
    let problem = &description["components"]["schemas"]["Problem"];
    check(&description, problem, &refused.json().await.unwrap(), "a refusal");
}

#[tokio::test]
async fn what_is_described_exists_and_what_exists_is_described() {
    let bench = Bench::start().await;
    let token = bench.token();
    let description: Value =
        bench.ask(Method::GET, "/v1/openapi.json", Some(&token)).await.json().await.unwrap();
    for (path, operations) in description["paths"].as_object().unwrap() {
        // A method that no route has tells a path that is there (405) from one that is not (404).
        assert_eq!(bench.ask(Method::PATCH, path, Some(&token)).await.status(), 405, "{path}");
        for method in ["get", "put", "post", "delete"] {
            let verb = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let is_described = operations.get(method).is_some();
            // Names in braces are no ids and no sources, and no body is sent: nothing is changed by asking.
            if is_described && (path == "/v1/events" || method != "get") {
                continue;
            }
            let status = bench.ask(verb, path, Some(&token)).await.status();
            assert_eq!(status != 405, is_described, "{method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn what_the_types_write_is_what_their_schemas_take() {
    let bench = Bench::start().await;
    let description = crate::control::openapi::description();
    let fits =
        |name: &str, value: &Value| misfit(&description, &description["components"]["schemas"][name], value);
    let written = |value: Result<Value, serde_json::Error>| value.unwrap();
    let at = jiff::Timestamp::now();
    let notice = crate::control::api::Notice {
        at,
        event: Event::ReportPostponed { report_id: Uuid::nil(), error: "busy".into(), due_at: at },
    };
    let mut settings =
        written(serde_json::to_value(bench.client.sources().await.unwrap().remove(0).settings));
    for (name, value) in [
        ("ServerChange", written(serde_json::to_value(server("https://a", user("b", "c"))))),
        ("SourceSettings", settings.clone()),
        ("ReportQuery", written(serde_json::to_value(ReportQuery::default()))),
        ("Notice", written(serde_json::to_value(&notice))),
    ] {
        assert_eq!(fits(name, &value), Ok(()), "{name}");
    }
    // And nothing else is taken.
    settings["converter"] = json!(1);
    assert!(fits("SourceSettings", &settings).unwrap_err().starts_with("another type"));
    assert!(fits("SourceSettings", &json!({"name": "a"})).unwrap_err().contains("is missing"));
    let unknown = json!({"name": "a", "converter": "b", "folders": "c"});
    assert!(fits("SourceSettings", &unknown).unwrap_err().contains("is too much"));
    let mut notice = written(serde_json::to_value(&notice));
    notice["due_at"] = json!("yesterday");
    assert!(fits("Notice", &notice).is_err());
}
