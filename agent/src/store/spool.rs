//! The reports of one file on their way into the database: in memory, or, where they are very many, in a file without a
//! name. A lot of a hundred thousand parts takes no more memory than one of ten thousand.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::body::Body;
use super::reports::NewReport;
use crate::convert::frame;

/// The reports that one file gave, in their order.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// The earlier ones.
    spooled: Option<Arc<Mutex<File>>>,
    /// Their length in the spool, batch by batch.
    batches: Vec<u64>,
    last: Vec<NewReport>,
    count: usize,
    bytes: usize,
    bytes_in_memory: usize,
}

impl Reports {
    pub fn push(&mut self, report: NewReport) {
        self.count += 1;
        self.bytes += report.body.bytes();
        self.bytes_in_memory += report.body.bytes();
        self.last.push(report);
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Of all bodies, as they go into the database.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Of the bodies that are in memory.
    pub(crate) fn bytes_in_memory(&self) -> usize {
        self.bytes_in_memory
    }

    /// Moves those that are in memory into a file of the folder, which is gone when nobody needs it any more.
    ///
    /// # Errors
    /// When they cannot be written; the reports can then only be dropped.
    pub(crate) fn spool(&mut self, folder: &Path) -> io::Result<()> {
        let file = match &self.spooled {
            Some(file) => file.clone(),
            None => Arc::new(Mutex::new(tempfile::tempfile_in(folder)?)),
        };
        let mut locked = file.lock().unwrap_or_else(PoisonError::into_inner);
        let start = locked.seek(SeekFrom::End(0))?;
        let mut to = BufWriter::new(&mut *locked);
        for report in self.last.drain(..) {
            let (head, body) = report.split();
            frame::write(&mut to, &serde_json::to_vec(&(head, body.sha256()))?)?;
            frame::write(&mut to, body.packed())?;
        }
        to.flush()?;
        self.batches.push(to.stream_position()? - start);
        drop(to);
        drop(locked);
        self.spooled = Some(file);
        self.bytes_in_memory = 0;
        Ok(())
    }

    /// How many batches come before those that are in memory.
    pub(super) fn batches(&self) -> usize {
        self.batches.len()
    }

    /// One of the batches, which is empty where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn batch(&self, number: usize) -> io::Result<Vec<NewReport>> {
        let (Some(file), Some(length)) = (self.spooled.clone(), self.batches.get(number).copied()) else {
            return Ok(Vec::new());
        };
        let start = self.batches.iter().take(number).sum();
        let read = tokio::task::spawn_blocking(move || {
            read(&mut file.lock().unwrap_or_else(PoisonError::into_inner), start, length)
        });
        read.await.map_err(io::Error::other)?
    }

    /// Those that are in memory, the last ones.
    pub(super) fn last(&self) -> &[NewReport] {
        &self.last
    }

    /// All of them, in memory.
    ///
    /// # Errors
    /// When those that are not cannot be read.
    pub async fn all(mut self) -> io::Result<Vec<NewReport>> {
        let mut all = Vec::with_capacity(self.count);
        for number in 0..self.batches() {
            all.append(&mut self.batch(number).await?);
        }
        all.append(&mut self.last);
        Ok(all)
    }
}

impl From<Vec<NewReport>> for Reports {
    fn from(reports: Vec<NewReport>) -> Self {
        let mut all = Self::default();
        reports.into_iter().for_each(|report| all.push(report));
        all
    }
}

fn read(file: &mut File, start: u64, length: u64) -> io::Result<Vec<NewReport>> {
    file.seek(SeekFrom::Start(start))?;
    let (mut from, mut reports) = (BufReader::new(file.take(length)), Vec::new());
    while !from.fill_buf()?.is_empty() {
        let (head, sha256): (NewReport<()>, String) = serde_json::from_slice(&frame::read(&mut from)?)?;
        reports.push(head.with(Body::stored(frame::read(&mut from)?, sha256)));
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::*;

    #[tokio::test]
    async fn what_was_spooled_comes_back_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let made = |id: u128| report(id, &"[1,2]".repeat(usize::try_from(id).unwrap()));
        let mut reports = Reports::from((1..=3).map(made).collect::<Vec<_>>());
        let bytes = reports.bytes();
        assert_eq!(reports.bytes_in_memory(), bytes);
        reports.spool(folder.path()).unwrap();
        assert_eq!((reports.bytes_in_memory(), reports.bytes(), reports.len()), (0, bytes, 3));
        (4..=5).for_each(|id| reports.push(made(id)));
        reports.spool(folder.path()).unwrap();
        reports.push(made(6));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it has a name");

        let again = reports.clone();
        for reports in [reports, again] {
            assert_eq!((reports.batches(), reports.last()), (2, &[made(6)][..]));
            // In any order, and more than once.
            assert_eq!(reports.batch(1).await.unwrap(), [made(4), made(5)]);
            assert_eq!(reports.batch(0).await.unwrap(), [made(1), made(2), made(3)]);
            assert_eq!(reports.all().await.unwrap(), (1..=6).map(made).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let mut reports = Reports::from(vec![report(1, "{}")]);
        assert!(reports.spool(Path::new("/nowhere/at/all")).is_err());
    }
}
