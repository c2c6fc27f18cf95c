//! `sandbox`: the box in which foreign converters run.

use clap::Subcommand;

use super::print::show;
use crate::config::Settings;
use crate::control::api::SandboxStatus;
use crate::control::client::ControlError;

#[derive(Debug, Subcommand)]
pub(super) enum SandboxCommand {
    /// Show which layers hold: in the running agent, or where none runs, if it ran as you do now.
    Status,
}

pub(super) async fn run(settings: &Settings, command: &SandboxCommand, json: bool) -> anyhow::Result<()> {
    let SandboxCommand::Status = command;
    let status = match super::client(settings)?.sandbox().await {
        Err(ControlError::Unreachable { .. }) => crate::sandbox::look().await,
        answer => answer?,
    };
    show(json, &status, words)
}

fn words(status: &SandboxStatus) -> String {
    let mut text = String::new();
    for layer in &status.layers {
        let mark = if layer.holds { "holds  " } else { "MISSING" };
        text += &format!("{mark}  {:<14}  {}\n", layer.name, layer.protects);
        if !layer.detail.is_empty() {
            text += &format!("{:27}{}\n", "", layer.detail);
        }
        if !layer.remedy.is_empty() {
            text += &format!("{:27}To do: {}\n", "", layer.remedy);
        }
    }
    text += &match (&status.trouble, status.missing().len()) {
        (Some(trouble), _) => format!("there is no sandbox, so foreign converters cannot run: {trouble}\n"),
        (None, _) if status.layers.is_empty() => "the agent has not looked yet: try again\n".to_owned(),
        (None, 0) => "all layers hold\n".to_owned(),
        (None, 1) => "1 layer is missing; docs/security/sandbox.md says more\n".to_owned(),
        (None, count) => format!("{count} layers are missing; docs/security/sandbox.md says more\n"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::api::SandboxLayer;

    #[test]
    fn a_missing_layer_stands_out() {
        let layer = |name: &str, holds, detail: &str| SandboxLayer {
            name: name.to_owned(),
            protects: "much".to_owned(),
            holds,
            detail: detail.to_owned(),
            remedy: if holds { String::new() } else { "boot another".to_owned() },
        };
        let mut status = SandboxStatus {
            layers: vec![layer("users", true, ""), layer("landlock", false, "this kernel has none")],
            trouble: None,
        };
        assert_eq!(
            words(&status),
            "holds    users           much\nMISSING  landlock        much\n                           this kernel has none\n\
             \x20                          To do: boot another\n\
             1 layer is missing; docs/security/sandbox.md says more\n"
        );
        status.layers.pop();
        assert!(words(&status).ends_with("all layers hold\n"));
    }
}
