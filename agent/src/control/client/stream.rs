//! Reading a stream of server-sent events.

use futures_util::Stream;
use reqwest::Response;

use super::{ControlError, Notice, Result};

/// An event is far smaller.
const LONGEST: usize = 1 << 20;

struct Reader {
    answer: Response,
    /// What came and was not read yet.
    bytes: Vec<u8>,
}

/// The events of an answer; ends when the agent does, or with the first error.
pub(super) fn notices(answer: Response) -> impl Stream<Item = Result<Notice>> {
    let reader = Some(Reader { answer, bytes: Vec::new() });
    futures_util::stream::unfold(reader, |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(notice) => notice.map(|notice| (Ok(notice), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

impl Reader {
    async fn next(&mut self) -> Result<Option<Notice>> {
        loop {
            while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                let rest = self.bytes.split_off(end + 1);
                let line = std::mem::replace(&mut self.bytes, rest);
                // The kind of the event stands in its data as well; lines of other kinds keep the connection alive.
                if let Some(data) = line.strip_prefix(b"data:") {
                    return serde_json::from_slice(data).map(Some).map_err(ControlError::Answer);
                }
            }
            if self.bytes.len() > LONGEST {
                return Err(ControlError::AnswerTooLarge);
            }
            match self.answer.chunk().await.map_err(ControlError::Broken)? {
                Some(piece) => self.bytes.extend_from_slice(&piece),
                None => return Ok(None),
            }
        }
    }
}
