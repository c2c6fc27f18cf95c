//! What a person does with plug-ins: look, upload, check, try, enable, disable, delete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::catalogue::{Catalogue, info};
use super::check::{self, Sample};
use super::content::{self, Content, ContentError};
use super::description::Description;
use super::environment::{self, EnvironmentError, Supply};
use super::process::{PluginError, Program, Runtime};
use super::shelf::{Shelf, ShelfError};
use super::unpack;
pub use super::unpack::UnpackError;
use crate::Agent;
use crate::agent::ChangeError;
use crate::config::{EnabledPlugin, Settings};
use crate::control::api::{
    EnablePlugin, FindingSeverity, PluginCheck, PluginFinding, PluginFindings, PluginInfo, PluginLanguage,
    PluginState, PluginTrial, PythonPackages,
};
use crate::files;
use crate::reading::{self, Severity};

/// A file that is uploaded has at most so many bytes.
pub const LARGEST_UPLOAD: usize = 8 << 20;
/// And an archive with a plug-in of several files, which may bring the packages that it needs.
pub const LARGEST_ARCHIVE: usize = 64 << 20;
/// How the name of such an archive ends; before it stands that of the plug-in.
pub const ARCHIVE: &str = ".zip";
/// Packages are installed within this time, or not.
const INSTALL_TIME: Duration = Duration::from_secs(600);
/// A source that is shown has at most so many.
const LARGEST_SOURCE: u64 = 8 << 20;

/// Why something was not done with a plug-in.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error(transparent)]
    Plugin(#[from] PluginError),
    #[error("the packages that the plug-in asks for")]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error("there is no plug-in {0:?}")]
    Unknown(String),
    /// Something else lies there than the person saw.
    #[error(
        "the plug-in {file} is not the one that you saw: it has the SHA-256 {sha256} now. Look at it again"
    )]
    Other { file: String, sha256: String },
    #[error("the plug-in cannot be enabled: {}", problems.join("; "))]
    Wrong { problems: Vec<String> },
    #[error("the source {source_name} uses the plug-in: give it another converter, or remove it first")]
    Used { source_name: String },
    #[error("{0:?} is a folder here: upload it as the archive {0}.zip")]
    Folder(String),
    #[error("{0:?} is a single file here: delete it before a folder takes its name")]
    File(String),
    #[error("the archive {name}.zip cannot be a plug-in: {source}")]
    Unpack { name: String, source: UnpackError },
    #[error("the plug-in {plugin} has no file {file:?}")]
    NoFile { plugin: String, file: String },
    #[error("{0:?} is no text that could be shown: it is a program")]
    NoText(String),
    #[error("could not write into the plug-in folder {}", folder.display())]
    Write { folder: PathBuf, source: io::Error },
}

type Result<T> = std::result::Result<T, ManageError>;

/// Everything in the plug-in folder, and what was enabled and is gone, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(settings: &Settings) -> Result<Vec<PluginInfo>> {
    let folder = settings.plugins_folder();
    let mut names =
        content::names(&folder).map_err(|source| ContentError::Read { path: folder.clone(), source })?;
    names.extend(settings.config.plugins.enabled.iter().map(|it| it.file.clone()));
    names.sort();
    names.dedup();
    Ok(names.into_iter().map(|name| look(settings, name)).collect())
}

/// One of them.
///
/// # Errors
/// When there is none of that name.
pub fn show(settings: &Settings, file: &str) -> Result<PluginInfo> {
    content::check_name(file)?;
    let there = fs::symlink_metadata(settings.plugins_folder().join(file)).is_ok();
    if !there && !settings.config.plugins.enabled.iter().any(|it| it.file == file) {
        return Err(ManageError::Unknown(file.to_owned()));
    }
    Ok(look(settings, file.to_owned()))
}

