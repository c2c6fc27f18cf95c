//! `instances`: every instance of this machine, and whether an agent runs on it.

use std::path::Path;

use anyhow::Context;

use super::print::show;
use crate::control::api::{Instance, InstanceState};
use crate::{files, instances};

/// Lists the instances whose configurations lie beside `config`.
pub(super) fn list(config: &Path, json: bool) -> anyhow::Result<()> {
    let folder = files::folder_of(config).display();
    let found = instances::all(config).with_context(|| format!("could not read {folder}"))?;
    show(json, &found, |found| {
        if found.is_empty() {
            return format!("there is no configuration in {folder}\n");
        }
        found.iter().map(describe).collect()
    })
}

fn describe(instance: &Instance) -> String {
    let state = match (instance.state, instance.process) {
        (InstanceState::Running, Some(process)) => format!("runs, process {process}"),
        (InstanceState::Running, None) => "runs".to_owned(),
        (InstanceState::Stopped, _) => "does not run".to_owned(),
        (InstanceState::Unknown, _) => "not known".to_owned(),
    };
    let sources = instance.sources.map(|it| format!(", sources: {it}")).unwrap_or_default();
    let trouble = instance.trouble.as_ref().map(|it| format!("\n  {it}")).unwrap_or_default();
    format!("{}: {state}{sources}, {}{trouble}\n", instance.name, instance.config)
}
