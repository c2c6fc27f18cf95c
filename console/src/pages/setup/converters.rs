//! Which formats the machine takes.

use std::collections::BTreeMap;

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;
use wats_agent::control::api::{After, SourceSettings, SourceStatus};
use wats_appliance::state::wizard::WizardStep;

use super::{Steps, elsewhere, path};
use crate::Console;
use crate::access::Configuring;
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::Frame;

#[derive(Template, WebTemplate)]
#[template(path = "setup/converters.html")]
struct ConvertersPage {
    frame: Frame,
    steps: Steps,
    choices: Vec<Choice>,
    errors: FormErrors,
}

struct Choice {
    name: String,
    title: String,
    description: String,
    patterns: String,
    folder: String,
    chosen: bool,
}

async fn choices(
    console: &Console,
    is_chosen: impl Fn(&str, &[SourceStatus]) -> bool,
) -> Result<Vec<Choice>, PageError> {
    let status = console.agent.status().await?;
    let converters = console.agent.converters().await?;
    let choice = |converter: wats_agent::control::api::ConverterInfo| {
        let source = status.sources.iter().find(|source| source.settings.name == converter.name);
        let folder = match source {
            Some(source) => source.folder.clone(),
            None => format!("/srv/wats/{}/{}", status.instance, converter.name),
        };
        Choice {
            chosen: is_chosen(&converter.name, &status.sources),
            title: converter.title,
            description: converter.description,
            patterns: converter.file_patterns.join(" "),
            folder,
            name: converter.name,
        }
    };
    // Converters of one's own come after the wizard.
    Ok(converters.into_iter().filter(|it| it.plugin.is_none()).map(choice).collect())
}

pub(super) async fn show(user: Configuring, console: State<Console>) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Converters).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let page = ConvertersPage {
        frame: user.frame("Choose the file formats"),
        steps,
        choices: choices(&console, |name, sources| sources.iter().any(|it| it.settings.name == name)).await?,
        errors: FormErrors::default(),
    };
    Ok(page.into_response())
}

#[derive(Deserialize)]
pub(super) struct Chosen {
    #[serde(default)]
    converter: Vec<String>,
}

/// Makes a source for each chosen format. One that the wizard made before and that is chosen no more goes.
pub(super) async fn save(
    user: Configuring,
    console: State<Console>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Converters).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let sources = console.agent.sources().await?;
    let mut errors = FormErrors::default();
    for converter in console.agent.converters().await?.into_iter().filter(|it| it.plugin.is_none()) {
        let exists = sources.iter().any(|source| source.settings.name == converter.name);
        let wanted = chosen.converter.contains(&converter.name);
        let result = match (exists, wanted) {
            (false, true) => console.agent.add_source(&source(&converter.name)).await.map(drop),
            (true, false) => console.agent.remove_source(&converter.name).await,
            (true, true) | (false, false) => Ok(()),
        };
        if let Err(error) = result {
            errors.add_agent_error(&error, |_| None);
            break;
        }
    }
    if errors.is_empty() {
        let now = Timestamp::now();
        let detail = format!("Formats: {}.", chosen.converter.join(", "));
        console.state.record(now, Some(user.user()), "converters-chosen", &detail).await?;
        console.state.complete_wizard_step(now, WizardStep::Converters, &chosen.converter).await?;
        return Ok(Redirect::to(path(WizardStep::Done)).into_response());
    }
    let page = ConvertersPage {
        frame: user.frame("Choose the file formats"),
        steps,
        choices: choices(&console, |name, _| chosen.converter.iter().any(|it| it == name)).await?,
        errors,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// A source with everything as the converter suggests.
fn source(converter: &str) -> SourceSettings {
    SourceSettings {
        name: converter.to_owned(),
        converter: converter.to_owned(),
        folder: None,
        file_patterns: Vec::new(),
        arguments: BTreeMap::new(),
        after: After::default(),
        paused: false,
        priority: wats_agent::control::api::USUAL_PRIORITY,
        intake: Default::default(),
    }
}
