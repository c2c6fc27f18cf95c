//! The routes of the control API.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::{Json, Router};
use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;
use wats_converters::ArgumentKind;

use super::api::{
    ArgumentInfo, ArgumentRule, ArgumentType, Changed, ConfigChange, ConfigVersion, ConfigVersionInfo,
    ConfigWish, Configuration, ConnectionTest, ConverterInfo, ConverterKind, EnablePlugin, FileDetail,
    FileQuery, FileRecord, Instance, LARGEST_SAMPLE, LedgerCheck, LedgerQuery, LedgerRecord, LedgerSpan,
    LedgerVerify, Paused, PluginCheck, PluginFindings, PluginInfo, PluginSource, PluginTrial, PluginTry,
    RegisterWish, Registration, ReplayPart, ReplayRequest, ReportDetail, ReportQuery, ReportRecord, RollBack,
    SandboxStatus, ServerChange, ServerSettings, SourceSettings, SourceStatus, Station, Status, StoredFile,
};
use super::openapi::{self, Route};
use super::refusal::Refusal;
use super::status::status;
use super::{
    configuration, events, input_files, ledger, plugins, registration, replay, reports, server_settings,
    sources,
};
use crate::agent::Agent;
use crate::archive::put_back;
use crate::archive::replay::Replayer;
use crate::instances;
use crate::plugins::manage::LARGEST_ARCHIVE;
use crate::service::Vitals;
use crate::store::{Phase, Rescue};

/// No request takes longer but those that are said to; the connection test ends itself after 30 s.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(40);
/// The largest body that is not a file: settings with a bundle of certificates.
const BODY_LIMIT: usize = 1024 * 1024;

pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// What the routes work on.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) agent: Agent,
    pub(super) vitals: Vitals,
    pub(super) stop: CancellationToken,
    /// Places for those who follow the events.
    pub(super) followers: Arc<Semaphore>,
    pub(super) replayer: Replayer,
}

impl Control {
    pub(super) fn new(agent: Agent, vitals: Vitals, stop: CancellationToken) -> Self {
        let (followers, replayer) =
            (Arc::new(Semaphore::new(events::FOLLOWERS)), Replayer::new(agent.clone()));
        Self { agent, vitals, stop, followers, replayer }
    }
}

