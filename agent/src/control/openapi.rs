//! The control API's description in OpenAPI 3.1, made from the routes and their types.

use std::collections::BTreeMap;

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{self, MethodRouter};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::api::{Notice, Problem};
use super::routes::{Control, routes};

/// One method on one path: who answers it, and what is to be said of it.
pub(super) struct Route {
    pub(super) path: &'static str,
    pub(super) handler: MethodRouter<Control>,
    /// It takes the time it takes: an upload, a stream.
    pub(super) is_unhurried: bool,
    method: &'static str,
    summary: &'static str,
    query: Option<SchemaOf>,
    takes: Option<Content>,
    answers: Option<Content>,
}

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

enum Content {
    Json(SchemaOf),
    /// Of this media type, with words for what it is.
    Other(&'static str, &'static str),
}

macro_rules! methods {
    ($($method:ident),*) => {$(
        pub(super) fn $method<H, T>(path: &'static str, handler: H, summary: &'static str) -> Self
        where
            H: Handler<T, Control>,
            T: 'static,
        {
            Self {
                path,
                handler: routing::$method(handler),
                is_unhurried: false,
                method: stringify!($method),
                summary,
                query: None,
                takes: None,
                answers: None,
            }
        }
    )*};
}

impl Route {
    methods!(get, put, post, delete);

    /// Its query string has the members of `T`.
    pub(super) fn asks<T: JsonSchema>(self) -> Self {
        Self { query: Some(T::json_schema), ..self }
    }

    /// Its body is a `T` in JSON.
    pub(super) fn takes<T: JsonSchema>(self) -> Self {
        Self { takes: Some(Content::Json(SchemaGenerator::subschema_for::<T>)), ..self }
    }

    /// Its answer is a `T` in JSON; without this it is 204 and empty.
    pub(super) fn answers<T: JsonSchema>(self) -> Self {
        Self { answers: Some(Content::Json(SchemaGenerator::subschema_for::<T>)), ..self }
    }

    /// Its body is something else than JSON.
    pub(super) fn takes_other(self, media: &'static str, what: &'static str) -> Self {
        Self { takes: Some(Content::Other(media, what)), ..self }
    }

    /// Its answer is something else than JSON.
    pub(super) fn answers_other(self, media: &'static str, what: &'static str) -> Self {
        Self { answers: Some(Content::Other(media, what)), ..self }
    }

    /// It may take longer than other requests.
    pub(super) fn unhurried(self) -> Self {
        Self { is_unhurried: true, ..self }
    }

    /// It takes a larger body than others.
    pub(super) fn body_up_to(self, bytes: usize) -> Self {
        Self { handler: self.handler.layer(DefaultBodyLimit::max(bytes)), ..self }
    }

    fn describe(&self, schemas: &mut SchemaGenerator) -> Value {
        let mut parameters: Vec<Value> = self.path.split('/').filter_map(path_parameter).collect();
        if let Some(query) = self.query {
            parameters.extend(query_parameters(&query(schemas)));
        }
        let mut responses = Map::new();
        match &self.answers {
            Some(content) => {
                let answer = json!({"description": "Done", "content": content.describe(schemas)});
                responses.insert("200".to_owned(), answer);
            }
            None => {
                responses.insert("204".to_owned(), json!({"description": "Done"}));
            }
        }
        responses.insert("default".to_owned(), json!({"$ref": "#/components/responses/Refused"}));
        let mut operation = json!({
            "operationId": self.name(),
            "summary": self.summary,
            "tags": [self.path.split('/').nth(2).unwrap_or_default()],
        });
        let members = [
            ("parameters", (!parameters.is_empty()).then(|| json!(parameters))),
            (
                "requestBody",
                self.takes.as_ref().map(|it| json!({"required": true, "content": it.describe(schemas)})),
            ),
            ("responses", Some(Value::Object(responses))),
        ];
        for (name, value) in members {
            if let (Some(value), Some(operation)) = (value, operation.as_object_mut()) {
                operation.insert(name.to_owned(), value);
            }
        }
        operation
    }