fn look(settings: &Settings, file: String) -> PluginInfo {
    let (folder, shelf) = (settings.plugins_folder(), Shelf::of(&settings.storage_folder()));
    // As it is now, not as it was when the settings came into force.
    let catalogue = Catalogue::of(settings);
    let enabled = catalogue.iter().find(|it| it.plugin.file == file);
    let content = content::read(&folder, &file);
    let modified = fs::symlink_metadata(folder.join(&file)).and_then(|it| it.modified());
    let state = match (&content, enabled) {
        (Ok(content), Some(enabled)) if enabled.plugin.sha256 == content.sha256 => PluginState::Enabled,
        (Ok(_), Some(_)) => PluginState::Changed,
        (Ok(_), None) => PluginState::Disabled,
        (Err(ContentError::Missing(_)), Some(_)) => PluginState::Missing,
        (Err(_), _) => PluginState::Unusable,
    };
    let trouble = match (&content, enabled) {
        (_, Some(enabled)) => enabled.trouble.clone(),
        (Err(error), None) => Some(error.to_string()),
        (Ok(_), None) => None,
    };
    let described = content.as_ref().ok().and_then(|it| shelf.description(&it.sha256));
    let used = |name: &str| {
        enabled.is_some_and(|it| {
            let name = super::name_of(name);
            name.is_some() && it.description.as_ref().is_some_and(|it| it.converter(name).is_some())
        })
    };
    let sources = settings.config.sources.iter().filter(|it| used(&it.converter)).map(|it| it.name.clone());
    let language = match &content {
        Ok(content) => content.language,
        Err(_) if file.ends_with(".py") => PluginLanguage::Python,
        Err(_) => PluginLanguage::Program,
    };
    let content = content.ok();
    PluginInfo {
        state,
        trouble,
        language,
        sha256: content.as_ref().map(|it| it.sha256.clone()),
        enabled_sha256: enabled.map(|it| it.plugin.sha256.clone()),
        size_bytes: content.as_ref().map_or(0, |it| it.size_bytes),
        modified: modified.ok().and_then(|it| Timestamp::try_from(it).ok()),
        trusted: enabled.map_or_else(Vec::new, |it| it.plugin.trusted.clone()),
        environment: enabled.map_or(PythonPackages::default(), |it| it.plugin.environment),
        described: described.is_some(),
        persistent: described.as_ref().is_some_and(|it| it.persistent),
        is_folder: content.as_ref().is_some_and(|it| it.is_folder),
        files: content.iter().flat_map(|it| &it.files).map(|it| it.display().to_string()).collect(),
        entry: content.as_ref().map(|it| it.entry.display().to_string()),
        converters: described.iter().flat_map(|it| &it.converters).map(|it| info(it, &file)).collect(),
        sources: sources.collect(),
        file,
    }
}

/// The source of a plug-in, or of one of its files where it has several; the one that is run, if none is named.
///
/// # Errors
/// When there is none, or it is no text.
pub fn source(settings: &Settings, file: &str, of: Option<&str>) -> Result<String> {
    show(settings, file)?;
    let folder = settings.plugins_folder();
    let (path, wanted) = match (content::read(&folder, file), of) {
        (Ok(content), of) => {
            let wanted = of.map_or_else(|| content.entry.clone(), PathBuf::from);
            // One of these, and so nothing that a name could lead to elsewhere.
            if !content.files.contains(&wanted) {
                return Err(ManageError::NoFile {
                    plugin: file.to_owned(),
                    file: wanted.display().to_string(),
                });
            }
            (content.place(&folder, file).join(&wanted), wanted)
        }
        // Whatever hinders it from being run, a single file can be looked at.
        (Err(ContentError::NotExecutable(_)), None) => (folder.join(file), PathBuf::from(file)),
        (Err(error), _) => return Err(error.into()),
    };
    let bytes = content::read_file(&path, LARGEST_SOURCE)?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| ManageError::NoText(wanted.display().to_string()))
}

