//! What the agent and the helper of a network mount say to each other: frames as those of the workers.
//!
//! A request is one frame. The answer is any number of frames and ends with one that [`Reply::is_last`]. The first
//! byte of a frame of an answer says what it is: JSON, or a piece of a file.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::super::away::Away;
use super::super::disk::{End, Look, Others, Seen};
use super::super::names::NameRules;
use super::super::wire;
use crate::files::Stamp;

/// What is asked of a helper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    #[serde(with = "wire::path")]
    pub(super) folder: PathBuf,
    pub(super) rules: NameRules,
    pub(super) wish: Wish,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Wish {
    /// Make the folder if it is not there.
    Prepare,
    List,
    Look {
        paths: Vec<WirePath>,
    },
    Read {
        path: WirePath,
        stamp: Stamp,
        limit: u64,
    },
    PutAway(Away),
}

/// A path whose bytes survive JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WirePath(#[serde(with = "wire::path")] pub(super) PathBuf);

/// What a helper answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    Prepared,
    /// Some of the files of a folder.
    Files(Vec<(WirePath, Stamp, i64)>),
    Listed(Others),
    /// In the order of the paths.
    Looked(Vec<Option<WireSeen>>),
    /// The file was read, or not; its pieces came before.
    Read(End),
    PutAway(Option<WirePath>),
    Failed {
        /// As the system numbers errors.
        code: Option<i32>,
        words: String,
    },
}

impl Reply {
    pub(super) fn is_last(&self) -> bool {
        !matches!(self, Self::Files(_))
    }

    pub(super) fn failed(error: &io::Error) -> Self {
        Self::Failed { code: error.raw_os_error(), words: error.to_string() }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireSeen {
    head: WirePath,
    stamp: Stamp,
    changed_ns: i64,
    companions: Vec<WirePath>,
    look: Look,
}

impl From<Seen> for WireSeen {
    fn from(seen: Seen) -> Self {
        let companions = seen.companions.into_iter().map(WirePath).collect();
        let Seen { head, stamp, changed_ns, look, .. } = seen;
        Self { head: WirePath(head), stamp, changed_ns, companions, look }
    }
}

impl From<WireSeen> for Seen {
    fn from(seen: WireSeen) -> Self {
        let companions = seen.companions.into_iter().map(|it| it.0).collect();
        let WireSeen { head, stamp, changed_ns, look, .. } = seen;
        Self { head: head.0, stamp, changed_ns, companions, look }
    }
}

/// A frame of an answer.
#[derive(Debug)]
pub(super) enum Frame {
    Reply(Reply),
    /// A piece of the file of this number.
    Piece(usize, Vec<u8>),
}

const JSON: u8 = b'j';
const PIECE: u8 = b'p';

pub(super) fn reply(reply: &Reply) -> io::Result<Vec<u8>> {
    let mut bytes = vec![JSON];
    serde_json::to_writer(&mut bytes, reply)?;
    Ok(bytes)
}

pub(super) fn piece(number: usize, piece: &[u8]) -> Vec<u8> {
    let number = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    [&[PIECE], &number[..], piece].concat()
}

pub(super) fn frame(mut bytes: Vec<u8>) -> io::Result<Frame> {
    let wrong = || {
        io::Error::new(io::ErrorKind::InvalidData, "the helper answered in a way that cannot be understood")
    };
    match bytes.split_first() {
        Some((&JSON, json)) => serde_json::from_slice(json).map(Frame::Reply).map_err(|_| wrong()),
        Some((&PIECE, rest)) => {
            let number = rest.first_chunk::<4>().ok_or_else(wrong)?;
            let number = usize::try_from(u32::from_le_bytes(*number)).map_err(|_| wrong())?;
            bytes.drain(..5);
            Ok(Frame::Piece(number, bytes))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn names_that_are_no_text_and_pieces_come_through_whole() {
        let path = PathBuf::from(OsString::from_vec(b"/in/caf\xe9\n".to_vec()));
        let stamp = Stamp { device: 1, inode: u64::MAX, size: 3, modified_ns: -1 };
        let sent = Reply::Files(vec![(WirePath(path.clone()), stamp, 7)]);
        assert!(!sent.is_last() && Reply::Prepared.is_last());
        let Frame::Reply(Reply::Files(files)) = frame(reply(&sent).unwrap()).unwrap() else { panic!() };
        assert_eq!((files[0].0.0.clone(), files[0].1, files[0].2), (path, stamp, 7));
        let Frame::Piece(3, bytes) = frame(piece(3, b"abc")).unwrap() else { panic!() };
        assert_eq!(bytes, b"abc");
        for wrong in [&b""[..], b"p\0\0", b"x", b"j{"] {
            assert!(frame(wrong.to_vec()).is_err());
        }
    }
}
