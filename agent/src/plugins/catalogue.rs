//! What the enabled plug-ins can do, as a snapshot beside the settings in force.

use std::path::PathBuf;

use super::content;
use super::description::{Converter, Description};
use super::shelf::Shelf;
use super::{PREFIX, name_of};
use crate::config::{EnabledPlugin, Settings};
use crate::control::api::{ArgumentInfo, ConverterInfo, ConverterKind, SourceSettings, Unit};

/// The enabled plug-ins, in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue(Vec<Enabled>);

/// The descriptions in it hold only finite numbers.
impl Eq for Catalogue {}

/// A plug-in that a person has enabled.
#[derive(Debug, Clone, PartialEq)]
pub struct Enabled {
    pub plugin: EnabledPlugin,
    /// What it said it is, with exactly the content that was enabled.
    pub description: Option<Description>,
    /// Why it cannot run now, and what to do.
    pub trouble: Option<String>,
}

/// A converter of an enabled plug-in.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    pub enabled: &'a Enabled,
    pub converter: &'a Converter,
}

impl Catalogue {
    /// Looks at the enabled plug-ins as they lie in their folder now.
    pub fn of(settings: &Settings) -> Self {
        let (folder, shelf) = (settings.plugins_folder(), Shelf::of(&settings.storage_folder()));
        let mut all: Vec<Enabled> = Vec::new();
        for plugin in &settings.config.plugins.enabled {
            let description = shelf.description(&plugin.sha256);
            let file = &plugin.file;
            let mut trouble = match content::read(&folder, file) {
                Err(error) => Some(format!("the plug-in {file} cannot be used: {error}")),
                Ok(content) if content.sha256 != plugin.sha256 => Some(format!(
                    "the plug-in {file} has changed since it was enabled: look at it and enable it again"
                )),
                Ok(_) if description.is_none() => Some(format!(
                    "the plug-in {file} has not said yet what it is: disable it and enable it again"
                )),
                Ok(_) => None,
            };
            for converter in description.iter().flat_map(|it| &it.converters) {
                let name = &converter.info.name;
                if let Some(other) = find_in(&all, name) {
                    let words = format!(
                        "the plug-ins {} and {file} both have a converter {name:?}: disable one of them",
                        other.enabled.plugin.file
                    );
                    trouble.get_or_insert(words);
                }
            }
            all.push(Enabled { plugin: plugin.clone(), description, trouble });
        }
        Self(all)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Enabled> {
        self.0.iter()
    }

    /// The converter that a source names, `plugin:NAME`.
    pub fn find(&self, converter: &str) -> Option<Found<'_>> {
        find_in(&self.0, name_of(converter)?)
    }

    /// Why a source with this converter cannot work now; `None` when it can, or the converter is one of our own.
    pub fn trouble(&self, converter: &str) -> Option<String> {
        let name = name_of(converter)?;
        match self.find(converter) {
            Some(found) => found.enabled.trouble.clone(),
            None => Some(self.unknown(name)),
        }
    }

    /// That there is no such converter, and what there is.
    pub fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.converters().map(|it| it.name).collect();
        let words = format!("no enabled plug-in has a converter {name:?}");
        // One that was enabled by hand, or whose answer was lost.
        let silent = self.0.iter().find(|it| it.description.is_none()).and_then(|it| it.trouble.clone());
        match (silent, known.is_empty()) {
            (Some(trouble), _) => format!("{words}; {trouble}"),
            (None, true) => format!("{words}: none is enabled; see 'wats-agent plugin list'"),
            (None, false) => format!("{words}; enabled are: {}", known.join(", ")),
        }
    }

    /// All converters of enabled plug-ins, as a person sees them.
    pub fn converters(&self) -> impl Iterator<Item = ConverterInfo> {
        self.0.iter().flat_map(|enabled| {
            let all = enabled.description.iter().flat_map(|it| &it.converters);
            all.map(|converter| info(converter, &enabled.plugin.file))
        })
    }
}

fn find_in<'a>(all: &'a [Enabled], name: &str) -> Option<Found<'a>> {
    all.iter().find_map(|enabled| {
        let converter = enabled.description.as_ref()?.converter(Some(name))?;
        Some(Found { enabled, converter })
    })
}

/// As a source names it.
pub(super) fn info(converter: &Converter, file: &str) -> ConverterInfo {
    let info = &converter.info;
    ConverterInfo { name: format!("{PREFIX}{}", info.name), plugin: Some(file.to_owned()), ..info.clone() }
}

impl Settings {
    /// Every converter that a source can use: our own and those of enabled plug-ins.
    pub fn converters(&self) -> Vec<ConverterInfo> {
        let mut all = crate::control::converters();
        all.extend(self.plugins.converters());
        all
    }

    /// The patterns, unit and marker in force: those of the source, else those of the plug-in that it uses.
    pub fn effective(&self, source: &SourceSettings) -> SourceSettings {
        let mut effective = source.clone();
        let Some(Found { converter, .. }) = self.plugins.find(&source.converter) else { return effective };
        let intake = &mut effective.intake;
        if effective.file_patterns.is_empty() {
            effective.file_patterns.clone_from(&converter.info.file_patterns);
        }
        if converter.info.kind == ConverterKind::Folder {
            intake.unit.get_or_insert(Unit::Folder);
            if intake.ready_marker.is_none() {
                intake.ready_marker.clone_from(&converter.folder.readiness_marker);
            }
            // Its patterns are of folders; any file in one may be the first.
            if intake.include.is_empty() && effective.file_patterns != ["*"] {
                intake.include.clone_from(&effective.file_patterns);
            }
            effective.file_patterns = vec!["*".to_owned()];
        }
        effective
    }

    /// The declared arguments of the converter that a source names, where it is a plug-in's.
    pub(crate) fn plugin_arguments(&self, converter: &str) -> Option<&[ArgumentInfo]> {
        Some(&self.plugins.find(converter)?.converter.info.arguments)
    }

    /// Version and hash of the plug-in's converter that a source names, as they stand in the ledger.
    pub(crate) fn plugin_version(&self, converter: &str) -> Option<String> {
        let found = self.plugins.find(converter)?;
        Some(crate::store::plugin_version(&found.converter.info.version, &found.enabled.plugin.sha256))
    }

    /// Where the inputs of plug-ins lie while they are converted.
    pub(crate) fn plugin_work_folder(&self) -> PathBuf {
        self.storage_folder().join("plugin-work")
    }

    /// The folders in the agent's own that plug-ins see parts of.
    pub(crate) fn plugins_see(&self) -> [PathBuf; 2] {
        [self.plugin_work_folder(), Shelf::of(&self.storage_folder()).folder().to_owned()]
    }
}
