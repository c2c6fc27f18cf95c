//! What happens, as a stream of server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::Stream;
use jiff::Timestamp;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio_util::sync::CancellationToken;

use super::api::{Event, Notice};
use super::refusal::Refusal;
use super::routes::Control;
use crate::config::Settings;

/// Followers at once.
pub(super) const FOLLOWERS: usize = 32;
/// A follower hears at least so often that the agent lives.
const ALIVE: Duration = Duration::from_secs(15);

struct Follower {
    said: Receiver<Arc<Notice>>,
    settings: watch::Receiver<Arc<Settings>>,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn follow(
    State(control): State<Control>,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Refusal> {
    let place = control.followers.clone().try_acquire_owned().map_err(|_| {
        let words = format!("{FOLLOWERS} follow the events already: more are not served");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words)
    })?;
    let follower = Follower {
        said: control.agent.events().follow(),
        settings: control.agent.watch_settings(),
        stop: control.stop.clone(),
        _place: place,
    };
    let events = futures_util::stream::unfold(follower, |mut follower| async {
        let notice = follower.next().await?;
        let event = sse::Event::default().event(notice.event.word()).json_data(&*notice);
        // Texts and numbers can always be written.
        event.ok().map(|event| (Ok(event), follower))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)))
}

impl Follower {
    /// The next event; `None` when the agent ends.
    async fn next(&mut self) -> Option<Arc<Notice>> {
        let now = |event| Some(Arc::new(Notice { at: Timestamp::now(), event }));
        tokio::select! {
            () = self.stop.cancelled() => None,
            changed = self.settings.changed() => {
                changed.ok()?;
                now(Event::SettingsChanged)
            }
            said = self.said.recv() => match said {
                Ok(notice) => Some(notice),
                Err(RecvError::Lagged(count)) => now(Event::Missed { count }),
                Err(RecvError::Closed) => None,
            },
        }
    }
}