/// What the source of a plug-in reaches for, of a folder that of all its Python files. Programs are not read.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn findings(settings: &Settings, file: &str) -> Result<PluginFindings> {
    show(settings, file)?;
    let folder = settings.plugins_folder();
    let content = content::read(&folder, file)?;
    let mut all =
        PluginFindings { read: content.language == PluginLanguage::Python, ..PluginFindings::default() };
    let is_source = |path: &&PathBuf| path.extension().is_some_and(|it| it.eq_ignore_ascii_case("py"));
    for path in content.files.iter().filter(is_source) {
        let place = content.place(&folder, file).join(path);
        let reading = reading::read(&content::read_file(&place, content::LARGEST)?);
        let name = path.display().to_string();
        if let Some(wrong) = reading.unreadable {
            all.unreadable.push(format!("{name}: line {}: {}", wrong.line, wrong.words));
        }
        all.findings.extend(reading.findings.into_iter().map(|it| PluginFinding {
            file: name.clone(),
            line: it.line as u64,
            column: it.column as u64,
            severity: match it.severity {
                Severity::Note => FindingSeverity::Note,
                Severity::Warning => FindingSeverity::Warning,
                Severity::Danger => FindingSeverity::Danger,
            },
            what: it.what,
            meaning: it.meaning,
            blocked_by_client: it.blocked_by_client,
        }));
    }
    Ok(all)
}

/// Puts a plug-in of one file into the folder, or one of several files that came as an archive, over one of the same
/// name; answers how it stands then.
///
/// # Errors
/// When name, size or archive cannot be used, or the folder cannot be written.
pub fn upload(settings: &Settings, file: &str, bytes: &[u8]) -> Result<PluginInfo> {
    if let Some(name) = folder_name(file) {
        return upload_archive(settings, name, bytes);
    }
    content::check_name(file)?;
    if content::is_beside(file) {
        return Err(ContentError::Beside(file.to_owned()).into());
    }
    if bytes.len() > LARGEST_UPLOAD {
        return Err(ContentError::TooLarge.into());
    }
    let folder = settings.plugins_folder();
    let path = folder.join(file);
    if fs::symlink_metadata(&path).is_ok_and(|it| !it.is_file()) {
        return Err(ManageError::Folder(file.to_owned()));
    }
    // A Python file is read by the interpreter; a program is started itself.
    let mode = if file.to_ascii_lowercase().ends_with(".py") { 0o644 } else { 0o755 };
    let written = fs::create_dir_all(&folder).and_then(|()| files::replace_file(&path, mode, bytes));
    written.map_err(|source| ManageError::Write { folder: folder.clone(), source })?;
    tracing::info!(plugin = file, size_bytes = bytes.len(), "the plug-in {file} was uploaded");
    show(settings, file)
}

/// The name of the folder that an uploaded archive becomes; `None`: it is no archive.
pub fn folder_name(file: &str) -> Option<&str> {
    let at = file.len().checked_sub(ARCHIVE.len())?;
    file.get(at..).filter(|it| it.eq_ignore_ascii_case(ARCHIVE)).and_then(|_| file.get(..at))
}

fn upload_archive(settings: &Settings, name: &str, bytes: &[u8]) -> Result<PluginInfo> {
    content::check_name(name)?;
    if content::is_beside(name) {
        return Err(ContentError::Beside(name.to_owned()).into());
    }
    if bytes.len() > LARGEST_ARCHIVE {
        return Err(ContentError::TooLarge.into());
    }
    let folder = settings.plugins_folder();
    if fs::symlink_metadata(folder.join(name)).is_ok_and(|it| !it.is_dir()) {
        return Err(ManageError::File(name.to_owned()));
    }
    unpack::unpack(&folder, name, bytes)
        .map_err(|source| ManageError::Unpack { name: name.to_owned(), source })?;
    tracing::info!(plugin = name, size_bytes = bytes.len(), "the plug-in {name} was uploaded as an archive");
    show(settings, name)
}

/// Asks a plug-in what it is and says what is wrong with it; what it is, is remembered.
///
/// # Errors
/// When there is none, or it could not be started. `helper` is the agent's program where this one is another.
pub async fn check(
    settings: &Settings,
    file: &str,
    sample: Option<&Sample>,
    helper: Option<PathBuf>,
) -> Result<PluginCheck> {
    let (program, _) = taken(settings, file).await?;
    let runtime = Runtime { helper, ..Runtime::of(settings) };
    let (check, description) = check::check(&program, &runtime, sample).await?;
    if let Some(description) = description.filter(|_| check.problems.is_empty()) {
        remember(settings, &program.content, description).await?;
    }
    Ok(check)
}

