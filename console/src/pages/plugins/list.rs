//! The list of plug-ins, and bringing a new one or another content of one.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use wats_agent::control::api::{Part, PluginInfo};
use wats_agent::plugins::manage::{ARCHIVE, LARGEST_ARCHIVE, LARGEST_UPLOAD, folder_name};

use super::super::redirect_with_notice;
use super::page::{Shown, plugin_page};
use super::words::{kind_words, part_words, sandbox_words, state_badge, state_words};
use super::{SentFile, path, sent};
use crate::Console;
use crate::access::SignedIn;
use crate::error::{PageError, agent_words};
use crate::frame::{Frame, Nav};
use crate::words::Badge;

#[derive(Template, WebTemplate)]
#[template(path = "plugins/list.html")]
struct ListPage {
    frame: Frame,
    plugins: Vec<PluginRow>,
    sandbox: Option<String>,
    largest: usize,
    largest_archive: usize,
    /// What was wrong with a file that somebody brought.
    error: String,
    /// The plug-in that is called as the file that somebody brought.
    existing: Option<String>,
}

struct PluginRow {
    file: String,
    titles: Vec<String>,
    kind: String,
    badge: Badge,
    words: String,
    sources: Vec<String>,
    trusted: Vec<&'static str>,
}

impl PluginRow {
    fn new(plugin: PluginInfo) -> Self {
        Self {
            titles: plugin.converters.iter().map(|it| it.title.clone()).collect(),
            kind: kind_words(&plugin),
            badge: state_badge(&plugin),
            words: match state_words(&plugin) {
                Some(words) => words,
                None if !plugin.described => {
                    "It has not said yet what it is: open it, and ask it.".to_owned()
                }
                None => String::new(),
            },
            trusted: trusted_words(&plugin.trusted),
            sources: plugin.sources,
            file: plugin.file,
        }
    }
}

fn trusted_words(trusted: &[Part]) -> Vec<&'static str> {
    trusted.iter().map(|it| part_words(*it).0).collect()
}

pub(super) async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    Ok(list_page(&user, &console, String::new(), None).await?.into_response())
}

async fn list_page(
    user: &SignedIn,
    console: &Console,
    error: String,
    existing: Option<String>,
) -> Result<ListPage, PageError> {
    let (plugins, sandbox) = tokio::try_join!(console.agent.plugins(), console.agent.sandbox())?;
    Ok(ListPage {
        frame: user.frame("Your own converters", Nav::Converters),
        plugins: plugins.into_iter().map(PluginRow::new).collect(),
        sandbox: sandbox_words(&sandbox),
        largest: LARGEST_UPLOAD >> 20,
        largest_archive: LARGEST_ARCHIVE >> 20,
        error,
        existing,
    })
}

/// How many bytes a file of this name may have.
pub(super) fn largest(name: &str) -> usize {
    if folder_name(name).is_some() { LARGEST_ARCHIVE } else { LARGEST_UPLOAD }
}

/// A file that somebody brought, or what is wrong with it.
pub(super) fn usable(file: Option<SentFile>) -> Result<(String, Vec<u8>), String> {
    match file {
        None => Err("Choose a file.".to_owned()),
        Some(SentFile { name, bytes: None }) => Err(format!(
            "{name} is larger than {} MB, which is the most that can be uploaded here. Nothing was stored.",
            largest(&name) >> 20
        )),
        Some(SentFile { name, bytes: Some(bytes) }) if bytes.len() > largest(&name) => {
            usable(Some(SentFile { name, bytes: None }))
        }
        Some(SentFile { name, bytes: Some(bytes) }) if bytes.is_empty() => {
            Err(format!("{name} is empty. Nothing was stored."))
        }
        Some(SentFile { name, bytes: Some(bytes) }) => Ok((name, bytes)),
    }
}

/// Takes a new file. One that is called as another is refused: that has its own page, where it can be replaced.
pub(super) async fn upload(
    user: SignedIn,
    console: State<Console>,
    form: Multipart,
) -> Result<Response, PageError> {
    let (sent_as, bytes) = match usable(sent(form, LARGEST_ARCHIVE).await?.file) {
        Ok(usable) => usable,
        Err(words) => return refused(&user, &console, words, None).await,
    };
    // An archive becomes a folder.
    let name = folder_name(&sent_as).unwrap_or(&sent_as).to_owned();
    match console.agent.plugin(&name).await {
        Ok(_) => {
            let words = format!("There is a plug-in {name} already. Nothing was stored.");
            return refused(&user, &console, words, Some(name)).await;
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => return refused(&user, &console, agent_words(&error), None).await,
    }
    if let Err(error) = console.agent.upload_plugin(&sent_as, bytes).await {
        return refused(&user, &console, agent_words(&error), None).await;
    }
    brought(&user, &console, &name, "plugin-uploaded").await
}

async fn refused(
    user: &SignedIn,
    console: &Console,
    words: String,
    existing: Option<String>,
) -> Result<Response, PageError> {
    let page = list_page(user, console, words, existing).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// Puts another content in the place of a plug-in's, whatever the file is called where it comes from.
pub(super) async fn replace(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
    form: Multipart,
) -> Result<Response, PageError> {
    let now = console.agent.plugin(&file).await?;
    let stored = match usable(sent(form, LARGEST_ARCHIVE).await?.file) {
        Ok((sent_as, _)) if now.is_folder != folder_name(&sent_as).is_some() => Err(if now.is_folder {
            format!("{file} is a folder: choose a .zip with its files. Nothing was stored.")
        } else {
            format!("{file} is a single file, and {sent_as} an archive. Nothing was stored.")
        }),
        Ok((_, bytes)) => {
            let name = if now.is_folder { format!("{file}{ARCHIVE}") } else { file.clone() };
            console.agent.upload_plugin(&name, bytes).await.map_err(|error| agent_words(&error))
        }
        Err(words) => Err(words),
    };
    if let Err(words) = stored {
        let mut shown = Shown::default();
        shown.errors.add("replace", words);
        let page = plugin_page(&user, &console, &file, shown).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    brought(&user, &console, &file, "plugin-replaced").await
}

/// Asks what was just brought what it is, and leads to its page.
async fn brought(
    user: &SignedIn,
    console: &Console,
    file: &str,
    action: &'static str,
) -> Result<Response, PageError> {
    let sha256 = console.agent.plugin(file).await?.sha256.unwrap_or_default();
    let detail = format!("{file}, SHA-256 {sha256}.");
    console.state.record(Timestamp::now(), Some(user.user()), action, &detail).await?;
    let shown = Shown::checked(console, file).await;
    if shown.is_fine() {
        return Ok(redirect_with_notice(&path(file), format!("{file} was stored and says what it is.")));
    }
    let page = plugin_page(user, console, file, shown).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
