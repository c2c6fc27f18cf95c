//! What the agent and its helper say to each other: the plan on standard input, the outcome on standard output.
//!
//! Both are one message (see [`crate::convert::frame`]) before anything of the program's own, so that no further
//! descriptor has to be handed on, which another child started at the same moment would inherit.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::{Layer, Layers, Profile};

/// What the helper is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) profile: Profile,
    /// `None`: only say which layers hold.
    pub(super) run: Option<Run>,
}

/// The program, as it is seen inside.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
}

/// How far the helper came.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    /// All layers are set; the program is next.
    Ready { layers: Layers },
    /// Nothing was started.
    Refused { words: String },
}

/// A path as the program sees it.
pub(super) fn seen(profile: &Profile, layers: &Layers, inside: &Path) -> PathBuf {
    if layers.holds(Layer::Mounts) {
        return inside.to_owned();
    }
    let places = profile.see.iter().chain([&profile.scratch]).chain(&profile.write);
    let found = places
        .filter_map(|it| Some((it, inside.strip_prefix(&it.inside).ok()?)))
        .max_by_key(|(it, _)| it.inside.as_os_str().len());
    match found {
        Some((place, rest)) if rest.as_os_str().is_empty() => place.here.clone(),
        Some((place, rest)) => place.here.join(rest),
        None => inside.to_owned(),
    }
}

/// The program with what it is given, its environment and its working directory.
#[cfg(unix)]
pub(super) fn command(profile: &Profile, layers: &Layers, run: &Run) -> Command {
    let scratch = seen(profile, layers, &profile.scratch.inside);
    let mut command = Command::new(seen(profile, layers, &run.program));
    command
        .args(run.arguments.iter().map(|it| seen(profile, layers, it.as_ref())))
        .env_clear()
        .envs(profile.environment.iter().map(|(name, value)| (name, value)))
        .env("HOME", &scratch)
        .env("TMPDIR", &scratch)
        .current_dir(scratch);
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Kind, LayerState, See};

    #[test]
    fn without_a_file_system_of_its_own_a_path_is_the_one_here() {
        let mut profile = Profile::new(Kind::Python, See::at("/var/s/1", "/scratch"));
        profile.see = vec![See::same("/usr"), See::at("/opt/venv", "/usr/lib/venv")];
        let mut layers = Layers::default();
        let seen = |layers: &Layers, inside: &str| seen(&profile, layers, Path::new(inside));
        assert_eq!(seen(&layers, "/scratch"), Path::new("/var/s/1"));
        assert_eq!(seen(&layers, "/scratch/a/b"), Path::new("/var/s/1/a/b"));
        assert_eq!(seen(&layers, "/usr/lib/venv/x"), Path::new("/opt/venv/x"));
        assert_eq!(seen(&layers, "/usr/lib/x"), Path::new("/usr/lib/x"));
        assert_eq!(seen(&layers, "/scratchy"), Path::new("/scratchy"));
        layers.set(Layer::Mounts, LayerState::Holds { detail: String::new() });
        assert_eq!(seen(&layers, "/scratch/a"), Path::new("/scratch/a"));
    }
}
