//! Starting a box from the agent's side.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

#[cfg(target_os = "linux")]
use super::Part;
use super::here;
use super::plan::{Outcome, Plan, Run, seen};
use super::{Kind, Layer, Layers, Profile, SUBCOMMAND, See};
use crate::convert::frame;
use crate::plugins::Place;
use crate::system;

/// A box stands within milliseconds; a machine that needs longer than this is in trouble.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest outcome that is believed.
const LONGEST_OUTCOME: usize = 64 << 10;

/// Why no box could be started.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("could not find this program, which is its own sandbox helper")]
    NoHelper(#[source] io::Error),
    #[error("could not start the sandbox helper {}", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("the sandbox helper ended before the box was ready")]
    Ended(#[source] io::Error),
    #[error("the sandbox helper was not ready within {} s", PATIENCE.as_secs())]
    Slow,
    /// In the helper's words: what is missing and what to do.
    #[error("{words}")]
    Refused { words: String },
}

/// A program in its box. Dropping it ends the program with everything that it started.
#[derive(Debug)]
pub struct Boxed {
    /// The helper, which ends as the program does. Its standard input, output and error are pipes, and the program's.
    pub child: Child,
    pub layers: Layers,
    profile: Profile,
    /// The scratch folder, once it was looked into.
    scratch: Option<Place>,
}

/// This program, which is its own helper.
///
/// # Errors
/// When the system does not say where it is.
pub fn helper() -> Result<PathBuf, SandboxError> {
    std::env::current_exe().map_err(SandboxError::NoHelper)
}

/// Runs a program in a box. An absolute path among the arguments, as the program itself, is one inside.
///
/// # Errors
/// When the box cannot be built, or a layer is missing that the profile insists on. Nothing runs then.
pub async fn start(profile: &Profile, program: &Path, arguments: &[OsString]) -> Result<Boxed, SandboxError> {
    start_with(&helper()?, profile, program, arguments).await
}

/// [`start`] for a process that is not `wats-agent` itself, like a test: the helper is named.
///
/// # Errors
/// As [`start`].
pub async fn start_with(
    helper: &Path,
    profile: &Profile,
    program: &Path,
    arguments: &[OsString],
) -> Result<Boxed, SandboxError> {
    let run = Run { program: program.to_owned(), arguments: arguments.to_vec() };
    let plan = Plan { profile: profile.clone(), run: Some(run) };
    let (child, layers) = follow(helper, &plan).await?;
    Ok(Boxed { child, layers, profile: plan.profile, scratch: None })
}

/// Builds a box and only says which layers hold on this machine.
///
/// # Errors
/// When no box can be built at all.
pub async fn probe(helper: &Path) -> Result<Layers, SandboxError> {
    let scratch = See::at(std::env::temp_dir(), "/scratch");
    let plan = Plan { profile: Profile::new(Kind::Program, scratch), run: None };
    let (_, layers) = follow(helper, &plan).await?;
    Ok(layers)
}

/// Starts the helper, hands it the plan and waits for the outcome.
async fn follow(helper: &Path, plan: &Plan) -> Result<(Child, Layers), SandboxError> {
    let mut child = system::bare(&mut Command::new(helper))
        .arg(SUBCOMMAND)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| SandboxError::Start { program: helper.to_owned(), source })?;
    // An error drops the child's pipes: the helper ends itself.
    let outcome = tokio::time::timeout(PATIENCE, talk(&mut child, plan)).await;
    match outcome.map_err(|_| SandboxError::Slow)?.map_err(SandboxError::Ended)? {
        Outcome::Ready { layers } => Ok((child, layers)),
        Outcome::Refused { words } => Err(SandboxError::Refused { words }),
    }
}

async fn talk(child: &mut Child, plan: &Plan) -> io::Result<Outcome> {
    let missing = || io::Error::other("the helper has no pipe");
    frame::send(child.stdin.as_mut().ok_or_else(missing)?, &serde_json::to_vec(plan)?).await?;
    let outcome = frame::receive(child.stdout.as_mut().ok_or_else(missing)?, LONGEST_OUTCOME).await?;
    Ok(serde_json::from_slice(&outcome)?)
}

impl Boxed {
    /// Where the program sees what the profile shows at `inside`.
    pub fn path(&self, inside: &Path) -> PathBuf {
        seen(&self.profile, &self.layers, inside)
    }

    /// Removes everything from the scratch folder. The program should be at rest: what it writes meanwhile may stay.
    ///
    /// # Errors
    /// When something cannot be removed, or the box has ended.
    pub fn empty_scratch(&mut self) -> io::Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => {
                let folder = match self.child.id() {
                    Some(id) if self.layers.holds(Layer::Mounts) => {
                        here::scratch_of(id, &self.profile.scratch.inside)?
                    }
                    Some(_) => self.profile.scratch.here.clone(),
                    None => return Err(io::Error::other("the box has ended")),
                };
                none.insert(Place::open(&folder)?)
            }
        };
        if scratch.is_empty()? { Ok(()) } else { scratch.empty() }
    }

    /// The number of the program's own process, if it may start no others; nothing where the system does not say.
    #[cfg(target_os = "linux")]
    pub(crate) fn program_alone(&self) -> Option<u32> {
        if self.profile.lifted.contains(&Part::Processes) {
            return None;
        }
        here::program_of(self.child.id()?, self.layers.holds(Layer::Processes))
    }

    /// The processor time of everything in the box so far; nothing where the system does not say.
    pub fn cpu_used(&self) -> Option<Duration> {
        here::used_by(self.child.id()?)
    }
}

impl Drop for Boxed {
    fn drop(&mut self) {
        // The helper ends all that belongs to the box.
        system::ask_to_end(&mut self.child);
    }
}