/// Converts a sample with a plug-in, enabled or not.
///
/// # Errors
/// When there is none, it could not be started, or it does not say what it is.
pub async fn try_out(settings: &Settings, file: &str, sample: &Sample) -> Result<PluginTrial> {
    let (program, known) = taken(settings, file).await?;
    let runtime = Runtime::of(settings);
    let description = match known {
        Some(description) => description,
        None => {
            let described = check::describe(&program, &runtime).await?.description;
            let description = described.map_err(|problems| ManageError::Wrong { problems })?;
            remember(settings, &program.content, description.clone()).await?;
            description
        }
    };
    Ok(check::try_out(&program, &runtime, &description, sample).await?)
}

/// Lets sources use a plug-in, with exactly the content that the person saw.
///
/// # Errors
/// When it is another, does not say rightly what it is, or the configuration cannot be changed.
pub async fn enable(agent: &Agent, file: &str, wish: EnablePlugin) -> Result<PluginInfo> {
    let settings = agent.settings();
    let (program, _) = taken(&settings, file).await?;
    let sha256 = program.content.sha256.clone();
    if sha256 != wish.sha256 {
        return Err(ManageError::Other { file: file.to_owned(), sha256 });
    }
    let program = Program { trusted: wish.trusted.clone(), environment: wish.environment, ..program };
    // Asked now, and not believed from before: this is the answer that counts.
    let described = check::describe(&program, &Runtime::of(&settings)).await?.description;
    let description = described.map_err(|problems| ManageError::Wrong { problems })?;
    let names = description.converters.iter().map(|it| it.info.name.as_str());
    let taken_by = |name: &str| {
        let others = settings.plugins.iter().filter(|it| it.plugin.file != file);
        let mut others =
            others.filter(|it| it.description.as_ref().is_some_and(|it| it.converter(Some(name)).is_some()));
        others.next().map(|it| {
            format!("the plug-in {} has a converter {name:?}, too: disable it first", it.plugin.file)
        })
    };
    let problems: Vec<String> = names.filter_map(taken_by).collect();
    if !problems.is_empty() {
        return Err(ManageError::Wrong { problems });
    }
    remember(&settings, &program.content, description).await?;
    let EnablePlugin { mut trusted, environment, .. } = wish;
    trusted.sort();
    trusted.dedup();
    let lifted: Vec<_> = trusted.iter().map(|it| it.as_str()).collect();
    let enabled = EnabledPlugin {
        file: file.to_owned(),
        sha256: sha256.clone(),
        trusted: trusted.clone(),
        environment,
    };
    agent
        .change(|config| {
            config.plugins.enabled.retain(|it| it.file != file);
            config.plugins.enabled.push(enabled);
            config.plugins.enabled.sort_by(|one, other| one.file.cmp(&other.file));
            Ok(())
        })
        .await?;
    let by = crate::control::caller().unwrap_or_default();
    if lifted.is_empty() {
        tracing::info!(plugin = file, sha256, by, "the plug-in {file} was enabled");
    } else {
        let parts = lifted.join(", ");
        tracing::warn!(
            plugin = file,
            sha256,
            by,
            "the plug-in {file} was enabled and is trusted with {parts}"
        );
    }
    show(&agent.settings(), file)
}

/// Lets no source use a plug-in any more; sources that name it say so, and their files wait.
///
/// # Errors
/// When it is not enabled, or the configuration cannot be changed.
pub async fn disable(agent: &Agent, file: &str) -> Result<()> {
    if !agent.settings().config.plugins.enabled.iter().any(|it| it.file == file) {
        show(&agent.settings(), file)?;
        return Ok(());
    }
    agent
        .change(|config| {
            config.plugins.enabled.retain(|it| it.file != file);
            Ok(())
        })
        .await?;
    agent.plugins().tidy();
    tracing::info!(
        plugin = file,
        by = crate::control::caller().unwrap_or_default(),
        "the plug-in {file} was disabled"
    );
    Ok(())
}

