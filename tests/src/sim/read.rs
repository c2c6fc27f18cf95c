//! Giving back what was stored, as a server does: with its own additions.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use wats::Report;
use wats::report::{BinaryData, Step, Text, Time};

use super::api::{Api, flag};
use super::store::{Format, Intake, Stored};
use super::{catalogue, odata, submit};

type Parameters = Query<HashMap<String, String>>;

/// A stored report that can be read: bytes and format, so that the store is not held while it is parsed.
fn find(api: &Api, id: &str) -> Option<(Bytes, Format)> {
    let delay = api.sim.faults().behaviour.processing_delay_ms;
    let store = api.sim.store();
    let stored = store.get(id.parse().ok()?)?;
    (stored.intake(delay) == Intake::Processed).then(|| (stored.body.clone(), stored.format))
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "Message": "The report was not found." }))).into_response()
}

pub(super) async fn wsjf(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(query): Parameters,
) -> Response {
    let report = find(&api, &id).and_then(|(body, format)| submit::read(format, &body).ok());
    let Some(mut report) = report else { return not_found() };
    add(&mut report, api.sim.faults().behaviour.trims);
    let Ok(mut document) = serde_json::to_value(&report) else { return not_found() };
    for (parameter, members) in [
        ("includeAttachments", ["attachment", "attachments", "binaryData"].as_slice()),
        ("includeChartdata", &["chart"]),
    ] {
        if flag(&query, parameter) == Some(false) {
            remove(&mut document, members);
        }
    }
    if let Value::Object(members) = &mut document {
        members.entry("assetStats").or_insert_with(|| json!([]));
    }
    Json(document).into_response()
}

/// What a server fills in.
fn add(report: &mut Report, trims: bool) {
    report.start_utc = report.start_utc.take().or_else(|| report.start.as_ref().and_then(Time::utc));
    report.origin.get_or_insert_with(|| "8033657d-c2c1-40f8-832b-000000000001".into());
    if report.process_name.is_none() {
        report.process_name = report.process_code.and_then(catalogue::name_of).map(Into::into);
    }
    if trims {
        report.rev = report.rev.trim().into();
        for unit in &mut report.sub_units {
            unit.part_type = unit.part_type.take().map(|kind| kind.trim().into());
        }
    }
    give_ids(report);
}

/// The files of a repair are asked for by ids that the server gives.
fn give_ids(report: &mut Report) {
    let base = report.id.unwrap_or_default();
    let files = report.sub_units.iter_mut().flat_map(|unit| unit.failures.iter_mut().flatten());
    let files = files.flat_map(|failure| failure.attachments.iter_mut().flatten());
    for (index, file) in report.binary_data.iter_mut().chain(files).enumerate() {
        file.id.get_or_insert_with(|| Uuid::new_v5(&base, index.to_string().as_bytes()));
    }
}

fn remove(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members.values_mut().for_each(|member| remove(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, names)),
        _ => {}
    }
}

/// The document as it came: the simulator does not translate reports that came as WSJF.
pub(super) async fn wsxf(State(api): State<Api>, Path(id): Path<String>) -> Response {
    match find(&api, &id) {
        Some((body, format @ Format::Wsxf)) => {
            ([(header::CONTENT_TYPE, format.content_type())], body).into_response()
        }
        _ => not_found(),
    }
}

/// One file: of a repair by `attachmentId`, of a test by `stepId`.
pub(super) async fn attachment(State(api): State<Api>, Query(query): Parameters) -> Response {
    let option = |wanted: &str| {
        query.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| v.as_str())
    };
    let Some(id) = option("reportId") else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "Message": "reportId is required." })))
            .into_response();
    };
    let report = find(&api, id).and_then(|(body, format)| submit::read(format, &body).ok());
    let Some(mut report) = report else { return not_found() };
    give_ids(&mut report);
    let wanted = option("attachmentId").and_then(|id| id.parse::<Uuid>().ok());
    let file = match wanted {
        Some(wanted) => {
            files(&report).find(|f| f.id == Some(wanted)).map(|f| (f.content_type.clone(), f.data.clone()))
        }
        None => option("stepId")
            .and_then(|id| id.parse().ok())
            .and_then(|id| file_of_step(report.root.as_ref()?, id)),
    };
    match file {
        Some((kind, data)) => {
            let kind = kind.unwrap_or_else(|| "application/octet-stream".into());
            let bytes = STANDARD.decode(data.unwrap_or_default()).unwrap_or_default();
            ([(header::CONTENT_TYPE, String::from(kind))], bytes).into_response()
        }
        None => not_found(),
    }
}

fn files(report: &Report) -> impl Iterator<Item = &BinaryData> {
    let failures = report.sub_units.iter().flat_map(|unit| unit.failures.iter().flatten());
    report.binary_data.iter().chain(failures.flat_map(|failure| failure.attachments.iter().flatten()))
}

/// Steps without ids are numbered in the order of the document, from 1.
fn file_of_step(root: &Step, wanted: i32) -> Option<(Option<Text>, Option<Text>)> {
    let mut numbered = root.walk().zip(1..);
    let (step, _) = numbered.find(|(step, number)| step.id.unwrap_or(*number) == wanted)?;
    let attachment = step.rare.attachment.as_ref()?;
    Some((attachment.content_type.clone(), attachment.data.clone()))
}

