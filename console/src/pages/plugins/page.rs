//! The page of one plug-in: what it is, what it reaches for, a sample, and enabling it.

use std::collections::BTreeMap;

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Deserialize;
use wats_agent::control::api::{
    ConverterInfo, ConverterKind, EnablePlugin, FindingSeverity, Part, PluginFinding, PluginFindings,
    PluginInfo, PluginLanguage, PluginState, PythonPackages,
};
use wats_agent::plugins::PREFIX;
use wats_agent::plugins::manage::ARCHIVE;

use super::super::redirect_with_notice;
use super::list::largest;
use super::trial::{Trial, TrialForm};
use super::words::{kind_words, part_words, sandbox_words, state_badge, state_words, takes_words};
use super::{path, source};
use crate::Console;
use crate::access::SignedIn;
use crate::arguments::{kind_words as argument_kind, must_be_set};
use crate::error::{PageError, agent_words, sentence};
use crate::forms::{Form, FormErrors};
use crate::frame::{Frame, Nav};
use crate::words::{Badge, Moment, Tone, size};

/// What a page shows besides the plug-in as it lies there.
#[derive(Default)]
pub(super) struct Shown {
    pub errors: FormErrors,
    /// What was found wrong when it was asked what it is.
    pub problems: Vec<String>,
    pub remarks: Vec<String>,
    pub standard_error: String,
    /// The converter whose trial is offered.
    pub converter: Option<String>,
    /// What was typed for the trial.
    pub arguments: BTreeMap<String, String>,
    pub trial: Option<Trial>,
    /// What was chosen for enabling it.
    pub chosen: Option<(Vec<Part>, PythonPackages)>,
}

impl Shown {
    /// Asks a plug-in what it is.
    pub(super) async fn checked(console: &Console, file: &str) -> Self {
        match console.agent.check_plugin(file).await {
            Ok(check) => Self {
                problems: check.problems.iter().map(|it| sentence(it)).collect(),
                remarks: check.remarks.iter().map(|it| sentence(it)).collect(),
                standard_error: check.standard_error,
                ..Self::default()
            },
            Err(error) => Self { problems: vec![agent_words(&error)], ..Self::default() },
        }
    }

    pub(super) fn is_fine(&self) -> bool {
        self.problems.is_empty()
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "plugins/page.html")]
pub(super) struct PluginPage {
    frame: Frame,
    file: String,
    /// Where its page is.
    path: String,
    badge: Badge,
    words: Option<String>,
    /// The colour of `words`.
    tone: &'static str,
    kind: String,
    /// It consists of several files, each with the place of its source.
    files: Vec<(String, String)>,
    /// What it is replaced by is an archive.
    is_folder: bool,
    size: String,
    modified: Option<Moment>,
    sha256: Option<String>,
    /// Of the content that was enabled, where another lies there.
    enabled_sha256: Option<String>,
    packages: Option<&'static str>,
    process: &'static str,
    sources: Vec<String>,
    trusted: Vec<(&'static str, &'static str)>,
    is_enabled: bool,
    /// It is in the configuration, whatever lies in the folder.
    is_known: bool,
    described: bool,
    converters: Vec<ConverterCard>,
    /// What a person should look at, worst first, and what is only noted.
    findings: Vec<FindingRow>,
    notes: Vec<FindingRow>,
    /// Its source was read; otherwise nothing is known of it.
    is_read: bool,
    unreadable: Vec<String>,
    is_python: bool,
    trial: Option<TrialForm>,
    result: Option<Trial>,
    parts: Vec<PartChoice>,
    packages_choices: Vec<PackagesChoice>,
    sandbox: Option<String>,
    largest: usize,
    problems: Vec<String>,
    remarks: Vec<String>,
    standard_error: String,
    errors: FormErrors,
}

/// One place in its source.
struct FindingRow {
    badge: Badge,
    place: String,
    /// Where its source is shown.
    link: String,
    what: String,
    meaning: String,
}

impl FindingRow {
    fn new(finding: PluginFinding, plugin: &str) -> Self {
        let badge = match finding.severity {
            FindingSeverity::Note => Badge::new(Tone::Quiet, "Note"),
            FindingSeverity::Warning => Badge::new(Tone::Attention, "Look at it"),
            FindingSeverity::Danger => Badge::new(Tone::Bad, "Dangerous"),
        };
        let mut meaning = sentence(&finding.meaning);
        if finding.blocked_by_client {
            meaning.push_str(" The pyWATS client refuses a file for this.");
        }
        let own = finding.file == plugin;
        let place = match own {
            true => format!("line {}", finding.line),
            false => format!("{}, line {}", finding.file, finding.line),
        };
        let of = (!own).then_some(finding.file.as_str());
        let link = format!("{}#L{}", source::place(plugin, "source", of), finding.line);
        Self { badge, place, link, what: finding.what, meaning }
    }
}

/// One converter that it declares.
struct ConverterCard {
    title: String,
    name: String,
    version: String,
    description: String,
    takes: String,
    arguments: Vec<Declared>,
}

