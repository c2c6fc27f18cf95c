//! What is counted and timed, and how Prometheus reads it.
//!
//! The names are the contract with dashboards; `docs/metrics.md` lists them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use metrics::Histogram;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::control::api::{Link, Status};

/// Upper ends of the buckets of all times, in seconds.
const BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0];

const FILES: &str = "wats_files_total";
const REPORTS: &str = "wats_reports_total";
const STAGE: &str = "wats_stage_seconds";
const WORKERS: &str = "wats_workers_lost_total";

static DEPARTED: AtomicU64 = AtomicU64::new(0);

/// A part of a report's way that is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// From the file's content to its reports.
    Convert,
    /// From the reports to the database, on disk.
    Store,
    /// From the database to the server's acknowledgement.
    Queue,
    /// One request with its answer.
    Upload,
}

fn handle() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let buckets = Matcher::Full(STAGE.to_owned());
            let builder = PrometheusBuilder::new().set_buckets_for_metric(buckets, &BUCKETS).ok()?;
            let handle = builder.install_recorder().ok()?;
            metrics::describe_counter!(FILES, "Files that were worked on, by source and outcome");
            metrics::describe_counter!(REPORTS, "Attempts to send a report, by what came of them");
            metrics::describe_histogram!(STAGE, "Seconds that each stage took");
            metrics::describe_counter!(WORKERS, "Workers that crashed, hung or answered nonsense");
            Some(handle)
        })
        .as_ref()
}

/// To be called before anything is counted.
pub(crate) fn start() {
    if handle().is_none() {
        tracing::warn!("nothing is counted: another recorder of metrics is in place");
    }
}

/// To be called now and then, or the memory of the histograms grows.
pub(crate) fn upkeep() {
    if let Some(handle) = handle() {
        handle.run_upkeep();
    }
}

/// A file is done with: `converted`, `failed` or `duplicate`.
pub(crate) fn file(source: &str, outcome: &'static str) {
    metrics::counter!(FILES, "source" => source.to_owned(), "outcome" => outcome).increment(1);
}

/// An attempt to send a report has ended: `acknowledged`, `refused`, `postponed` or `held`.
pub(crate) fn report(outcome: &'static str) {
    if matches!(outcome, "acknowledged" | "refused") {
        DEPARTED.fetch_add(1, Ordering::Relaxed);
    }
    metrics::counter!(REPORTS, "outcome" => outcome).increment(1);
}

/// How many reports have left the queue since the start.
pub(crate) fn departed() -> u64 {
    DEPARTED.load(Ordering::Relaxed)
}

/// A worker was given up.
pub(crate) fn worker_lost() {
    metrics::counter!(WORKERS).increment(1);
}

/// A stage took so long.
pub(crate) fn took(stage: Stage, time: Duration) {
    // Looked up once: this is said several times for every file.
    static HISTOGRAMS: LazyLock<[Histogram; 4]> = LazyLock::new(|| {
        handle();
        ["convert", "store", "queue", "upload"].map(|stage| metrics::histogram!(STAGE, "stage" => stage))
    });
    let [convert, store, queue, upload] = &*HISTOGRAMS;
    let histogram = match stage {
        Stage::Convert => convert,
        Stage::Store => store,
        Stage::Queue => queue,
        Stage::Upload => upload,
    };
    histogram.record(time);
}

/// Everything in the text format of Prometheus; what is a state and no event is taken from `status`.
pub(crate) fn exposition(status: Option<&Status>, now: Timestamp) -> String {
    if let Some(status) = status {
        gauges(status, now);
    }
    handle().map(PrometheusHandle::render).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a double")]
fn gauges(status: &Status, now: Timestamp) {
    let seconds = |then: Timestamp| now.duration_since(then).as_secs().max(0) as f64;
    let queue = &status.queue;
    for (state, count) in [
        ("queued", queue.queued),
        ("sending", queue.sending),
        ("rejected", queue.rejected),
        ("sent", queue.sent),
    ] {
        metrics::gauge!("wats_queue_reports", "state" => state).set(count as f64);
    }
    metrics::gauge!("wats_failed_files").set(queue.failed_files as f64);
    metrics::gauge!("wats_oldest_pending_seconds").set(queue.oldest_queued.map_or(0.0, seconds));
    metrics::gauge!("wats_disk_free_bytes").set(status.disk.free_bytes as f64);
    // What is not foreseeable is never reached.
    let until = |seconds: Option<u64>| seconds.map_or(f64::INFINITY, |seconds| seconds as f64);
    metrics::gauge!("wats_seconds_to_full").set(until(status.forecast.seconds_to_full));
    metrics::gauge!("wats_seconds_to_drained").set(until(status.forecast.seconds_to_drained));
    metrics::gauge!("wats_memory_bytes").set(status.memory_bytes as f64);
    metrics::gauge!("wats_uptime_seconds").set(seconds(status.started_at));
    let online = status.server.link == Link::Online;
    metrics::gauge!("wats_server_online").set(f64::from(u8::from(online)));
    metrics::gauge!("wats_build_info", "version" => status.version.clone()).set(1.0);
}
