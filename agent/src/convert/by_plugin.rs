//! Files that plug-ins convert: by the plug-in first, and what it made of them then by a worker of ours.
//!
//! A plug-in's reports are hostile input like any other. They are read where our converters run, not in the agent.

use tokio::sync::mpsc;

use super::job::{Answer, Job};
use super::pool::{ConvertFailure, Order, Pool};
use crate::control::api::{LogLevel, LogLine};
use crate::files::sha256;
use crate::plugins::{self, Made, Plugins, Room, Stop, Verdict};

/// The converter that recognises formats.
const AUTO: &str = "auto";
/// How sure a format must be of a file, where the source says nothing, in per cent.
const SURE: f64 = 50.0;
/// What plug-ins made of so many files, or of fewer that are larger, is handed on.
const TOGETHER: usize = 8;
const TOGETHER_BYTES: usize = 2 << 20;

impl Pool {
    /// Converts files, each by whom its job names.
    pub(super) async fn by_all(&self, files: &mut [Order]) -> Vec<Result<Answer, ConvertFailure>> {
        let Some(plugins) = &self.plugins else { return self.by_ours(files).await };
        if files.first().is_some_and(|it| plugins::name_of(&it.job.converter).is_some()) {
            let orders = files.iter_mut().map(|file| handed_over(file.job.clone(), file)).collect();
            return self.by_plugins(plugins, orders).await;
        }
        let mut answers = self.by_ours(files).await;
        let outdone: Vec<usize> =
            (0..answers.len()).filter(|at| matches!(answers.get(*at), Some(Ok(Answer::Outdone)))).collect();
        if outdone.is_empty() {
            return answers;
        }
        let mut orders = Vec::with_capacity(outdone.len());
        for at in &outdone {
            orders.extend(files.get_mut(*at).map(|file| handed_over(for_rival(&file.job), file)));
        }
        for (at, answer) in outdone.into_iter().zip(self.by_plugins(plugins, orders).await) {
            if let Some(place) = answers.get_mut(at) {
                *place = answer;
            }
        }
        answers
    }

    /// Of files whose format is to be recognised: asks the plug-ins how sure they are.
    pub async fn ask_plugins(&self, files: &mut [Order]) {
        let Some(plugins) = &self.plugins else { return };
        let unknown: Vec<&mut Order> = files.iter_mut().filter(|it| it.job.converter == AUTO).collect();
        if unknown.is_empty() || !plugins.has_any() {
            return;
        }
        let mut asked = Vec::with_capacity(unknown.len());
        let mut places = Vec::with_capacity(unknown.len());
        for Order { job, bytes, .. } in unknown {
            asked.push((job.clone(), std::mem::take(bytes)));
            places.push((job, bytes));
        }
        let plugins = plugins.clone();
        let answers = plugins::apart(move |stop| {
            let answer = |(job, bytes): (Job, Vec<u8>)| (plugins.surest(&job, &bytes, stop), bytes);
            asked.into_iter().map(answer).collect::<Vec<_>>()
        });
        for ((job, place), (rival, bytes)) in places.into_iter().zip(answers.await) {
            let least =
                job.arguments.get("minConfidence").and_then(|it| it.trim().parse().ok()).unwrap_or(SURE);
            job.rival = rival.filter(|it| it.confidence * 100.0 + 0.01 >= least);
            *place = bytes;
        }
    }

    /// Runs a scheduled converter.
    ///
    /// # Errors
    /// When it cannot run now.
    pub(crate) async fn run_scheduled(&self, job: &Job) -> Result<(Box<Verdict>, String), ConvertFailure> {
        let nothing = || ConvertFailure::NoWorker(std::io::Error::other("there are no plug-ins here"));
        let plugins = self.plugins.clone().ok_or_else(nothing)?;
        let asked = job.clone();
        let raw = plugins::apart(move |stop| plugins.convert(&asked, &[], &[], stop)).await?;
        // What it made is its content: the same again adds nothing.
        let hash = sha256(&raw.reports);
        let job = Job { sha256: hash.clone(), ..job.clone() };
        let order = Order { job, bytes: raw.reports, companions: Vec::new() };
        let read = if order.bytes.is_empty() { None } else { self.by_ours(&mut [order]).await.pop() };
        Ok((Box::new(with_reports(raw.verdict, read)?), hash))
    }