/// Every route, with what `docs/control-api.json` says of it.
#[rustfmt::skip] // one subject a block, one route a line or two
pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/status", show_status, "The whole agent at a glance").answers::<Status>(),
        Route::get("/v1/instances", list_instances, "The instances of this machine").answers::<Vec<Instance>>(),
        Route::get("/v1/openapi.json", describe, "This description").answers::<serde_json::Value>(),
        Route::get("/v1/events", events::follow, "What happens, from now on")
            .answers_other("text/event-stream", "Server-sent events; the data of each is a Notice in JSON").unhurried(),

        Route::post("/v1/intake/pause", pause_intake, "Take no files, in no source").answers::<Paused>(),
        Route::post("/v1/intake/resume", resume_intake, "Take files again").answers::<Paused>(),
        Route::post("/v1/delivery/pause", pause_delivery, "Send no reports").answers::<Paused>(),
        Route::post("/v1/delivery/resume", resume_delivery, "Send reports again").answers::<Paused>(),

        Route::get("/v1/sandbox", show_sandbox, "The layers of the sandbox for foreign converters")
            .answers::<SandboxStatus>(),

        Route::get("/v1/converters", list_converters, "The formats that can be converted, with their arguments")
            .answers::<Vec<ConverterInfo>>(),

        Route::get("/v1/plugins", plugins::list, "What lies in the plug-in folder, and how it stands")
            .answers::<Vec<PluginInfo>>(),
        Route::get("/v1/plugins/{plugin}", plugins::show, "One plug-in").answers::<PluginInfo>(),
        Route::put("/v1/plugins/{plugin}", plugins::upload, "Put a plug-in into the plug-in folder; NAME.zip becomes the folder NAME")
            .takes_other("application/octet-stream", "The file's bytes").answers::<PluginInfo>()
            .body_up_to(LARGEST_ARCHIVE),
        Route::delete("/v1/plugins/{plugin}", plugins::delete, "Remove a plug-in that no source uses"),
        Route::get("/v1/plugins/{plugin}/source", plugins::source, "The source of a plug-in, or of one of its files")
            .asks::<PluginSource>().answers_other("text/plain", "The source"),
        Route::get("/v1/plugins/{plugin}/findings", plugins::findings, "What its source reaches for")
            .answers::<PluginFindings>(),
        Route::post("/v1/plugins/{plugin}/check", plugins::check, "Ask it in the sandbox what it is, and say what is wrong")
            .answers::<PluginCheck>().unhurried(),
        Route::post("/v1/plugins/{plugin}/try", plugins::try_out, "Convert a sample and keep nothing of it")
            .asks::<PluginTry>().takes_other("application/octet-stream", "The sample's bytes").answers::<PluginTrial>()
            .body_up_to(LARGEST_SAMPLE).unhurried(),
        Route::post("/v1/plugins/{plugin}/enable", plugins::enable, "Let sources use it, with exactly this content")
            .takes::<EnablePlugin>().answers::<PluginInfo>().unhurried(),
        Route::post("/v1/plugins/{plugin}/disable", plugins::disable, "Let no source use it any more"),

        Route::get("/v1/sources", sources::list, "The watched folders").answers::<Vec<SourceStatus>>(),
        Route::post("/v1/sources", sources::add, "Watch another folder")
            .takes::<SourceSettings>().answers::<SourceStatus>(),
        Route::get("/v1/sources/{name}", sources::show, "One watched folder").answers::<SourceStatus>(),
        Route::put("/v1/sources/{name}", sources::change, "Replace the settings of a source")
            .takes::<SourceSettings>().answers::<SourceStatus>(),
        Route::delete("/v1/sources/{name}", sources::remove, "Stop watching; the files stay where they are"),
        Route::post("/v1/sources/{name}/pause", sources::pause, "Take no files of this source")
            .answers::<SourceStatus>(),
        Route::post("/v1/sources/{name}/resume", sources::resume, "Take files of this source again")
            .answers::<SourceStatus>(),
        Route::put("/v1/sources/{name}/files/{file}", sources::upload, "Put a file into the folder of a source")
            .takes_other("application/octet-stream", "The file's bytes").answers::<StoredFile>().unhurried(),

        Route::get("/v1/files", input_files::list, "Input files, newest first")
            .asks::<FileQuery>().answers::<Vec<FileRecord>>(),
        Route::post("/v1/files/retry", input_files::retry_many, "Convert again all failed files that fit")
            .takes::<FileQuery>().answers::<Changed>(),
        Route::get("/v1/files/{file_id}", input_files::show, "One file with its reports").answers::<FileDetail>(),
        Route::post("/v1/files/{file_id}/retry", input_files::retry, "Convert a failed file again"),

        Route::get("/v1/reports", reports::list, "Reports, newest first; state=rejected are the dead letters")
            .asks::<ReportQuery>().answers::<Vec<ReportRecord>>(),
        Route::post("/v1/reports/retry", reports::retry_many, "Send again all refused reports that fit")
            .takes::<ReportQuery>().answers::<Changed>(),
        Route::post("/v1/reports/discard", reports::discard_many, "Give up all refused reports that fit")
            .takes::<ReportQuery>().answers::<Changed>(),
        Route::get("/v1/reports/{report_id}", reports::show, "One report with its content and the server's words")
            .answers::<ReportDetail>(),
        Route::post("/v1/reports/{report_id}/retry", reports::retry, "Send a refused, or a waiting, report now"),
        Route::post("/v1/reports/{report_id}/discard", reports::discard, "Give a refused report up"),
        Route::put("/v1/reports/{report_id}/body", reports::correct, "Correct a refused report and send it")
            .takes_other("application/json", "The whole report in WSJF").body_up_to(reports::LARGEST),

        Route::get("/v1/ledger", ledger::find, "All records about a serial number")
            .asks::<LedgerQuery>().answers::<Vec<LedgerRecord>>(),
        Route::get("/v1/ledger/export", ledger::export, "The records of a time")
            .asks::<LedgerSpan>().answers_other("text/csv", "Or application/x-ndjson with format=json").unhurried(),
        Route::post("/v1/ledger/verify", ledger::verify, "Compute every hash again")
            .takes::<LedgerVerify>().answers::<LedgerCheck>().unhurried(),

        Route::post("/v1/replay", replay::part, "Convert archived files again; asked with `next` until there is none")
            .takes::<ReplayRequest>().answers::<ReplayPart>().unhurried(),

        Route::get("/v1/registration", registration::show, "This machine as a client of the server")
            .answers::<Registration>(),
        Route::put("/v1/registration", registration::register, "Register this machine, anew if it was before")
            .takes::<RegisterWish>().answers::<Registration>(),
        Route::delete("/v1/registration", registration::unregister, "Take the registration back"),

        Route::get("/v1/rescue", show_rescue, "What was done about a damaged database, until it is confirmed")
            .answers::<Option<Rescue>>(),
        Route::post("/v1/rescue/confirm", confirm_rescue, "End the alarm of a rebuilt database"),

        Route::get("/v1/config", configuration::show, "The configuration in force").answers::<Configuration>(),
        Route::put("/v1/config", configuration::replace, "Put a whole configuration into force")
            .asks::<ConfigWish>().takes_other("application/toml", "The text of a configuration file")
            .answers::<ConfigChange>(),
        Route::get("/v1/config/history", configuration::history, "The configurations that were in force, newest first")
            .answers::<Vec<ConfigVersionInfo>>(),
        Route::get("/v1/config/history/{number}", configuration::version, "One configuration of the history")
            .answers::<ConfigVersion>(),
        Route::post("/v1/config/rollback", configuration::roll_back, "Put one of the history into force again")
            .takes::<RollBack>().answers::<ConfigChange>(),

        Route::get("/v1/station", show_station, "The station that reports are sent as").answers::<Station>(),
        Route::put("/v1/station", change_station, "Change the station").takes::<Station>().answers::<Station>(),

        Route::get("/v1/server", server_settings::show, "The server settings, without the secret")
            .answers::<ServerSettings>(),
        Route::put("/v1/server", server_settings::change, "Change the server settings")
            .takes::<ServerChange>().answers::<ServerSettings>(),
        Route::post("/v1/server/test", server_settings::test, "Try server settings without keeping them")
            .takes::<ServerChange>().answers::<ConnectionTest>(),
    ]
}

