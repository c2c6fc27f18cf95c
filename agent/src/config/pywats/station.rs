//! The station, or the active one of several.

use serde_json::{Map, Value};

use super::super::validate::station_problems;
use super::fields::Fields;
use super::{Import, Settled};
use crate::control::api::Station;

pub(super) fn take(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
    let source = fields.text("station_name_source").map(|it| it.to_lowercase());
    let hub = fields.flag("multi_station_enabled") == Some(true);
    let active = fields.text("active_station_key");
    if let Some(presets) = fields.value("station_presets") {
        match presets.as_array() {
            Some(presets) if hub => self::presets(import, settled, fields, presets, active.as_deref()),
            Some(presets) if presets.is_empty() => {}
            Some(_) => fields.not_taken("station_presets", "several stations were not switched on"),
            None => fields.not_taken("station_presets", "it is no list: set [station]"),
        }
    }
    let is_host = source.as_deref() == Some("hostname");
    for (key, what) in [
        ("station_name", "the station's name"),
        ("location", "the station's location"),
        ("purpose", "the station's purpose"),
    ] {
        let Some(text) = fields.text(key) else { continue };
        if key == "station_name" && is_host {
            fields.translated(key, "", "the station was named after its host, as the agent does by itself");
            continue;
        }
        set_station(import, settled, fields, (key, what), text);
    }
    if fields.text("station_description").is_some() {
        fields
            .not_taken("station_description", "a description is not part of reports: it was for people only");
    }
    if fields.flag("include_station_in_reports") == Some(false) {
        let words = "the agent always names the station in reports whose file does not";
        fields.not_taken("include_station_in_reports", words);
    }
}

fn set_station(
    import: &mut Import,
    settled: &mut Settled,
    fields: &mut Fields<'_>,
    (key, what): (&str, &'static str),
    text: String,
) {
    let mut station = Station::default();
    let place = |station: &mut Station, text: String| match what {
        "the station's name" => station.name = text,
        "the station's location" => station.location = text,
        _ => station.purpose = text,
    };
    place(&mut station, text.clone());
    if let Some(problem) = station_problems(&station).into_iter().next() {
        return fields.not_taken(key, problem.message);
    }
    if settled.first(what, fields, key) {
        let ours = what.trim_start_matches("the station's ");
        fields.taken(key, format!("station.{ours} = {text:?}"));
        place(&mut import.config.station, text);
    }
}

/// Of several stations the active one is taken: an agent is one station.
fn presets(
    import: &mut Import,
    settled: &mut Settled,
    fields: &mut Fields<'_>,
    presets: &[Value],
    active: Option<&str>,
) {
    let objects: Vec<(usize, &Map<String, Value>)> =
        presets.iter().enumerate().filter_map(|(at, it)| Some((at, it.as_object()?))).collect();
    let of = |it: &Map<String, Value>, key: &str| {
        it.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let is_active = |it: &Map<String, Value>| active.is_some_and(|key| of(it, "key") == key);
    let is_default = |it: &Map<String, Value>| it.get("is_default") == Some(&Value::Bool(true));
    let chosen = objects
        .iter()
        .find(|(_, it)| is_active(it))
        .or_else(|| objects.iter().find(|(_, it)| is_default(it)))
        .map(|(at, _)| *at);
    if objects.len() < presets.len() {
        fields.not_taken("station_presets", "some entries are no tables");
    }
    for (at, preset) in objects {
        let name = of(preset, "name");
        if Some(at) != chosen {
            let words = format!(
                "station {name:?}: an agent is one station; make an instance of its own for it, with its own folders"
            );
            fields.not_taken("station_presets", words);
            continue;
        }
        for (key, what) in [
            ("name", "the station's name"),
            ("location", "the station's location"),
            ("purpose", "the station's purpose"),
        ] {
            let text = of(preset, key);
            if !text.is_empty() {
                set_station(import, settled, fields, ("station_presets", what), text);
            }
        }
    }
}
