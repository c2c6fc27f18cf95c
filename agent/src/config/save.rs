//! Writing the file.

use super::Settings;
use crate::files;

/// Why settings were not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("the settings cannot be written as TOML")]
    Form(#[from] toml::ser::Error),
    #[error("the configuration file {path} is read only")]
    ReadOnly { path: String },
    #[error("could not write the configuration file {path}")]
    Write { path: String, source: std::io::Error },
}

impl Settings {
    /// Replaces the file by what is in here; afterwards it is on disk, or unchanged.
    ///
    /// Comments that a person wrote into the file are lost.
    ///
    /// # Errors
    /// When the file cannot be written; that it is read only is an error of its own.
    pub fn save(&self) -> Result<(), SaveError> {
        let path = || self.path.display().to_string();
        if !self.is_writable() {
            return Err(SaveError::ReadOnly { path: path() });
        }
        let text = toml::to_string_pretty(&self.config)?;
        files::replace_file(&self.path, 0o640, text.as_bytes())
            .map_err(|source| SaveError::Write { path: path(), source })
    }

    /// False when the file cannot be replaced, for example on a mount that is read only.
    pub fn is_writable(&self) -> bool {
        let may_write = |path| nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_ok();
        let file_fits = !self.path.exists() || may_write(self.path.as_path());
        file_fits && self.path.parent().is_some_and(may_write)
    }
}
