//! The service manager of Windows: it starts the process, and says when it is to stop.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{self, ServiceControlHandlerResult, ServiceStatusHandle};
use windows_service::{define_windows_service, service_dispatcher};

use super::Hosted;
use crate::error_chain;

/// What the manager is told before the agent has read which name it was given.
const NAME: &str = "wats-agent";
/// `ERROR_FAILED_SERVICE_CONTROLLER_CONNECT`: a person started this process.
const NO_MANAGER: i32 = 1063;
/// How long the manager waits for the start and the end.
const PATIENCE: Duration = Duration::from_secs(30);
/// A log that is larger is set aside at the next start, over the one before it.
const LARGEST_LOG: u64 = 16 << 20;

type Work = Box<dyn FnOnce(Option<Hosted>) -> anyhow::Result<()> + Send>;

/// What the service does, and where its log goes: the manager calls a function that gets nothing of ours.
static WORK: Mutex<Option<(PathBuf, Work)>> = Mutex::new(None);

define_windows_service!(entry, serve);

/// Does the work as a service where the service manager started this process, and as it is where a person did.
///
/// # Errors
/// Those of the work, and when the service manager cannot be spoken to.
pub(crate) fn host(
    log: impl FnOnce() -> anyhow::Result<PathBuf>,
    work: impl FnOnce(Option<Hosted>) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    *lock() = Some((log()?, Box::new(work)));
    match service_dispatcher::start(NAME, entry) {
        Ok(()) => Ok(()),
        Err(windows_service::Error::Winapi(error)) if error.raw_os_error() == Some(NO_MANAGER) => {
            let taken = lock().take();
            taken.map_or(Ok(()), |(_, work)| work(None))
        }
        Err(error) => Err(error.into()),
    }
}

fn lock() -> std::sync::MutexGuard<'static, Option<(PathBuf, Work)>> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The life of the service; there is nobody to tell what goes wrong but the log and the manager.
fn serve(_arguments: Vec<OsString>) {
    let Some((log, work)) = lock().take() else { return };
    let stop = CancellationToken::new();
    let told = stop.clone();
    let registered = service_control_handler::register(NAME, move |control| match control {
        ServiceControl::Stop | ServiceControl::Shutdown | ServiceControl::Preshutdown => {
            told.cancel();
            ServiceControlHandlerResult::NoError
        }
        ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
        _ => ServiceControlHandlerResult::NotImplemented,
    });
    let Ok(manager) = registered else { return };
    say(manager, ServiceState::Running, 0);
    let done = log_file(&log).map_err(anyhow::Error::from);
    let done = done.and_then(|log| work(Some(Hosted { stop, log })));
    if let Err(error) = &done {
        tracing::error!("the agent has ended: {}", error_chain(error.as_ref()));
    }
    say(manager, ServiceState::Stopped, u32::from(done.is_err()));
}

fn say(manager: ServiceStatusHandle, state: ServiceState, code: u32) {
    let takes =
        ServiceControlAccept::STOP | ServiceControlAccept::SHUTDOWN | ServiceControlAccept::PRESHUTDOWN;
    let told = manager.set_service_status(ServiceStatus {
        service_type: ServiceType::OWN_PROCESS,
        current_state: state,
        controls_accepted: if state == ServiceState::Running { takes } else { ServiceControlAccept::empty() },
        exit_code: if code == 0 { ServiceExitCode::NO_ERROR } else { ServiceExitCode::ServiceSpecific(code) },
        checkpoint: 0,
        wait_hint: PATIENCE,
        process_id: None,
    });
    if let Err(error) = told {
        tracing::warn!(%error, "could not notify the service manager");
    }
}

/// A service has no standard error that anybody could read.
fn log_file(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    if fs::metadata(path).is_ok_and(|it| it.len() > LARGEST_LOG) {
        fs::rename(path, path.with_extension("old.log"))?;
    }
    File::options().create(true).append(true).open(path)
}
