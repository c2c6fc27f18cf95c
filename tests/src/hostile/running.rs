//! Hostile programs as the converters of a running agent: each becomes a plug-in, and gets a file.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use nix::unistd::Pid;
use wats_agent::sandbox::Kind;

use super::{Arsenal, Attack, Seen, Yard, look};

/// So soon everything of a plug-in must be gone once it is disabled.
const GONE: Duration = Duration::from_secs(10);

/// A Python file as a customer has one, which runs the attack where a converter converts.
const PYTHON: &str = r#""""A hostile program as a converter."""
import json
import os
import runpy

from pywats_client.converters import ConverterResult, FileConverter

HERE = os.path.dirname(os.path.abspath(__file__))


class Hostile(FileConverter):
    name = "NAME"

    def convert(self, source, context):
        with open(os.path.join(HERE, "targets.json")) as file:
            os.environ.update(json.load(file))
        os.environ["INPUT"] = str(source.path)
        runpy.run_path(os.path.join(HERE, "attack.py"), run_name="__main__")
        return ConverterResult.failed_result("the program came to its end and made no report")
"#;

/// A program that speaks the protocol, and becomes the attack where a converter converts.
const PROGRAM: &str = r#"#!/bin/sh
here=${0%/*}
while read -r request; do
  case $request in
    *'"request":"describe"'*)
      echo '{"answer": "described", "protocol": 1, "persistent": true, "converters": [{"name": "NAME"}]}' ;;
    *'"request":"convert"'*)
      . "$here/targets"
      exec RUN ;;
    *) echo '{"answer": "error", "text": "not known"}' ;;
  esac
done
"#;

/// One attack that a running agent has as a plug-in, and what it is after.
#[derive(Debug)]
pub struct Loose {
    /// Of plug-in, converter and source alike.
    pub name: String,
    yard: Yard,
    agent: Pid,
    seen: Seen,
}

impl Loose {
    /// Puts the attack into the plug-in folder. `agent` is the one that it is let loose on, which has the secret in its
    /// environment.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn put(
        arsenal: &Arsenal,
        attack: &Attack,
        agent: Pid,
        secret: &str,
        plugins: &Path,
    ) -> anyhow::Result<Self> {
        let (name, ending) = attack.file.rsplit_once('.').context("an attack without an ending")?;
        let folder = plugins.join(name);
        fs::create_dir_all(&folder)?;
        let yard = Yard::with_secret(arsenal, secret.to_owned())?;
        let mut targets = yard.targets();
        for (name, value) in &mut targets {
            if *name == "AGENT" {
                *value = agent.to_string().into();
            }
        }
        let source = arsenal.attacks().join(attack.file);
        if attack.kind() == Kind::Python {
            let text = |it: &OsString| it.to_string_lossy().into_owned();
            let known: serde_json::Map<_, _> =
                targets.iter().map(|(name, value)| ((*name).to_owned(), text(value).into())).collect();
            write(&folder.join("targets.json"), 0o644, &serde_json::to_vec(&known)?)?;
            write(&folder.join("main.py"), 0o644, PYTHON.replace("NAME", name).as_bytes())?;
            write(&folder.join("attack.py"), 0o644, &fs::read(source)?)?;
        } else {
            let lines: String = targets
                .iter()
                .map(|(name, value)| format!("export {name}='{}'\n", value.display()))
                .collect();
            write(&folder.join("targets"), 0o644, lines.as_bytes())?;
            let (run, file) = match ending {
                "sh" => ("/bin/sh \"$here/attack\"", source),
                _ => ("\"$here/attack\"", source.with_extension("")),
            };
            let program = PROGRAM.replace("NAME", name).replace("RUN", run);
            write(&folder.join(name), 0o755, program.as_bytes())?;
            write(&folder.join("attack"), 0o755, &fs::read(file)?)?;
        }
        Ok(Self { name: name.to_owned(), yard, agent, seen: Seen::default() })
    }

    /// Looks at what its processes have now; true when there are any.
    pub fn look(&mut self) -> bool {
        let processes = in_box_of(&self.name);
        let own = look::namespace_of(processes.first().copied());
        let mut now = Seen::default();
        for process in &processes {
            look::at_process(*process, own.as_deref(), &mut now);
            now.scratch_bytes = now.scratch_bytes.max(look::size(&look::root_of(*process).join("scratch")));
        }
        self.seen.key_left |= self.yard.key_was_left();
        let seen = &mut self.seen;
        seen.processes = seen.processes.max(now.processes);
        seen.threads = seen.threads.max(now.threads);
        seen.memory_bytes = seen.memory_bytes.max(now.memory_bytes);
        seen.descriptors = seen.descriptors.max(now.descriptors);
        seen.scratch_bytes = seen.scratch_bytes.max(now.scratch_bytes);
        seen.new_namespace |= now.new_namespace;
        seen.open.extend(now.open);
        !processes.is_empty()
    }

    /// What it did, once its plug-in is disabled. `said` is all that the agent tells of its file.
    pub async fn done(mut self, said: &str) -> Seen {
        let started = std::time::Instant::now();
        while !in_box_of(&self.name).is_empty() && started.elapsed() < GONE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let left = in_box_of(&self.name);
        self.seen.lives_on = !left.is_empty();
        left.into_iter().for_each(look::end);
        let mut seen = self.seen;
        seen.output = said.as_bytes().to_vec();
        self.yard.look_around(&mut seen);
        seen.agent_ended |= nix::sys::signal::kill(self.agent, None).is_err();
        seen
    }
}

/// The processes of a plug-in's boxes, but for those that keep them.
fn in_box_of(plugin: &str) -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<u32> = all
        .filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok())
        .filter(|it| look::root_of(*it).join("plugin").join(plugin).is_dir())
        .filter(|it| !exe(*it).is_some_and(|it| it.ends_with("wats-agent")))
        .collect();
    found.sort_unstable();
    found
}

fn exe(process: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{process}/exe")).ok()
}

fn write(path: &Path, mode: u32, bytes: &[u8]) -> anyhow::Result<()> {
    fs::File::create(path)?.write_all(bytes)?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}
