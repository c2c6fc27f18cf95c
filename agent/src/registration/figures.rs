//! What the server is told of this machine: true figures, from this moment.

use std::path::Path;

use jiff::Timestamp;
use wats::client::{ClientUpdate, Computer, ConverterState, DiskState, Registration};

use crate::Agent;
use crate::config::Settings;
use crate::control::api::{After, SourceSettings, SourceState};
use crate::control::{disk, sources};
use crate::store::StoreError;
use crate::system;

/// The host and the instance. Not the host alone: that is what other clients on this machine call themselves, and a second
/// registration of an id makes the passcode of the first worthless.
pub(super) fn client_id(settings: &Settings) -> String {
    format!("{}-{}", host().0, settings.instance).to_uppercase()
}

pub(super) fn who(settings: &Settings) -> Registration {
    let station = &settings.config.station;
    Registration {
        id: client_id(settings),
        name: station.name.clone(),
        location: station.location.clone(),
        purpose: station.purpose.clone(),
    }
}

/// How the machine fares now.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn update(
    agent: &Agent,
    settings: &Settings,
    status: &'static str,
) -> Result<ClientUpdate, StoreError> {
    let queue = agent.store().queue_counts(Timestamp::now()).await?;
    let converters = sources(agent).await?;
    let converters = converters.into_iter().map(|source| ConverterState {
        state: if source.state == SourceState::Watching { "Running" } else { "Disabled" },
        version: version_of(settings, &source.settings.converter),
        total: source.files_converted.to_string(),
        error: source.files_failed.to_string(),
        class: source.settings.converter.clone(),
        filter: patterns(&settings.effective(&source.settings)).join(";"),
        path: source.folder,
        post_process_action: match source.settings.after {
            After::Archive => "Archive".to_owned(),
            After::Keep => "Keep".to_owned(),
            After::Delete => "Delete".to_owned(),
            After::Zip => "Zip".to_owned(),
        },
        name: source.settings.name,
    });
    let Registration { name, location, purpose, .. } = who(settings);
    Ok(ClientUpdate {
        name,
        location,
        purpose,
        version: numeric(env!("CARGO_PKG_VERSION")),
        status,
        pending_total: queue.queued + queue.sending,
        computer: computer(settings),
        converters: converters.collect(),
    })
}

/// The station's distance from UTC now, in minutes to the east.
pub(super) fn utc_offset(settings: &Settings) -> i32 {
    let zone = jiff::tz::TimeZone::get(&settings.config.station.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    zone.to_offset(Timestamp::now()).seconds() / 60
}

/// The patterns in force.
fn patterns(source: &SourceSettings) -> Vec<String> {
    if !source.file_patterns.is_empty() {
        return source.file_patterns.clone();
    }
    let converter = wats_converters::find(&source.converter);
    converter.map_or(Vec::new(), |it| it.about().file_patterns.iter().map(|&it| it.to_owned()).collect())
}

fn version_of(settings: &Settings, converter: &str) -> String {
    if let Some(found) = settings.plugins.find(converter) {
        return numeric(&found.converter.info.version);
    }
    wats_converters::find(converter).map_or_else(String::new, |it| numeric(it.about().version))
}

/// The leading digits and dots: `0.1.0-rc1` is `0.1.0`.
fn numeric(version: &str) -> String {
    let end = version.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(version.len());
    version.get(..end).unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The host's name and its domain, as far as the kernel knows them.
fn host() -> (String, String) {
    let name = system::host_name().unwrap_or_else(|| "wats-agent".to_owned());
    match name.split_once('.') {
        Some((host, domain)) => (host.to_owned(), domain.to_owned()),
        None => (name, String::new()),
    }
}

fn computer(settings: &Settings) -> Computer {
    let (computer_name, domain) = host();
    Computer {
        os_version: system::system_name(),
        python_version: concat!("wats-agent ", env!("CARGO_PKG_VERSION")).to_owned(),
        os_architecture: std::env::consts::ARCH.to_owned(),
        computer_name,
        domain,
        total_physical_memory: system::machine_memory().to_string(),
        disks: disks(settings),
    }
}

/// The system's disk and that of the queue. Others are not asked: a network mount may not answer.
fn disks(settings: &Settings) -> Vec<DiskState> {
    let storage = settings.storage_folder();
    let (root, is_same) = system::system_disk(&storage);
    let mut places = vec![root.as_path()];
    if !is_same {
        places.push(&storage);
    }
    let state = |place: &Path| {
        let disk = disk(place);
        DiskState {
            name: place.display().to_string(),
            drive_type: "Fixed",
            system_drive: place == root,
            volume_label: String::new(),
            drive_format: String::new(),
            total_size: disk.total_bytes.to_string(),
            available_free_space: disk.free_bytes.to_string(),
            total_free_space: disk.free_bytes.to_string(),
        }
    };
    places.into_iter().map(state).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_version_only_its_numbers_are_told() {
        for (version, told) in [("0.1.0", "0.1.0"), ("1.2.0-rc1", "1.2.0"), ("dev", ""), ("1.x", "1")] {
            assert_eq!(numeric(version), told);
        }
    }
}
