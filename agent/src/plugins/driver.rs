//! Threads that wait for programs: whoever talks with one has a thread to itself, and is woken by that program alone.
//!
//! On the threads that all tasks of the agent share, each request and each answer would wake several of them, which
//! costs more than what they say.

use std::future::Future;
use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

/// Fires when nobody waits any more for what a thread does.
pub(crate) type Stop = CancellationToken;

/// Waits for the pipes of one program.
#[derive(Debug)]
pub(super) struct Driver(Option<Runtime>);

impl Driver {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Some(Builder::new_current_thread().enable_all().build()?)))
    }

    /// Waits here, on this thread, which must be none that all tasks share; `None` when `stop` fires before the end.
    pub(super) fn wait<T>(&self, stop: &Stop, work: impl Future<Output = T>) -> Option<T> {
        self.0.as_ref()?.block_on(stop.run_until_cancelled(work))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Also where nothing may wait, as for its threads to end.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Does on a thread of its own what waits for programs; it is told when nobody waits for that any more.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce(&Stop) -> T + Send + 'static) -> T {
    let stop = Stop::new();
    let _told = stop.clone().drop_guard();
    match tokio::task::spawn_blocking(move || work(&stop)).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // It was not begun, because the agent ends: so does whoever waits.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_thread_that_nobody_waits_for_is_told_and_stops_waiting_for_its_program() {
        let (tell, told) = mpsc::channel();
        let waiting = apart(move |stop| {
            tell.send("begun").unwrap();
            let waited = Driver::new().unwrap().wait(stop, std::future::pending::<()>());
            tell.send(if waited.is_none() { "stopped" } else { "done" }).unwrap();
        });
        let begun = tokio::task::spawn_blocking(move || (told.recv().unwrap(), told));
        let told = tokio::select! {
            () = waiting => panic!("it waits for ever"),
            begun = begun => begun.unwrap(),
        };
        assert_eq!(told.0, "begun");
        // Dropped by now is whoever waited.
        let end = tokio::task::spawn_blocking(move || told.1.recv_timeout(Duration::from_secs(60)));
        assert_eq!(end.await.unwrap().unwrap(), "stopped");
    }

    #[tokio::test]
    async fn what_a_thread_made_comes_back_and_a_driver_may_end_anywhere() {
        let driver = apart(|stop| {
            let driver = Driver::new().unwrap();
            assert_eq!(driver.wait(stop, tokio::time::sleep(Duration::from_millis(1))), Some(()));
            driver
        });
        // Here, where nothing may wait.
        drop(driver.await);
    }
}
