//! How pool and worker talk: each message is its length (four bytes, little-endian) and then its bytes.

use std::io::{self, Read, Write};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest message, in either direction.
pub(crate) const LIMIT: usize = 1 << 30;

/// What is read and written at once.
pub(crate) const AT_ONCE: usize = 256 << 10;

pub(crate) fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = checked(length, LIMIT)?;
    // Grows with what really comes: a wrong length must not take a gigabyte.
    let mut bytes = Vec::with_capacity(length.min(AT_ONCE));
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

pub(crate) fn write(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length(bytes)?)?;
    to.write_all(bytes)
}

/// One long message that goes out in pieces while it is written; an empty one ends it.
#[derive(Debug)]
pub(crate) struct Pieces<W> {
    to: W,
    piece: Vec<u8>,
}

impl<W: Write> Pieces<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, piece: Vec::new() }
    }

    pub(crate) fn end(mut self) -> io::Result<()> {
        self.send()?;
        write(&mut self.to, &[])
    }

    fn send(&mut self) -> io::Result<()> {
        if !self.piece.is_empty() {
            write(&mut self.to, &self.piece)?;
            self.piece.clear();
        }
        Ok(())
    }
}

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    // JSON is written in very many small pieces, of which the compiler knows the length of most.
    #[inline]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() < AT_ONCE { Ok(()) } else { self.send() }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) async fn receive(from: &mut (impl AsyncRead + Unpin), limit: usize) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let length = checked(length, limit)?;
    // With room to find the end without growing.
    let mut bytes = Vec::with_capacity(length.min(AT_ONCE) + 32);
    from.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

pub(crate) async fn send(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(&length(bytes)?).await?;
    to.write_all(bytes).await
}

fn length(bytes: &[u8]) -> io::Result<[u8; 4]> {
    match u32::try_from(bytes.len()) {
        Ok(length) if bytes.len() <= LIMIT => Ok(length.to_le_bytes()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long")),
    }
}

fn checked(length: [u8; 4], limit: usize) -> io::Result<usize> {
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
    }
    Ok(length)
}
