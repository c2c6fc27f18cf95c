//! Hostile converters in the sandbox, judged from outside.
//!
//! Each attack is a program in `tests/hostile/`. It is run in a yard of its own (`yard`), which holds what it is after,
//! and what it did is looked for where it would do harm (`look`): nothing that the program says about its success counts,
//! but what it says of the secret itself.

mod attacks;
mod look;
mod running;
mod yard;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::watch;
use wats_agent::sandbox::{self, Boxed, Layer, Profile};

pub use attacks::{ATTACKS, Attack};
pub use look::Seen;
pub use running::Loose;
pub use yard::{Arsenal, Yard};

/// No attack needs longer where it succeeds.
const LONGEST: Duration = Duration::from_secs(15);
/// So soon everything of a box must be gone.
const GONE: Duration = Duration::from_secs(3);
/// More is not read of one program: the agent's reader has a cap, too.
const MOST_OUTPUT: usize = 8 << 20;

impl Arsenal {
    /// Runs an attack without these layers; answers what was seen of it.
    ///
    /// # Errors
    /// When no box could be built at all.
    pub async fn run(&self, attack: &Attack, without: &BTreeSet<Layer>) -> anyhow::Result<Seen> {
        let yard = Yard::new(self)?;
        let mut profile = yard.profile(attack);
        attack.limit(&mut profile.limits);
        profile.without.clone_from(without);
        let (program, arguments) = self.command(attack);
        let started = sandbox::start_with(&self.helper, &profile, &program, &arguments).await;
        let mut boxed = started.with_context(|| format!("{} without {without:?}", attack.file))?;
        let mut seen = watch_it(&mut boxed, &profile, &yard).await?;
        drop(boxed);
        seen.lives_on = !yard.is_empty_within(GONE).await;
        yard.look_around(&mut seen);
        Ok(seen)
    }
}

/// Lets a program do its worst: until it says that it holds what it has, ends, or takes too long.
async fn watch_it(boxed: &mut Boxed, profile: &Profile, yard: &Yard) -> anyhow::Result<Seen> {
    let _input = boxed.child.stdin.take();
    let mut output = read_capped(boxed.child.stdout.take().context("no output")?);
    let mut errors = read_capped(boxed.child.stderr.take().context("no errors")?);
    let started = Instant::now();
    let mut is_over = false;
    while !is_over && started.elapsed() < LONGEST {
        let tick = Duration::from_millis(50);
        tokio::select! {
            _ = boxed.child.wait() => is_over = true,
            changed = output.changed() => {
                is_over = is_done(&mut output);
                if changed.is_err() {
                    // Its end is near.
                    is_over = is_over || tokio::time::timeout(tick, boxed.child.wait()).await.is_ok();
                }
            }
            () = tokio::time::sleep(tick) => {
                is_over = boxed.cpu_used().is_some_and(|used| used > profile.limits.cpu * 4 / 3);
            }
        }
    }
    let mut seen = Seen { cpu: boxed.cpu_used().unwrap_or_default(), ..Seen::default() };
    // What was written at the very end.
    tokio::time::timeout(Duration::from_millis(20), output.wait_for(|it| it.len() >= MOST_OUTPUT)).await.ok();
    seen.output.clone_from(&output.borrow());
    seen.errors = String::from_utf8_lossy(&errors.borrow_and_update()).into_owned();
    yard.look_at_processes(boxed, &mut seen);
    Ok(seen)
}

/// It says that it holds what it has, or has said too much.
fn is_done(output: &mut watch::Receiver<Vec<u8>>) -> bool {
    let text = output.borrow_and_update();
    holds(&text, "holding\n") || text.len() >= MOST_OUTPUT
}

/// What comes out of a pipe, up to the cap; then it is closed.
fn read_capped(mut from: impl AsyncRead + Unpin + Send + 'static) -> watch::Receiver<Vec<u8>> {
    let (sender, text) = watch::channel(Vec::new());
    tokio::spawn(async move {
        let mut chunk = vec![0; 65536];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            sender.send_modify(|text| text.extend_from_slice(chunk.get(..count).unwrap_or_default()));
            if sender.borrow().len() >= MOST_OUTPUT {
                break;
            }
        }
        // Until nobody wants to know any more: the other side must not notice an end that is none.
        sender.closed().await;
    });
    text
}

/// True when both hold the same bytes somewhere.
pub(crate) fn holds(text: &[u8], wanted: &str) -> bool {
    text.windows(wanted.len()).any(|it| it == wanted.as_bytes())
}

/// The folder with the attacks.
pub(crate) fn sources() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile")
}
