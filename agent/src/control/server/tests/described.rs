//! What a running agent answers is what `docs/control-api.json` says.

use serde_json::{Value, json};

use super::*;

/// The schema of a route's answer, with everything that it refers to.
fn schema(description: &Value, path: &str, method: &str) -> Value {
    let operation = &description["paths"][path][method];
    let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
    assert!(!schema.is_null(), "{method} {path} is not described");
    json!({"allOf": [schema], "components": description["components"]})
}

#[track_caller]
fn check(schema: &Value, answer: &Value, what: &str) {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let wrong: Vec<_> =
        validator.iter_errors(answer).map(|it| format!("{}: {it}", it.instance_path())).collect();
    assert!(wrong.is_empty(), "{what}: {wrong:#?}\n{answer:#}");
}

#[tokio::test]
async fn answers_are_as_the_description_says() {
    let bench = Bench::start().await;
    let report = bench.refused(&["A", "B"]).await[0];
    bench.upload("a.json", b"{}".to_vec()).await.unwrap();
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
            let answer = bench.ask(verb, &filled, Some(&token)).await;
            assert_eq!(answer.status(), 200, "{method} {filled}");
            check(&schema(&description, path, method), &answer.json().await.unwrap(), path);
            asked += 1;
        }
    }
    assert!(asked >= 19, "{asked}");

    let refused =
        bench.ask(Method::GET, "/v1/reports/00000000-0000-0000-0000-000000000000", Some(&token)).await;
    let problem = json!({
        "$ref": "#/components/responses/Refused/content/application~1json/schema",
        "components": description["components"],
    });
    check(&problem, &refused.json().await.unwrap(), "a refusal");
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
    let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}"), "components": description["components"]});
    let at = jiff::Timestamp::now();
    let notice = crate::control::api::Notice {
        at,
        event: Event::ReportPostponed { report_id: Uuid::nil(), error: "busy".into(), due_at: at },
    };
    check(
        &of("ServerChange"),
        &serde_json::to_value(server("https://a", user("b", "c"))).unwrap(),
        "a change",
    );
    let settings = bench.client.sources().await.unwrap().remove(0).settings;
    check(&of("SourceSettings"), &serde_json::to_value(settings).unwrap(), "a source");
    check(&of("ReportQuery"), &serde_json::to_value(ReportQuery::default()).unwrap(), "a query");
    check(&of("Notice"), &serde_json::to_value(notice).unwrap(), "an event");
    let validator = jsonschema::draft202012::new(&of("SourceSettings")).unwrap();
    assert!(
        !validator.is_valid(&json!({"name": "a"}))
            && !validator.is_valid(&json!({"name": 1, "converter": "x"}))
    );
}
