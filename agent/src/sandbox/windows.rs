//! The helper's side on Windows: starts the program in a job, with a token of few rights, and waits for its end.
//!
//! The job is the helper's alone: when the helper ends, however it does, the system ends the program with all that it
//! started. The helper itself ends with the agent, which has a job of its own.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::windows::io::AsHandle;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::noted::{insist, note, note_absent};
use super::plan::{Outcome, Plan, Run, seen};
use super::{Kind, Layer, Layers, Part, Profile, See, command_line};
use crate::convert::frame;
use crate::system::windows::raw::{self, Job, JobLimits, Labelled, Suspended, Token};
use crate::system::{self, windows::open_to_the_box};

/// Processes of a program that may start processes: enough for a compiler, too few for a bomb.
const PROCESSES: u32 = 512;

/// What this system has nothing like, or nothing yet that is used.
const ABSENT: [(Layer, &str); 8] = [
    (
        Layer::Users,
        "Windows has no user namespaces: the program reads what its user may, but for the agent's own folder",
    ),
    (Layer::Mounts, "Windows shows the program the disk as it is: it writes its scratch folder alone"),
    (Layer::Processes, "other processes can be seen; all of the program's own end together"),
    (Layer::Network, "connections are not stopped: use the firewall of Windows for the interpreter"),
    (Layer::Ipc, "objects of other programs can be opened where their rights allow it"),
    (Layer::HostName, "the host's name can be read"),
    (
        Layer::Landlock,
        "is part of Linux; low integrity, among the privileges, keeps the program from writing",
    ),
    (Layer::SystemCalls, "Windows has no list of allowed system calls"),
];

/// There is none here.
pub(crate) fn take_over_control_group() -> Result<(), String> {
    Err("jobs take their place on Windows".to_owned())
}

/// Runs the program of the plan on standard input.
///
/// # Errors
/// When the plan cannot be read, the outcome cannot be told, or the program cannot be waited for.
pub fn help() -> io::Result<()> {
    let (mut input, mut output) = system::own_pipes()?;
    let Plan { profile, run } = serde_json::from_slice(&frame::read(&mut input)?)?;
    drop(input);
    let mut tell = |outcome: &Outcome| {
        frame::write(&mut output, &serde_json::to_vec(outcome)?)?;
        output.flush()
    };
    match build(&profile, run.as_ref()) {
        Ok((layers, started)) => {
            tell(&Outcome::Ready { layers })?;
            let Some((program, _job)) = started else { return Ok(()) };
            drop(output);
            // Whoever reads the program's answers sees their end when the program closes them.
            raw::close_pipes();
            let code = program.run()?;
            std::process::exit(code.cast_signed())
        }
        Err(words) => tell(&Outcome::Refused { words }),
    }
}

/// The program as it waits to be let run, with the job that it is in.
type Started = Option<(Suspended, Job)>;

fn build(profile: &Profile, run: Option<&Run>) -> Result<(Layers, Started), String> {
    let mut layers = Layers::default();
    let is_lifted = |part| profile.lifted.contains(&part);
    let limits = JobLimits {
        memory_bytes: (!is_lifted(Part::Memory)).then_some(profile.limits.memory_bytes),
        processor_time: (!is_lifted(Part::Time)).then_some(profile.limits.cpu.max(Duration::from_secs(1))),
        processes: Some(if is_lifted(Part::Processes) { PROCESSES } else { profile.limits.processes }),
    };
    let job = note(profile, &mut layers, Layer::ControlGroup, || {
        Job::new(&limits).map(|job| (job, "a job: memory, processor time, processes, one end".to_owned()))
    });
    let low = !is_lifted(Part::Files);
    let token = note(profile, &mut layers, Layer::Privileges, || few_rights(profile, low, run.is_some()));
    note(profile, &mut layers, Layer::Limits, || {
        let detail = "by the job; not of open files and not of the size of files";
        if job.is_some() { Ok(((), detail.to_owned())) } else { Err("there is no job") }
    });
    note_absent(&mut layers, &ABSENT);
    insist(profile, &layers)?;
    let Some(run) = run else { return Ok((layers, None)) };
    // These two are what a box is here: without them nothing runs.
    let job = job.ok_or("the system gave no job for the box")?;
    let token = token.ok_or("the system gave no token of few rights for the box")?;
    let program = seen(profile, &layers, &run.program);
    let started = start(profile, &layers, run, &token, &job)
        .map_err(|error| format!("could not start {}: {error}", program.display()))?;
    Ok((layers, Some((started, job))))
}