/// One argument that it declares.
struct Declared {
    name: String,
    kind: String,
    default: String,
    help: String,
}

struct PartChoice {
    part: Part,
    label: &'static str,
    words: &'static str,
    chosen: bool,
}

struct PackagesChoice {
    packages: PythonPackages,
    label: &'static str,
    chosen: bool,
}

impl ConverterCard {
    fn new(converter: &ConverterInfo) -> Self {
        let declared = |argument: &wats_agent::control::api::ArgumentInfo| Declared {
            name: argument.name.clone(),
            kind: argument_kind(&argument.rule),
            default: match argument.default.as_str() {
                "" if must_be_set(argument) => "must be set".to_owned(),
                default => default.to_owned(),
            },
            help: argument.description.clone(),
        };
        Self {
            title: converter.title.clone(),
            name: converter.name.clone(),
            version: converter.version.clone(),
            description: converter.description.clone(),
            takes: takes_words(converter),
            arguments: converter.arguments.iter().map(declared).collect(),
        }
    }
}

fn packages_words(packages: PythonPackages) -> &'static str {
    match packages {
        PythonPackages::Auto => "pyWATS where it is installed, else the agent's own (usual)",
        PythonPackages::Pywats => "pyWATS as it is installed",
        PythonPackages::Compat => "the agent's own, without pyWATS",
    }
}

pub(super) async fn plugin_page(
    user: &SignedIn,
    console: &Console,
    file: &str,
    shown: Shown,
) -> Result<PluginPage, PageError> {
    let (plugin, sandbox) = tokio::try_join!(console.agent.plugin(file), console.agent.sandbox())?;
    let findings = match plugin.sha256 {
        Some(_) => console.agent.plugin_findings(file).await?,
        None => PluginFindings::default(),
    };
    let (is_read, unreadable) = (findings.read, findings.unreadable.iter().map(|it| sentence(it)).collect());
    let (notes, mut serious): (Vec<_>, Vec<_>) =
        findings.findings.into_iter().partition(|it| it.severity == FindingSeverity::Note);
    serious.sort_by_key(|it| std::cmp::Reverse(it.severity));
    let rows = |all: Vec<PluginFinding>| all.into_iter().map(|it| FindingRow::new(it, file)).collect();
    // What another content was trusted with is not offered for this one unasked.
    let trusted_now = if plugin.state == PluginState::Enabled { plugin.trusted.clone() } else { Vec::new() };
    let (trusted, packages) = shown.chosen.unwrap_or((trusted_now, plugin.environment));
    let choice = |part: Part| {
        let (label, words) = part_words(part);
        PartChoice { part, label, words, chosen: trusted.contains(&part) }
    };
    let packages_choice = |it: PythonPackages| PackagesChoice {
        packages: it,
        label: packages_words(it),
        chosen: it == packages,
    };
    let badge = state_badge(&plugin);
    let trial = tried(&plugin, shown.converter.as_deref())
        .map(|converter| TrialForm::new(&plugin, converter, &shown.arguments, &shown.errors));
    let is_python = plugin.language == PluginLanguage::Python;
    let runs = plugin.state == PluginState::Enabled && plugin.trouble.is_none();
    Ok(PluginPage {
        frame: user.frame(title(&plugin), Nav::Converters),
        path: path(file),
        words: state_words(&plugin),
        tone: badge.tone.class(),
        badge,
        kind: kind_words(&plugin),
        files: plugin
            .files
            .iter()
            .filter(|_| plugin.files.len() > 1)
            .map(|it| (it.clone(), source::place(file, "source", Some(it))))
            .collect(),
        is_folder: plugin.is_folder,
        size: size(plugin.size_bytes),
        modified: plugin.modified.map(|it| Moment::new(it, Timestamp::now())),
        enabled_sha256: plugin.enabled_sha256.clone().filter(|it| plugin.sha256.as_ref() != Some(it)),
        packages: (is_python && plugin.enabled_sha256.is_some()).then(|| packages_words(plugin.environment)),
        process: if plugin.persistent { "one for many files" } else { "a new one for each file" },
        trusted: plugin.trusted.iter().map(|it| part_words(*it)).collect(),
        is_enabled: runs,
        is_known: plugin.enabled_sha256.is_some(),
        described: plugin.described,
        converters: plugin.converters.iter().map(ConverterCard::new).collect(),
        findings: rows(serious),
        notes: rows(notes),
        is_read,
        unreadable,
        is_python,
        trial,
        result: shown.trial,
        parts: Part::ALL.map(choice).into(),
        packages_choices: [PythonPackages::Auto, PythonPackages::Pywats, PythonPackages::Compat]
            .map(packages_choice)
            .into(),
        sandbox: sandbox_words(&sandbox),
        largest: largest(if plugin.is_folder { ARCHIVE } else { "" }) >> 20,
        problems: shown.problems,
        remarks: shown.remarks,
        standard_error: shown.standard_error,
        errors: shown.errors,
        sha256: plugin.sha256,
        sources: plugin.sources,
        file: plugin.file,
    })
}