/// Every route, without the check who may call it.
pub(super) fn router(control: Control) -> Router {
    let (unhurried, others): (Vec<_>, Vec<_>) = routes().into_iter().partition(|route| route.is_unhurried);
    let add = |router: Router<Control>, route: Route| router.route(route.path, route.handler);
    let router = others
        .into_iter()
        .fold(Router::new(), add)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE));
    unhurried
        .into_iter()
        // After the layer: these take the time they take.
        .fold(router, add)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .fallback(async || Refusal::not_found("the control API has no such route"))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this route does not take that method")
        })
        .with_state(control)
}

/// A JSON body; what is wrong with it is said without repeating it, because it may hold a secret.
pub(super) struct Wish<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Wish<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|error| Refusal::new(error.status(), "the request's body is too large or broke off"))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let words = format!("the request is not what this route takes, at line {line}, column {column}");
            Refusal::new(StatusCode::BAD_REQUEST, words)
        })
    }
}

/// What stands in the path in the place of names in braces.
pub(super) struct At<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found = Path::from_request_parts(parts, state).await;
        found.map(|Path(it)| Self(it)).map_err(|error| Refusal::new(error.status(), error.body_text()))
    }
}

/// The query string.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let found = Query::from_request_parts(parts, state).await;
        found
            .map(|Query(it)| Self(it))
            .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.body_text()))
    }
}

async fn show_status(State(control): State<Control>) -> Answer<Status> {
    Ok(Json(status(&control.agent, &control.vitals, Timestamp::now()).await?))
}

async fn list_instances(State(control): State<Control>) -> Answer<Vec<Instance>> {
    let config = control.agent.settings().path.clone();
    let found = tokio::task::spawn_blocking(move || instances::all(&config)).await;
    let found = found.map_err(|error| Refusal::internal(&error))?;
    found.map(Json).map_err(|error| Refusal::internal(&error))
}

