//! The watched folders, and the converter that each has.

use std::collections::BTreeMap;

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use wats_agent::control::api::{
    After, ConverterInfo, ConverterKind, SourceIntake, SourceSettings, SourceStatus, USUAL_PRIORITY,
};
use wats_agent::control::client::ControlError;
use wats_agent::plugins::PREFIX;

use super::dashboard::SourceRow;
use super::redirect_with_notice;
use crate::Console;
use crate::access::SignedIn;
use crate::arguments::{self, ArgumentField};
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::{Frame, Nav};

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/converters", get(list))
        .route("/converters/add", get(choose).post(add))
        .route("/converters/{name}", get(show).post(change))
        .route("/converters/{name}/pause", post(pause))
        .route("/converters/{name}/resume", post(resume))
        .route("/converters/{name}/remove", post(remove))
}

#[derive(Template, WebTemplate)]
#[template(path = "converters/list.html")]
struct ListPage {
    frame: Frame,
    sources: Vec<SourceRow>,
}

async fn list(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let now = Timestamp::now();
    let sources = console.agent.sources().await?;
    let sources = sources.into_iter().map(|source| SourceRow::new(source, now)).collect();
    Ok(ListPage { frame: user.frame("Converters", Nav::Converters), sources }.into_response())
}

#[derive(Template, WebTemplate)]
#[template(path = "converters/choose.html")]
struct ChoosePage {
    frame: Frame,
    converters: Vec<ConverterInfo>,
}

/// The form of a source, and for one that exists how it fares.
#[derive(Template, WebTemplate)]
#[template(path = "converters/form.html")]
struct FormPage {
    frame: Frame,
    /// `None`: a new one.
    source: Option<SourceRow>,
    action: String,
    converter: ConverterInfo,
    name: String,
    folder: String,
    default_folder: String,
    patterns: String,
    after: &'static str,
    priorities: Vec<Priority>,
    arguments: Vec<ArgumentField>,
    errors: FormErrors,
}

struct Priority {
    number: u32,
    label: String,
    chosen: bool,
}

/// The ten priorities for a list.
fn priorities(chosen: u32) -> Vec<Priority> {
    let label = |number: u32| match number {
        1 => "1 (first)".to_owned(),
        USUAL_PRIORITY => format!("{number} (usual)"),
        10 => "10 (last)".to_owned(),
        _ => number.to_string(),
    };
    (1..=10).map(|number| Priority { number, label: label(number), chosen: number == chosen }).collect()
}

#[derive(Deserialize)]
struct Chosen {
    converter: Option<String>,
}

async fn choose(
    user: SignedIn,
    console: State<Console>,
    chosen: Query<Chosen>,
) -> Result<Response, PageError> {
    let converters = console.agent.converters().await?;
    let Some(wanted) = &chosen.converter else {
        let frame = user.frame("Add a converter", Nav::Converters);
        return Ok(ChoosePage { frame, converters }.into_response());
    };
    let converter = converters.into_iter().find(|it| it.name == *wanted).ok_or(PageError::NotFound)?;
    let taken = console.agent.sources().await?;
    let settings = SourceSettings {
        name: free_name(&converter.name, &taken),
        converter: converter.name.clone(),
        folder: None,
        file_patterns: Vec::new(),
        arguments: BTreeMap::new(),
        after: After::default(),
        paused: false,
        priority: USUAL_PRIORITY,
        intake: SourceIntake::default(),
    };
    let page = form_page(&user, &console, None, converter, &settings, FormErrors::default()).await?;
    Ok(page.into_response())
}

