//! Delivery, and what has no counterpart.

use serde_json::{Value, json};

use super::super::Settings;
use super::fields::Fields;
use super::{Import, Settled};
use crate::system;

pub(super) fn delivery(import: &mut Import, settled: &mut Settled, fields: &mut Fields<'_>) {
    if let Some(uploads) = fields.number("max_concurrent_uploads") {
        let fitting = uploads.round().clamp(1.0, 64.0);
        if settled.first("the number of uploads", fields, "max_concurrent_uploads") {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
            let fitting_number = fitting as u32;
            import.config.delivery.uploads = fitting_number;
            let to = format!("delivery.uploads = {fitting_number}");
            if (fitting - uploads).abs() < f64::EPSILON {
                fields.taken("max_concurrent_uploads", to);
            } else {
                fields.translated("max_concurrent_uploads", to, "1 to 64 are possible");
            }
        }
    }
    if let Some(folder) = fields.text("reports_folder")
        && folder != "reports"
    {
        let words = "the agent's queue is a database. Reports that still wait there (*.queued, *.error) are WSJF: copy \
                     them as *.json into the folder of a wats-json source";
        fields.not_taken("reports_folder", words);
    }
}

pub(super) fn instance(base: &Settings, fields: &mut Fields<'_>) {
    if let Some(instance) = fields.text("instance_id")
        && instance != base.instance
    {
        let path = system::places().configurations.join(format!("{instance}.toml"));
        let path = path.display();
        let words = format!(
            "an instance is named after its file: give --config {path} to import into one of that name"
        );
        fields.not_taken("instance_id", words);
    }
    if let Some(version) = fields.text("schema_version")
        && !matches!(version.split('.').next(), Some("1" | "2"))
    {
        fields.not_taken("schema_version", "only 1.x and 2.x are known: compare what was taken");
    }
}

/// Keys that nothing of ours stands for: with their default they say nothing, else why they are left out is said.
pub(super) fn without_counterpart(fields: &mut Fields<'_>) {
    let registration = "the agent registers anew";
    let serial = "serial numbers are not handed out by the agent";
    let packages = "software packages are not fetched by the agent";
    let retry = "the agent retries by itself, for as long as it takes";
    let queue = "the queue is bounded by the disk: see storage.least_free_mb";
    let api = "the control API is at its socket; the client never served this one";
    let hook = "the client never called it; watch health and metrics instead";
    let log = "set PYWATS_LOG_LEVEL or RUST_LOG for the service; the log is in the journal";
    let window = "it belongs to a window of the client";
    let never = "it had no effect in the client";
    for (key, usual, why) in [
        ("instance_name", json!("WATS Client"), "instances have no second name here"),
        ("username", json!(""), never),
        ("registered_at", Value::Null, registration),
        ("auto_detect_location", json!(false), never),
        ("sn_type_name", json!(""), serial),
        ("sn_request_type", json!("Take"), serial),
        ("sn_batch_size", json!(10), serial),
        ("sn_fetch_threshold", json!(3), serial),
        ("sn_only_in_sequence", json!(false), serial),
        ("sn_start_from", json!(""), serial),
        ("sw_prefetch_enabled", json!(false), packages),
        ("sw_prefetch_interval_seconds", json!(3600), packages),
        ("sw_prefetch_filter", json!(""), packages),
        ("sw_prefetch_root_path", json!(""), packages),
        ("sw_auto_cleanup_revoked", json!(true), packages),
        ("software_auto_update", json!(false), packages),
        ("sync_interval_seconds", json!(300), never),
        ("process_sync_enabled", json!(true), never),
        ("offline_queue_enabled", json!(true), "the queue is always on"),
        ("max_retry_attempts", json!(5), retry),
        ("retry_interval_seconds", json!(60), retry),
        ("max_retries", json!(3), retry),
        ("retry_delay_seconds", json!(1), retry),
        ("timeout_seconds", json!(30), "the agent gives a large report more time by itself"),
        ("max_queue_size", json!(10000), queue),
        ("enable_cache", json!(true), never),
        ("cache_ttl_seconds", json!(300.0), never),
        ("cache_max_size", json!(1000), never),
        ("enable_metrics", json!(true), "metrics are always on: /metrics of health.listen"),
        ("metrics_port", json!(9090), "metrics are always on: /metrics of health.listen"),
        ("converters_folder", json!("converters"), "files of your own need a plug-in"),
        ("converters_enabled", json!(true), "pause the sources instead"),
        ("yield_monitor_enabled", json!(false), "yield is watched on the server"),
        ("yield_threshold", json!(95.0), "yield is watched on the server"),
        ("location_services_enabled", json!(false), never),
        ("api_enabled", json!(false), api),
        ("api_host", json!("127.0.0.1"), api),
        ("api_port", json!(8080), api),
        ("api_base_path", json!("/api/v1"), api),
        ("api_cors_enabled", json!(false), api),
        ("api_cors_origins", json!("*"), api),
        ("api_auth_type", json!("None"), api),
        ("api_rate_limit_enabled", json!(false), api),
        ("api_rate_limit_requests", json!(100), api),
        ("api_rate_limit_window", json!(60), api),
        ("webhook_converter_url", json!(""), hook),
        ("webhook_report_url", json!(""), hook),
        ("webhook_service_url", json!(""), hook),
        ("webhook_auth_header", json!(""), hook),
        ("webhook_auth_value", json!(""), hook),
        ("show_software_tab", json!(true), window),
        ("show_sn_handler_tab", json!(true), window),
        ("show_converters_tab", json!(true), window),
        ("show_location_tab", json!(true), window),
        ("show_proxy_tab", json!(true), window),
        ("auto_connect", json!(true), window),
        ("was_connected", json!(false), window),
        ("service_auto_start", json!(true), "systemctl enable wats-agent@<instance> does this"),
        ("log_level", json!("INFO"), log),
        ("log_file", json!("client.log"), log),
        ("log_requests", json!(false), log),
        ("log_responses", json!(false), log),
        ("error_mode", json!("strict"), never),
        ("start_minimized", json!(false), window),
        ("minimize_to_tray", json!(true), window),
        ("watch_folders", json!([]), "the client dropped it when it saved: make sources of the folders"),
        ("watch_folder", json!(""), "the client dropped it when it saved: make a source of the folder"),
    ] {
        // What a window remembers is no setting.
        if let Some(value) = fields.value(key)
            && !same(value, &usual)
            && why != window
            && key != "registered_at"
        {
            fields.not_taken(key, why);
        }
    }
}

/// 300 and 300.0 are the same, and so are a number and its text.
fn same(value: &Value, usual: &Value) -> bool {
    match (value.as_f64(), usual.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < f64::EPSILON,
        _ => {
            value == usual
                || value
                    .as_str()
                    .is_some_and(|text| serde_json::from_str::<Value>(text).is_ok_and(|it| it == *usual))
        }
    }
}