    async fn by_plugins(&self, plugins: &Plugins, files: Vec<Order>) -> Vec<Result<Answer, ConvertFailure>> {
        let mut answers = Vec::with_capacity(files.len());
        let (to, mut from) = mpsc::channel(1);
        let plugins = plugins.clone();
        let asking = plugins::apart(move |stop| ask(&plugins, files, &to, stop));
        // Our worker reads what was made of some while the plug-in works on the next.
        let reading = async {
            while let Some(asked) = from.recv().await {
                answers.extend(self.read_reports(asked).await);
            }
        };
        tokio::join!(asking, reading);
        answers
    }

    /// Has a worker of ours read what plug-ins made.
    async fn read_reports(&self, asked: Asked) -> Vec<Result<Answer, ConvertFailure>> {
        let Asked { verdicts, mut orders, bytes: _, room: _room } = asked;
        let mut read = self.by_ours(&mut orders).await.into_iter();
        let verdicts = verdicts.into_iter();
        verdicts
            .map(|verdict| {
                let (verdict, has_reports) = verdict?;
                let answer = if has_reports { read.next() } else { None };
                Ok(Answer::Plugin(Box::new(with_reports(verdict, answer)?)))
            })
            .collect()
    }
}

/// The plug-in gets the content, which nobody needs afterwards.
fn handed_over(job: Job, file: &mut Order) -> Order {
    let Order { bytes, companions, .. } = file;
    Order { job, bytes: std::mem::take(bytes), companions: std::mem::take(companions) }
}

/// What plug-ins said of some files, and their reports as they wrote them.
#[derive(Default)]
struct Asked {
    /// Each with whether it has reports.
    verdicts: Vec<Result<(Verdict, bool), ConvertFailure>>,
    orders: Vec<Order>,
    bytes: usize,
    room: Option<Room>,
}

/// Asks plug-ins for one file after the other, and hands on what they made of some; until nobody takes that.
fn ask(plugins: &Plugins, files: Vec<Order>, to: &mpsc::Sender<Asked>, stop: &Stop) {
    let (mut asked, mut left) = (Asked::default(), files.len());
    for Order { job, bytes, companions } in files {
        left -= 1;
        let raw = plugins.convert(&job, &bytes, &companions, stop);
        drop((bytes, companions));
        let verdict = raw.map(|raw| {
            let has_reports = !raw.reports.is_empty();
            if has_reports {
                asked.bytes += raw.reports.len();
                asked.orders.push(Order { job, bytes: raw.reports, companions: Vec::new() });
            }
            asked.room = raw.room.filter(|_| has_reports);
            (raw.verdict, has_reports)
        });
        asked.verdicts.push(verdict);
        // Fewer towards the end, when nothing is left to be done while they are read, and after the last in any case;
        // and whoever holds the room hands it on before asking for it again.
        let enough = asked.verdicts.len() >= TOGETHER.min(left) || asked.bytes >= TOGETHER_BYTES;
        if (enough || asked.room.is_some()) && to.blocking_send(std::mem::take(&mut asked)).is_err() {
            return;
        }
    }
}

/// The job of a file that is the rival's.
fn for_rival(job: &Job) -> Job {
    let converter = job.rival.as_ref().map_or_else(String::new, |it| it.converter.clone());
    Job { converter, arguments: Default::default(), rival: None, ..job.clone() }
}

/// Puts what a worker read of a plug-in's reports into its verdict.
fn with_reports(
    mut verdict: Verdict,
    read: Option<Result<Answer, ConvertFailure>>,
) -> Result<Verdict, ConvertFailure> {
    match read {
        None => {}
        Some(Ok(Answer::Reports { reports, warnings })) => {
            let line = |text| LogLine { level: LogLevel::Warning, text };
            verdict.note.log.extend(warnings.into_iter().map(line));
            verdict.made = Made::Reports(reports);
        }
        Some(Ok(Answer::Refused { words, .. })) => {
            verdict.made = Made::Failed(format!("what the plug-in made of the file cannot be used: {words}"));
        }
        Some(Ok(Answer::Outdone | Answer::Plugin(_))) => {
            verdict.made = Made::Failed("what the plug-in made of the file was not read".to_owned());
        }
        Some(Err(failure @ (ConvertFailure::NoWorker(_) | ConvertFailure::NoRoom(_)))) => {
            return Err(failure);
        }
        Some(Err(failure)) => {
            verdict.made =
                Made::Failed(format!("what the plug-in made of the file cannot be used: {failure}"));
        }
    }
    Ok(verdict)
}
