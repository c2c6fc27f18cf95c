//! `rescue`: what was done about a damaged database.

use serde_json::json;

use super::print::show;
use crate::config::Settings;

/// Shows it, or confirms that a person has seen it.
pub(super) async fn run(settings: &Settings, confirm: bool, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    if confirm {
        client.confirm_rescue().await?;
        return show(json, &json!({"confirmed": true}), |_| "confirmed\n".to_owned());
    }
    show(json, &client.rescue().await?, |rescue| match rescue {
        Some(rescue) => format!("{}\n", rescue.words()),
        None => "the database was not rebuilt, or somebody has confirmed it\n".to_owned(),
    })
}