/// The converter's name as that of a source, with a number behind it when one is called so already.
fn free_name(converter: &str, taken: &[SourceStatus]) -> String {
    let converter =
        converter.strip_prefix(PREFIX).unwrap_or(converter).to_ascii_lowercase().replace('_', "-");
    let converter = converter.trim_matches('-');
    let is_free = |name: &String| taken.iter().all(|source| source.settings.name != *name);
    let numbered = (2..).map(|number| format!("{converter}-{number}"));
    std::iter::once(converter.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

async fn form_page(
    user: &SignedIn,
    console: &Console,
    existing: Option<SourceStatus>,
    converter: ConverterInfo,
    settings: &SourceSettings,
    errors: FormErrors,
) -> Result<FormPage, PageError> {
    let arguments = arguments::fields(&converter.arguments, &settings.arguments, &errors);
    let instance = console.agent.status().await?.instance;
    let (title, action) = match &existing {
        Some(source) => (source.settings.name.clone(), format!("/converters/{}", source.settings.name)),
        None => (format!("Add {}", converter.title), format!("/converters/add?converter={}", converter.name)),
    };
    Ok(FormPage {
        frame: user.frame(title, Nav::Converters),
        source: existing.map(|source| SourceRow::new(source, Timestamp::now())),
        action,
        name: settings.name.clone(),
        folder: settings.folder.clone().unwrap_or_default(),
        default_folder: format!("/srv/wats/{instance}/{}", settings.name),
        patterns: settings.file_patterns.join(" "),
        after: after_word(settings.after),
        priorities: priorities(settings.priority),
        arguments,
        converter,
        errors,
    })
}

fn after_word(after: After) -> &'static str {
    match after {
        After::Archive => "archive",
        After::Keep => "keep",
        After::Delete => "delete",
        After::Zip => "zip",
    }
}

/// What was typed, as the agent takes it. Of the source as it was comes what the form does not have.
fn settings(
    typed: &BTreeMap<String, String>,
    converter: &ConverterInfo,
    before: Option<&SourceSettings>,
) -> SourceSettings {
    let field = |name: &str| typed.get(name).map(|value| value.trim()).unwrap_or_default();
    let stored = before.map(|it| it.arguments.clone()).unwrap_or_default();
    SourceSettings {
        name: field("name").to_owned(),
        converter: converter.name.clone(),
        folder: Some(field("folder")).filter(|it| !it.is_empty()).map(str::to_owned),
        file_patterns: field("file_patterns").split_whitespace().map(str::to_owned).collect(),
        // A converter that is not there now declares nothing: what was set for it stays.
        arguments: match is_absent(converter) {
            true => stored,
            false => arguments::read(&converter.arguments, typed, &stored),
        },
        after: match field("after") {
            "keep" => After::Keep,
            "delete" => After::Delete,
            "zip" => After::Zip,
            _ => After::Archive,
        },
        paused: before.is_some_and(|it| it.paused),
        // The form offers a list; the agent says what is wrong with anything else.
        priority: field("priority").parse().unwrap_or(USUAL_PRIORITY),
        intake: before.map(|it| it.intake.clone()).unwrap_or_default(),
    }
}

/// The agent's words at the fields of this form.
fn errors(error: &ControlError) -> FormErrors {
    let mut errors = FormErrors::default();
    errors.add_agent_error(error, |member| {
        // The member may come with the place in the configuration before it, or with a list's index behind.
        let known = ["name", "folder", "file_patterns", "after"];
        match member.find("arguments.") {
            Some(at) => member.get(at..).map(str::to_owned),
            None => known.into_iter().find(|it| member.contains(it)).map(str::to_owned),
        }
    });
    errors
}

async fn add(
    user: SignedIn,
    console: State<Console>,
    chosen: Query<Chosen>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let wanted = chosen.converter.as_deref().unwrap_or_default();
    let converters = console.agent.converters().await?;
    let converter = converters.into_iter().find(|it| it.name == wanted).ok_or(PageError::NotFound)?;
    let settings = settings(&typed, &converter, None);
    match console.agent.add_source(&settings).await {
        Ok(made) => {
            let detail = format!("{} watches {}.", made.settings.name, made.folder);
            console.state.record(Timestamp::now(), Some(user.user()), "converter-added", &detail).await?;
            Ok(redirect_with_notice("/converters", detail))
        }
        Err(error) => {
            let page = form_page(&user, &console, None, converter, &settings, errors(&error)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn find(console: &Console, name: &str) -> Result<(SourceStatus, ConverterInfo), PageError> {
    let mut sources = console.agent.sources().await?.into_iter();
    let source = sources.find(|source| source.settings.name == name).ok_or(PageError::NotFound)?;
    let mut converters = console.agent.converters().await?.into_iter();
    let converter = converters.find(|it| it.name == source.settings.converter);
    let converter = converter.unwrap_or_else(|| absent(&source.settings.converter));
    Ok((source, converter))
}

/// What is known of a converter that a configuration names and that is not there: of another version of the agent, or of
/// a plug-in that is not enabled.
fn absent(name: &str) -> ConverterInfo {
    let description = match name.strip_prefix(PREFIX) {
        Some(_) => "No enabled converter of your own has this name; its files wait until one has.",
        None => "This version of the agent has no such converter.",
    };
    ConverterInfo {
        name: name.to_owned(),
        title: name.to_owned(),
        description: description.to_owned(),
        version: String::new(),
        file_patterns: Vec::new(),
        arguments: Vec::new(),
        plugin: None,
        kind: ConverterKind::default(),
    }
}

fn is_absent(converter: &ConverterInfo) -> bool {
    *converter == absent(&converter.name)
}

async fn show(
    user: SignedIn,
    console: State<Console>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    let (source, converter) = find(&console, &name).await?;
    let settings = source.settings.clone();
    let page = form_page(&user, &console, Some(source), converter, &settings, FormErrors::default()).await?;
    Ok(page.into_response())
}

async fn change(
    user: SignedIn,
    console: State<Console>,
    Path(name): Path<String>,
    Form(typed): Form<BTreeMap<String, String>>,
) -> Result<Response, PageError> {
    let (source, converter) = find(&console, &name).await?;
    let settings = settings(&typed, &converter, Some(&source.settings));
    match console.agent.change_source(&name, &settings).await {
        Ok(changed) => {
            let detail = format!("{} watches {}.", changed.settings.name, changed.folder);
            console.state.record(Timestamp::now(), Some(user.user()), "converter-changed", &detail).await?;
            Ok(redirect_with_notice("/converters", format!("Saved: {detail}")))
        }
        Err(error) => {
            let page = form_page(&user, &console, Some(source), converter, &settings, errors(&error)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

async fn pause(
    user: SignedIn,
    console: State<Console>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    console.agent.pause_source(&name).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "converter-paused", &name).await?;
    Ok(redirect_with_notice("/converters", format!("{name} is paused. Its files wait in their folder.")))
}

async fn resume(
    user: SignedIn,
    console: State<Console>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    console.agent.resume_source(&name).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "converter-resumed", &name).await?;
    Ok(redirect_with_notice("/converters", format!("{name} goes on.")))
}

async fn remove(
    user: SignedIn,
    console: State<Console>,
    Path(name): Path<String>,
) -> Result<Response, PageError> {
    console.agent.remove_source(&name).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "converter-removed", &name).await?;
    Ok(redirect_with_notice(
        "/converters",
        format!("{name} was removed. The files in its folder stay there."),
    ))
}

#[cfg(test)]
mod tests {
    use wats_agent::control::api::ArgumentInfo;

    use super::*;

    #[test]
    fn a_form_becomes_settings() {
        let typed = [
            ("name", " line-1 "),
            ("folder", ""),
            ("file_patterns", "*.txt  *.log"),
            ("after", "keep"),
            ("priority", "2"),
            ("argument.code", "30"),
            ("argument.mode", " "),
        ];
        let typed = typed.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let argument = |name: &str| ArgumentInfo {
            name: name.to_owned(),
            description: String::new(),
            default: String::new(),
            rule: Default::default(),
        };
        let converter = ConverterInfo {
            version: "1".to_owned(),
            arguments: vec![argument("code"), argument("mode")],
            ..absent("wats-text")
        };
        let fresh = settings(&typed, &converter, None);
        assert_eq!(fresh.name, "line-1");
        assert_eq!(fresh.folder, None);
        assert_eq!(fresh.file_patterns, ["*.txt", "*.log"]);
        assert_eq!(fresh.arguments, BTreeMap::from([("code".to_owned(), "30".to_owned())]));
        assert_eq!((fresh.after, fresh.paused, fresh.priority), (After::Keep, false, 2));
        let before = SourceSettings { paused: true, ..fresh };
        assert!(settings(&typed, &converter, Some(&before)).paused);
        let kept = settings(&BTreeMap::new(), &absent("plugin:acme"), Some(&before));
        assert_eq!(kept.arguments, before.arguments, "a converter that is away loses no settings");
    }

    #[test]
    fn a_source_may_be_called_as_its_converter() {
        assert_eq!(free_name("wats-text", &[]), "wats-text");
        assert_eq!(free_name("plugin:Acme_Log-", &[]), "acme-log");
    }
}
