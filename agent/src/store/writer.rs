//! The one writer: many changes, one transaction, one wait for the disk.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::StoreError;

/// How many changes wait at most; whoever comes then waits outside.
const WAITING: usize = 256;
/// Where one transaction follows another at once, the next waits so long for more to join it: what is stored for many
/// files together costs each of them less.
const GATHER: Duration = Duration::from_millis(3);

#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

enum Message {
    Change(Box<dyn Change>),
    Close,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (queue, changes) = mpsc::channel(WAITING);
        let task = tokio::spawn(run(connection, changes));
        Self { queue, task: Arc::new(Mutex::new(Some(task))) }
    }

    /// Runs a change in the next transaction and returns once it is on disk.
    ///
    /// A change that fails is undone alone; the others of its transaction stand. So it may be run twice.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send + 'static,
    {
        let (reply, answered) = oneshot::channel();
        let change = Asked { work, result: None, reply };
        self.queue.send(Message::Change(Box::new(change))).await.map_err(|_| StoreError::Closed)?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Waits until everything that was asked for before is done.
    pub(super) async fn close(&self) {
        // Closed already is as good.
        self.queue.send(Message::Close).await.ok();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.await.ok();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }
}

/// A change of any kind: run inside the transaction, answered after its commit.
trait Change: Send {
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Asked<T, F> {
    work: F,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Change for Asked<T, F>
where
    T: Send,
    F: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            let result = (self.work)(connection).await.map_err(StoreError::from);
            let ended = result.as_ref().map(|_| ()).map_err(StoreError::clone);
            self.result = Some(result);
            ended
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let answer = match (self.result, committed) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
        };
        // Whoever asked may have gone; the change stands all the same.
        self.reply.send(answer).ok();
    }
}

async fn run(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Message>) {
    let mut waiting = Vec::with_capacity(WAITING);
    let (mut open, mut last) = (true, None::<Instant>);
    while open && queue.recv_many(&mut waiting, WAITING).await > 0 {
        if last.is_some_and(|last| last.elapsed() < GATHER) {
            tokio::time::sleep(GATHER).await;
            while let Ok(message) = queue.try_recv() {
                waiting.push(message);
            }
        }
        let mut changes = Vec::with_capacity(waiting.len());
        for message in waiting.drain(..) {
            match message {
                Message::Change(change) => changes.push(change),
                Message::Close => open = false,
            }
        }
        if changes.is_empty() {
            continue;
        }
        let committed = commit(&mut connection, &mut changes).await;
        last = Some(Instant::now());
        if matches!(&committed, Err(error) if !error.may_pass()) && changes.len() > 1 {
            // One of them is wrong, which is rare: it shows when each is alone.
            for mut change in changes {
                let alone = commit(&mut connection, std::slice::from_mut(&mut change)).await;
                change.answer(alone);
            }
            continue;
        }
        for change in changes {
            change.answer(committed.clone());
        }
    }
    queue.close();
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

/// Runs all changes in one transaction, or none.
///
/// No savepoint makes them independent: SQLite would copy every page that the later ones change. The statements are plain
/// text and not sqlx's own transactions: those count levels, and SQLite drops them all at once when the disk fails.
async fn commit(
    connection: &mut SqliteConnection,
    changes: &mut [Box<dyn Change>],
) -> Result<(), StoreError> {
    let done = async {
        connection.execute("BEGIN IMMEDIATE").await?;
        for change in changes {
            change.run(connection).await?;
        }
        connection.execute("COMMIT").await?;
        Ok(())
    };
    let done = done.await;
    if done.is_err() {
        // SQLite may have ended the transaction by itself; then there is none to end.
        connection.execute("ROLLBACK").await.ok();
    }
    done
}