/// What is not labelled for it a program with low integrity cannot write, and the agent's own folder not even read.
fn few_rights(profile: &Profile, low: bool, runs: bool) -> io::Result<(Token, String)> {
    let token = Token::restricted()?;
    if !low {
        return Ok((token, "no privilege, no administrator; it writes what its user may".to_owned()));
    }
    token.lower()?;
    // A probe has the folder of all temporary files: that stays as it is.
    let labelled = if runs { open_to_the_box(&profile.scratch.here)? } else { Labelled::Yes };
    let detail = match labelled {
        Labelled::Yes => {
            "no privilege, no administrator; low integrity: it writes the scratch folder alone".to_owned()
        }
        Labelled::No(error) => format!(
            "no privilege, no administrator; low integrity, for which the scratch folder took no label ({error}): where the system keeps to labels, nothing can be written"
        ),
    };
    Ok((token, detail))
}

fn start(profile: &Profile, layers: &Layers, run: &Run, token: &Token, job: &Job) -> io::Result<Suspended> {
    let program = seen(profile, layers, &run.program);
    let arguments: Vec<OsString> =
        run.arguments.iter().map(|it| seen(profile, layers, Path::new(it)).into_os_string()).collect();
    let scratch = seen(profile, layers, &profile.scratch.inside);
    let environment = environment(profile, &scratch);
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    let start = raw::Start {
        program: &program,
        command_line: &command_line::of(program.as_os_str(), &arguments),
        environment: &environment,
        folder: &scratch,
        token,
        job,
        pipes: [input.as_handle(), output.as_handle(), error.as_handle()],
    };
    start.suspended()
}

/// What is listed, the scratch folder under its names, and where the system's libraries are: without that no program starts.
fn environment(profile: &Profile, scratch: &Path) -> Vec<(OsString, OsString)> {
    let own = ["SystemRoot", "SystemDrive", "windir"].into_iter();
    let own = own.filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)));
    let scratch = ["HOME", "USERPROFILE", "TEMP", "TMP", "TMPDIR"].map(|name| (name.into(), scratch.into()));
    own.chain(profile.environment.iter().cloned()).chain(scratch).collect()
}

/// Puts this process into the box of our own converters: it has what it needs already.
///
/// # Errors
/// Never: every layer may be missing, and is noted.
pub fn enter_native(memory_bytes: u64) -> io::Result<Layers> {
    let mut layers = Layers::default();
    // Only says which layers are left out: none.
    let profile = Profile::new(Kind::Program, See::same(PathBuf::new()));
    note(&profile, &mut layers, Layer::Limits, || {
        let limits = JobLimits { memory_bytes: Some(memory_bytes), processes: Some(1), processor_time: None };
        let job = Job::new(&limits)?;
        job.take_this_process()?;
        // Open as long as this process lives.
        std::mem::forget(job);
        Ok::<_, io::Error>(((), "memory, one process".to_owned()))
    });
    note(&profile, &mut layers, Layer::Privileges, || {
        raw::lower_this_process().map(|()| ((), "no privilege, low integrity".to_owned()))
    });
    Ok(layers)
}

/// The processor time of a helper and what it started.
pub(super) fn used_by(helper: u32) -> Option<Duration> {
    system::processor_time(helper)
}

/// The scratch folder lies where it is seen.
pub(super) fn scratch_of(_helper: u32, _inside: &Path) -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}