    /// A name for generated clients: `post_sources_name_pause`.
    fn name(&self) -> String {
        let words =
            self.path.split(['/', '{', '}', '-', '.']).filter(|word| !word.is_empty() && *word != "v1");
        std::iter::once(self.method).chain(words).collect::<Vec<_>>().join("_")
    }
}

impl Content {
    fn describe(&self, schemas: &mut SchemaGenerator) -> Value {
        match self {
            Self::Json(schema) => json!({"application/json": {"schema": schema(schemas)}}),
            Self::Other(media, what) => json!({*media: {"schema": {"type": "string", "description": what}}}),
        }
    }
}

/// `{file_id}` of a path: what it holds follows from its name.
fn path_parameter(word: &str) -> Option<Value> {
    let name = word.strip_prefix('{')?.strip_suffix('}')?;
    let schema = match name {
        "file_id" | "number" => json!({"type": "integer", "format": "int64"}),
        "report_id" => json!({"type": "string", "format": "uuid"}),
        _ => json!({"type": "string"}),
    };
    Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
}

/// The members of a query's type, each as a parameter.
fn query_parameters(query: &Schema) -> Vec<Value> {
    let required = query.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let properties = query.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    properties
        .into_iter()
        .map(|(name, schema)| {
            let is_required = required.iter().any(|it| *it == name);
            json!({"name": name, "in": "query", "required": is_required, "schema": schema})
        })
        .collect()
}

/// The whole description, as it stands in `docs/control-api.json`.
pub(super) fn description() -> Value {
    let mut schemas = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        })
        .into_generator();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in routes() {
        let operation = route.describe(&mut schemas);
        paths.entry(route.path).or_default().insert(route.method.to_owned(), operation);
    }
    let problem = schemas.subschema_for::<Problem>();
    // What the stream of events is made of; no answer in JSON names it.
    schemas.subschema_for::<Notice>();
    let mut schemas = Value::Object(schemas.take_definitions(true));
    plain_words(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "WATS agent control API",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "MIT OR Apache-2.0"},
            "description": "Everything that the agent shows and takes. On its Unix socket always, on an address of \
                            the machine itself where `[control] listen` switches it on. docs/control-api.md says who \
                            may call, with what token and how often.",
        },
        "servers": [{"url": "http://127.0.0.1:8765", "description": "where it is switched on; else the Unix socket"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Refused": {
                "description": "Not done, and why: 400 what was sent is not understood, 401 no token or a wrong one, \
                                403 not for this user, 404 not there, 409 not possible now, 413 too large, 422 a \
                                member is wrong, 429 too many requests (Retry-After says when), 5xx it failed here.",
                "content": {"application/json": {"schema": problem}},
            }},
            "schemas": schemas,
        },
    })
}

/// Takes the brackets of links between the types out of what is said about them.
fn plain_words(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "description" => {
                        *text = text.replace("[`", "`").replace("`]", "`").replace("`None`", "`null`");
                    }
                    value => plain_words(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(plain_words),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_is_current() {
        let text = serde_json::to_string_pretty(&description()).unwrap() + "\n";
        expect_test::expect_file!["../../../docs/control-api.json"].assert_eq(&text);
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_route_is_said_once() {
        let description = description();
        let text = description.to_string();
        let mut references = text.split("\"$ref\":\"#").skip(1).map(|it| it.split('"').next().unwrap());
        assert!(references.clone().count() > 20);
        assert_eq!(references.find(|it| description.pointer(it).is_none()), None);
        let said: usize =
            description["paths"].as_object().unwrap().values().map(|it| it.as_object().unwrap().len()).sum();
        assert_eq!(said, routes().len());
        let names: std::collections::BTreeSet<_> = routes().iter().map(Route::name).collect();
        assert_eq!(names.len(), said);
    }
}