/// As a person knows it: the one converter's title, or the file's name.
fn title(plugin: &PluginInfo) -> String {
    match plugin.converters.as_slice() {
        [only] => only.title.clone(),
        _ => plugin.file.clone(),
    }
}

/// The converter that a sample is tried with: the wanted one, or the first that can be tried.
fn tried<'a>(plugin: &'a PluginInfo, wanted: Option<&str>) -> Option<&'a ConverterInfo> {
    plugin.sha256.as_ref()?;
    let mut can = plugin.converters.iter().filter(|it| it.kind != ConverterKind::Folder);
    let wanted = wanted.and_then(|name| can.clone().find(|it| it.name.strip_prefix(PREFIX) == Some(name)));
    wanted.or_else(|| can.next())
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// The converter that is to be tried, without `plugin:`.
    converter: Option<String>,
}

pub(super) async fn show(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
    wanted: Query<Wanted>,
) -> Result<Response, PageError> {
    let shown = Shown { converter: wanted.0.converter, ..Shown::default() };
    Ok(plugin_page(&user, &console, &file, shown).await?.into_response())
}

pub(super) async fn check(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
) -> Result<Response, PageError> {
    console.agent.plugin(&file).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "plugin-checked", &file).await?;
    let shown = Shown::checked(&console, &file).await;
    let status = if shown.is_fine() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    if shown.is_fine() && shown.remarks.is_empty() {
        return Ok(redirect_with_notice(&path(&file), format!("{file} says what it is; nothing is wrong.")));
    }
    Ok((status, plugin_page(&user, &console, &file, shown).await?).into_response())
}

#[derive(Deserialize)]
pub(super) struct EnableForm {
    /// Of the content that the person saw.
    sha256: String,
    #[serde(default)]
    trusted: Vec<String>,
    environment: Option<String>,
    confirm: Option<String>,
}

pub(super) async fn enable(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
    Form(typed): Form<EnableForm>,
) -> Result<Response, PageError> {
    let foreign =
        || PageError::BadRequest("This form is not understood. Go back and reload the page.".to_owned());
    let part = |word: &String| Part::ALL.into_iter().find(|it| it.as_str() == *word);
    let trusted: Vec<Part> = typed.trusted.iter().map(part).collect::<Option<_>>().ok_or_else(foreign)?;
    let environment = match typed.environment.as_deref() {
        None | Some("auto") => PythonPackages::Auto,
        Some("pywats") => PythonPackages::Pywats,
        Some("compat") => PythonPackages::Compat,
        Some(_) => return Err(foreign()),
    };
    let mut errors = FormErrors::default();
    if typed.confirm.is_none() {
        errors.add("confirm", "Tick the box: nothing was enabled.");
    } else {
        let wish = EnablePlugin { sha256: typed.sha256.clone(), trusted: trusted.clone(), environment };
        match console.agent.enable_plugin(&file, &wish).await {
            Ok(_) => return enabled(&user, &console, &file, &wish).await,
            Err(error) => errors.add("enable", agent_words(&error)),
        }
    }
    let shown = Shown { errors, chosen: Some((trusted, environment)), ..Shown::default() };
    let page = plugin_page(&user, &console, &file, shown).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn enabled(
    user: &SignedIn,
    console: &Console,
    file: &str,
    wish: &EnablePlugin,
) -> Result<Response, PageError> {
    let parts: Vec<_> = wish.trusted.iter().map(|it| it.as_str()).collect();
    let (action, trust) = if parts.is_empty() {
        ("plugin-enabled", String::new())
    } else {
        ("plugin-enabled-with-trust", format!(", trusted with {}", parts.join(", ")))
    };
    let detail = format!("{file}, SHA-256 {}{trust}.", wish.sha256);
    console.state.record(Timestamp::now(), Some(user.user()), action, &detail).await?;
    Ok(redirect_with_notice(&path(file), format!("{file} is enabled{trust}. Sources can use it now.")))
}

pub(super) async fn disable(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
) -> Result<Response, PageError> {
    console.agent.disable_plugin(&file).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "plugin-disabled", &file).await?;
    Ok(redirect_with_notice(&path(&file), format!("{file} is disabled. Files for it wait in their folders.")))
}

pub(super) async fn delete(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
) -> Result<Response, PageError> {
    if let Err(error) = console.agent.delete_plugin(&file).await {
        if error.is_not_found() {
            return Err(error.into());
        }
        let mut shown = Shown::default();
        shown.errors.add("delete", agent_words(&error));
        let page = plugin_page(&user, &console, &file, shown).await?;
        return Ok((StatusCode::CONFLICT, page).into_response());
    }
    console.state.record(Timestamp::now(), Some(user.user()), "plugin-deleted", &file).await?;
    Ok(redirect_with_notice("/plugins", format!("{file} was deleted.")))
}