async fn describe() -> Json<serde_json::Value> {
    Json(openapi::description())
}

async fn pause_intake(State(control): State<Control>) -> Answer<Paused> {
    pause(&control.agent, |paused| paused.intake = true).await
}

async fn resume_intake(State(control): State<Control>) -> Answer<Paused> {
    pause(&control.agent, |paused| paused.intake = false).await
}

async fn pause_delivery(State(control): State<Control>) -> Answer<Paused> {
    pause(&control.agent, |paused| paused.delivery = true).await
}

async fn resume_delivery(State(control): State<Control>) -> Answer<Paused> {
    pause(&control.agent, |paused| paused.delivery = false).await
}

async fn pause(agent: &Agent, edit: impl FnOnce(&mut Paused)) -> Answer<Paused> {
    let mut paused = agent.settings().paused();
    edit(&mut paused);
    agent.pause(paused).await?;
    tracing::info!(paused.intake, paused.delivery, "a person paused or resumed the agent");
    Ok(Json(paused))
}

async fn show_sandbox(State(control): State<Control>) -> Json<SandboxStatus> {
    Json(control.agent.sandbox())
}

async fn list_converters(State(control): State<Control>) -> Json<Vec<ConverterInfo>> {
    Json(control.agent.settings().converters())
}

/// The catalogue of our own, as a person sees it. With the plug-ins of an instance it is [`crate::config::Settings::converters`].
pub fn converters() -> Vec<ConverterInfo> {
    let argument = |argument: &wats_converters::Argument| ArgumentInfo {
        name: argument.name.to_owned(),
        description: argument.description.to_owned(),
        default: argument.default.to_owned(),
        rule: rule(argument.kind),
    };
    wats_converters::selectable()
        .map(|converter| {
            let about = converter.about();
            ConverterInfo {
                name: about.name.to_owned(),
                title: about.title.to_owned(),
                description: about.description.to_owned(),
                version: about.version.to_owned(),
                file_patterns: about.file_patterns.iter().map(|it| (*it).to_owned()).collect(),
                arguments: about.arguments.iter().map(argument).collect(),
                plugin: None,
                kind: ConverterKind::File,
            }
        })
        .collect()
}

fn rule(kind: ArgumentKind) -> ArgumentRule {
    let plain = |kind| ArgumentRule { kind, ..ArgumentRule::default() };
    let range = |min: i64, max: i64| ArgumentRule {
        min: Some(min.to_string()),
        max: Some(max.to_string()),
        ..plain(ArgumentType::Integer)
    };
    match kind {
        ArgumentKind::Text => plain(ArgumentType::String),
        ArgumentKind::ProcessCode => range(1, 32_767),
        ArgumentKind::Choice(words) => ArgumentRule {
            choices: words.iter().map(|&it| it.to_owned()).collect(),
            ..plain(ArgumentType::Choice)
        },
        ArgumentKind::Flag => plain(ArgumentType::Boolean),
        ArgumentKind::Whole(min, max) => range(min, max),
    }
}

/// What was done about a damaged database, until somebody confirms it.
async fn show_rescue(State(control): State<Control>) -> Answer<Option<Rescue>> {
    let rescue = Rescue::read(&control.agent.settings().storage_folder());
    rescue.map(Json).map_err(|error| Refusal::internal(&error))
}

async fn confirm_rescue(State(control): State<Control>) -> Result<StatusCode, Refusal> {
    match put_back::confirm(&control.agent).map_err(|error| Refusal::internal(&error))? {
        None => Err(Refusal::not_found("there is nothing to confirm: the database was not rebuilt")),
        Some(rescue) if rescue.phase != Phase::Done => Err(Refusal::new(
            StatusCode::CONFLICT,
            "the archive is still being looked through: try again later",
        )),
        Some(_) => Ok(StatusCode::NO_CONTENT),
    }
}

async fn show_station(State(control): State<Control>) -> Json<Station> {
    Json(control.agent.settings().config.station.clone())
}

async fn change_station(State(control): State<Control>, Wish(station): Wish<Station>) -> Answer<Station> {
    control.agent.set_station(station.clone()).await?;
    Ok(Json(station))
}