pub(super) async fn state(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let delay = api.sim.faults().behaviour.processing_delay_ms;
    let store = api.sim.store();
    let Some(stored) = id.parse().ok().and_then(|id| store.get(id)) else { return not_found() };
    Json(json!({
        "uuid": stored.header.id, "State": stored.intake(delay), "ProcessAtUtc": stored.process_at(delay),
        "ReceiveDate": stored.received, "ReceiveCount": stored.header.receive_count, "LastAttempt": null,
        "Attempts": u8::from(stored.intake(delay) == Intake::Processed),
    }))
    .into_response()
}

/// The list of headers, by the subset of OData that the server documents.
pub(super) async fn headers(State(api): State<Api>, Query(query): Parameters) -> Response {
    let options = match odata::Options::read(&query) {
        Ok(options) => options,
        Err(problem) => {
            return (StatusCode::BAD_REQUEST, Json(json!({ "Message": problem }))).into_response();
        }
    };
    let delay = api.sim.faults().behaviour.processing_delay_ms;
    let mut chosen: Vec<(Value, Bytes, Format)> = api
        .sim
        .store()
        .all()
        .into_iter()
        .filter(|stored| stored.intake(delay) == Intake::Processed)
        .map(|stored| (row(stored), stored.body.clone(), stored.format))
        .filter(|(row, ..)| options.matches(row))
        .collect();
    chosen.sort_by(|(a, ..), (b, ..)| options.order(a, b));
    let rows = chosen.into_iter().skip(options.skip).take(options.top).map(|(mut row, body, format)| {
        expand(&mut row, &options.expand, &body, format);
        options.select(row)
    });
    Json(rows.collect::<Vec<Value>>()).into_response()
}

fn row(stored: &Stored) -> Value {
    let header = &stored.header;
    let result = match header.result {
        "P" => "Passed",
        "F" => "Failed",
        "E" => "Error",
        _ => "Terminated",
    };
    json!({
        "uuid": header.id, "serialNumber": header.sn, "partNumber": header.pn, "revision": stored.revision,
        "batchNumber": null, "reportType": header.report_type, "start": stored.start, "result": result,
        "userName": null, "stationName": stored.station, "location": stored.location, "purpose": stored.purpose,
        "measuresDeleted": false, "timeStamp": stored.number, "processCode": header.process_code,
        "processName": header.process_code.and_then(catalogue::name_of), "comment": null, "run": 1,
        "receiveCount": header.receive_count, "reportSize": stored.body.len().div_ceil(1024),
    })
}

/// Adds the lists that were asked for; they stand in the report only.
fn expand(row: &mut Value, wanted: &[String], body: &[u8], format: Format) {
    if wanted.is_empty() {
        return;
    }
    let (Ok(report), Some(row)) = (submit::read(format, body), row.as_object_mut()) else { return };
    let is_repair = report.uur.is_some();
    for name in wanted {
        let list = match name.to_ascii_lowercase().as_str() {
            "subunits" if !is_repair => sub_units(&report),
            "uursubunits" if is_repair => sub_units(&report),
            "miscinfo" if !is_repair => misc_infos(&report),
            "uurmiscinfo" if is_repair => misc_infos(&report),
            "assets" => report.assets.iter().map(|asset| json!({ "serialNumber": asset.asset_sn })).collect(),
            "attachments" if !is_repair => step_files(&report),
            "uurattachments" if is_repair => {
                let mut report = report.clone();
                give_ids(&mut report);
                files(&report).map(|file| json!({ "id": file.id, "filename": file.name })).collect()
            }
            _ => Vec::new(),
        };
        row.insert(listed_name(name), Value::Array(list));
    }
}

fn listed_name(name: &str) -> String {
    let known =
        ["subUnits", "miscInfo", "assets", "attachments", "uurSubUnits", "uurMiscInfo", "uurAttachments"];
    known
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))
        .map_or_else(|| name.to_owned(), |n| (*n).to_owned())
}

fn sub_units(report: &Report) -> Vec<Value> {
    let units = report.sub_units.iter();
    units
        .map(|unit| {
            let mut row = Map::new();
            row.insert("partType".to_owned(), json!(unit.part_type));
            row.insert("serialNumber".to_owned(), json!(unit.sn));
            row.insert("partNumber".to_owned(), json!(unit.pn));
            row.insert("revision".to_owned(), json!(unit.rev));
            Value::Object(row)
        })
        .collect()
}

fn misc_infos(report: &Report) -> Vec<Value> {
    report
        .misc_infos
        .iter()
        .map(|info| json!({ "description": info.description, "value": info.text }))
        .collect()
}

fn step_files(report: &Report) -> Vec<Value> {
    let steps = report.root.iter().flat_map(Step::walk).zip(1..);
    steps
        .filter_map(|(step, number)| {
            let file = step.rare.attachment.as_ref()?;
            Some(json!({ "stepId": step.id.unwrap_or(number), "filename": file.name }))
        })
        .collect()
}
