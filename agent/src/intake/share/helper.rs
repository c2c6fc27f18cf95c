//! The helper of a network mount: a process that may wait for a dead server, because it can be killed.
//!
//! Does one thing after the other as the agent asks, and ends when the agent does.

use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use super::super::names::Names;
use super::super::{away, disk};
use super::protocol::{self, Reply, Request, WirePath, Wish};
use crate::convert::frame;
use crate::files::{self, Folders};
use crate::system;

/// A part of a listing has at most so many files.
const PART: usize = 500;
/// And is sent at the latest after this time, so that a slow server is not taken for a dead one.
const PART_TIME: Duration = Duration::from_millis(500);

/// Answers requests until standard input ends.
///
/// # Errors
/// When the agent is gone.
pub fn run() -> io::Result<()> {
    system::end_with_the_agent()?;
    files::look_after_a_share();
    let (mut requests, mut answers) = (io::stdin().lock(), BufWriter::new(io::stdout().lock()));
    loop {
        let request = match frame::read(&mut requests) {
            Ok(request) => request,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let request: Request = serde_json::from_slice(&request)?;
        let mut send = |bytes: &[u8]| {
            frame::write(&mut answers, bytes)?;
            answers.flush()
        };
        let reply = answer(request, &mut send).unwrap_or_else(|error| Reply::failed(&error));
        send(&protocol::reply(&reply)?)?;
    }
}

fn answer(request: Request, send: &mut impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<Reply> {
    let Request { folder, rules, wish } = request;
    let names = Names::new(rules).map_err(io::Error::other)?;
    match wish {
        Wish::Prepare => disk::prepare(&folder).map(|()| Reply::Prepared),
        Wish::List => {
            let (mut part, mut since) = (Vec::new(), Instant::now());
            let others = disk::list(&folder, &names, |path, stamp, changed_ns| {
                part.push((WirePath(path), stamp, changed_ns));
                if part.len() >= PART || since.elapsed() >= PART_TIME {
                    send(&protocol::reply(&Reply::Files(std::mem::take(&mut part)))?)?;
                    since = Instant::now();
                }
                Ok(())
            })?;
            send(&protocol::reply(&Reply::Files(part))?)?;
            Ok(Reply::Listed(others))
        }
        Wish::Look { paths } => {
            let look = |WirePath(path)| disk::look(&folder, &names, &path).map(Into::into);
            Ok(Reply::Looked(paths.into_iter().map(look).collect()))
        }
        Wish::Read { path: WirePath(path), stamp, limit } => {
            disk::read(&folder, &names, &path, stamp, limit, |number, bytes| {
                send(&protocol::piece(number, bytes))
            })
            .map(Reply::Read)
        }
        Wish::PutAway(order) => {
            let mut folders = Folders::default();
            let kept_at = away::put_away(&folder, &names, order, &mut folders)?;
            folders.sync()?;
            Ok(Reply::PutAway(kept_at.map(WirePath)))
        }
    }
}