/// Removes a plug-in that no source uses, from the folder and from the settings.
///
/// # Errors
/// When there is none, a source uses it, or it cannot be removed.
pub async fn delete(agent: &Agent, file: &str) -> Result<()> {
    let settings = agent.settings();
    let shown = show(&settings, file)?;
    if let Some(source) = shown.sources.into_iter().next() {
        return Err(ManageError::Used { source_name: source });
    }
    disable(agent, file).await?;
    let folder = settings.plugins_folder();
    let path = folder.join(file);
    let removed = match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(&path),
        Ok(_) => fs::remove_file(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(|source| ManageError::Write { folder, source })?;
    tracing::info!(plugin = file, "the plug-in {file} was deleted");
    Ok(())
}

/// A copy of a plug-in as it lies in the folder now, ready to be run, and what it said it is before. The packages that
/// it asks for are installed where they are not: a person wants it to run.
async fn taken(settings: &Settings, file: &str) -> Result<(Program, Option<Description>)> {
    let (program, known) = copied(settings, file).await?;
    if let Some((requirements, packages)) = program.requirements() {
        let python = &settings.config.plugins.python;
        if !environment::is_current(python, &requirements, &packages)? {
            // Wheels that came with it are all there is; without them the package index is asked.
            let wheels = files::folder_of(&requirements).join(content::WHEELS);
            let supply = if wheels.is_dir() { Supply::Wheels(wheels) } else { Supply::Index };
            environment::make(python, &requirements, &supply, &packages, INSTALL_TIME).await?;
            tracing::info!(plugin = file, "the packages that the plug-in {file} asks for were installed");
        }
    }
    Ok((program, known))
}

async fn copied(settings: &Settings, file: &str) -> Result<(Program, Option<Description>)> {
    let (settings, file) = (settings.clone(), file.to_owned());
    let taken = tokio::task::spawn_blocking(move || {
        show(&settings, &file)?;
        let (folder, shelf) = (settings.plugins_folder(), Shelf::of(&settings.storage_folder()));
        let content = content::read(&folder, &file)?;
        let copy = shelf.take(&folder, &file, &content)?;
        let enabled = settings.config.plugins.enabled.iter().find(|it| it.file == file);
        let known = shelf.description(&content.sha256);
        // Trusted is the content that a person enabled, and no other that lies there by now.
        let trusted = enabled.filter(|it| it.sha256 == content.sha256);
        let program = Program {
            name: file.clone(),
            folder: copy,
            content,
            trusted: trusted.map_or_else(Vec::new, |it| it.trusted.clone()),
            environment: enabled.map_or(PythonPackages::default(), |it| it.environment),
        };
        Ok((program, known))
    });
    taken.await.map_err(|error| crashed(&error))?
}

async fn remember(settings: &Settings, content: &Content, description: Description) -> Result<()> {
    let (shelf, sha256) = (Shelf::of(&settings.storage_folder()), content.sha256.clone());
    let kept = tokio::task::spawn_blocking(move || shelf.describe(&sha256, &description));
    Ok(kept.await.map_err(|error| crashed(&error))??)
}

fn crashed(error: &tokio::task::JoinError) -> ManageError {
    ManageError::Wrong { problems: vec![error.to_string()] }
}

/// A plug-in that lies anywhere, ready to be run from there: for its author, without an agent.
///
/// # Errors
/// When there is none at that place.
pub fn program_at(path: &Path) -> Result<Program> {
    let path =
        std::path::absolute(path).map_err(|source| ContentError::Read { path: path.to_owned(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = files::folder_of(&path).to_owned();
    let content = content::read(&folder, &name)?;
    Ok(Program { name, folder, content, trusted: Vec::new(), environment: PythonPackages::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Part;

    #[tokio::test]
    async fn only_the_content_that_a_person_enabled_is_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        let put = |bytes: &[u8]| files::replace_file(&plugins.join("acme.py"), 0o644, bytes).unwrap();
        let text = format!(
            "version = 1\n[storage]\nfolder = {:?}\n[[plugins.enabled]]\nfile = \"acme.py\"\nsha256 = {:?}\n\
             trusted = [\"network\"]\n",
            folder.path(),
            files::sha256(b"a = 1\n"),
        );
        let settings = Settings::parse(&folder.path().join("default.toml"), &text).unwrap();
        let trusted = async || copied(&settings, "acme.py").await.unwrap().0.trusted;
        put(b"a = 1\n");
        assert_eq!(trusted().await, [Part::Network]);
        put(b"a = 2\n");
        assert_eq!(trusted().await, []);
    }
}
