//! The input files, and trying again those that failed.

use std::io;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::api::{Changed, FileDetail, FileQuery, FileRecord, FileState, Unit};
use super::refusal::Refusal;
use super::routes::{Answer, Asked, At, Control, Wish};
use super::sources::{check_answers, no_source};
use super::upload;
use crate::agent::Agent;
use crate::files::Stamp;
use crate::intake;

/// A file whose failure is recorded lies in its place after so long.
const PUT_AWAY: Duration = Duration::from_secs(3);
/// So long one request goes on with many files; whoever asked asks again for the rest.
const TOGETHER: Duration = Duration::from_secs(20);

pub(super) async fn list(
    State(control): State<Control>,
    Asked(query): Asked<FileQuery>,
) -> Answer<Vec<FileRecord>> {
    Ok(Json(control.agent.store().files(&query).await?))
}

pub(super) async fn show(State(control): State<Control>, At(id): At<i64>) -> Answer<FileDetail> {
    let found = control.agent.store().file_detail(id).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found(format!("there is no file {id}")))
}

pub(super) async fn retry(State(control): State<Control>, At(id): At<i64>) -> Result<StatusCode, Refusal> {
    put_again(&control.agent, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts failed files back as long as the time of a request allows.
pub(super) async fn retry_many(
    State(control): State<Control>,
    Wish(query): Wish<FileQuery>,
) -> Answer<Changed> {
    if query.state.is_some_and(|state| state != FileState::Failed) {
        return Err(Refusal::field("state", "only files that failed can be tried again"));
    }
    let until = Instant::now() + TOGETHER;
    let mut changed = Changed::default();
    let mut page = FileQuery { state: Some(FileState::Failed), ..query };
    loop {
        let files = control.agent.store().files(&page).await?;
        let Some(last) = files.last().map(|file| file.id) else { return Ok(Json(changed)) };
        for file in files {
            if Instant::now() > until {
                changed.more = true;
                return Ok(Json(changed));
            }
            match put_again(&control.agent, file.id).await {
                Ok(()) => changed.count += 1,
                Err(refusal) => {
                    tracing::warn!(file.id = file.id, "{} is not tried again: {refusal}", file.name);
                    changed.failed += 1;
                }
            }
        }
        if page.limit.is_some() {
            return Ok(Json(changed));
        }
        page.before = Some(last);
    }
}

/// Puts a failed file back into the folder that it came from, to be taken again.
async fn put_again(agent: &Agent, id: i64) -> Result<(), Refusal> {
    let unknown = || Refusal::not_found(format!("there is no file {id}"));
    let file = agent.store().file(id).await?.ok_or_else(unknown)?;
    if file.state != FileState::Failed {
        return Err(Refusal::new(StatusCode::CONFLICT, "only a file that failed can be tried again"));
    }
    let settings = agent.settings();
    let source = settings.source(&file.source).ok_or_else(|| no_source(&file.source))?;
    check_answers(agent, source)?;
    let folder = settings.folder_of(source);
    let found_at = agent.store().found_at(id).await?.ok_or_else(unknown)?;
    // Into the folder below that it came from, unless the source has another folder now.
    let came_from = found_at.parent().filter(|it| it.starts_with(&folder)).unwrap_or(&folder).to_owned();
    let source = settings.effective(source);
    let asked = Instant::now();
    let (path, stamp) = loop {
        let lies_at = agent.store().whereabouts(id).await?.ok_or_else(unknown)?;
        let (came_from, folder) = (came_from.clone(), folder.clone());
        let (source, name) = (source.clone(), file.name.clone());
        let moved = tokio::task::spawn_blocking(move || {
            let put_back = match source.unit() {
                Unit::File => put_back(&lies_at, &came_from, &name)?,
                unit => intake::put_unit_back(&lies_at, &folder, unit)?,
            };
            // Its marker went when it was put away.
            intake::mark(&put_back.0, &source)?;
            Ok::<_, io::Error>(put_back)
        });
        match moved.await.map_err(|error| Refusal::internal(&error))? {
            Ok(moved) => break moved,
            // It is just being put away, and where it lies then is recorded after that.
            Err(error) if error.kind() == io::ErrorKind::NotFound && asked.elapsed() < PUT_AWAY => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(error) => {
                let words = format!("the file cannot be put back into its folder: {error}");
                return Err(Refusal::new(StatusCode::CONFLICT, words));
            }
        }
    };
    agent.store().reclaim(id, path, stamp).await?;
    Ok(())
}

/// Moves the file to its folder, over nothing that lies there, and removes the words beside it.
fn put_back(
    lies_at: &std::path::Path,
    folder: &std::path::Path,
    name: &str,
) -> io::Result<(std::path::PathBuf, Stamp)> {
    std::fs::create_dir_all(folder)?;
    let mut to = folder.join(name);
    for number in 2.. {
        // A hard link refuses to overwrite, which a rename does not.
        match std::fs::hard_link(lies_at, &to) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {
                to = folder.join(upload::numbered(name, number));
            }
            Err(error) => return Err(error),
        }
    }
    crate::files::sync_folder(folder)?;
    std::fs::remove_file(lies_at)?;
    let mut words = lies_at.as_os_str().to_owned();
    words.push(".error.txt");
    if let Err(error) = std::fs::remove_file(&words)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "could not remove {}", words.display());
    }
    Ok((to.clone(), Stamp::of(&std::fs::metadata(&to)?)))
}
