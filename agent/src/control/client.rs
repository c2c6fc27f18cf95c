//! Typed client of the control API, for the console and the command line.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::header::{AUTHORIZATION, RETRY_AFTER};
use reqwest::{Body, Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::api::{
    Changed, ConfigChange, ConfigVersion, ConfigVersionInfo, ConfigWish, Configuration, ConnectionTest,
    ConverterInfo, EnablePlugin, FileDetail, FileQuery, FileRecord, Notice, Paused, PluginCheck,
    PluginFindings, PluginInfo, PluginTrial, PluginTry, Problem, RegisterWish, Registration, ReplayPart,
    ReplayRequest, ReportDetail, ReportQuery, ReportRecord, RollBack, SandboxStatus, ServerChange,
    ServerSettings, SourceSettings, SourceStatus, Station, Status, StoredFile,
};
use super::door;
use super::token::Token;
use crate::store::Rescue;

mod stream;

/// Longer than the longest thing that the agent does in one request, the connection test.
const PATIENCE: Duration = Duration::from_secs(45);

/// Answers beyond this are not from an agent of ours, or would choke the page that shows them.
const ANSWER_LIMIT: usize = 512 * 1024 * 1024;

/// Why a request to the agent did not succeed, in words that can be shown.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens: the agent is stopped, starting, or another instance is meant.
    #[error("the agent does not run: nobody answers on {}", socket.display())]
    Unreachable { socket: PathBuf, source: reqwest::Error },
    /// The socket is there, but not for this user.
    #[error("this user may not talk to the agent on {}", socket.display())]
    Denied { socket: PathBuf, source: reqwest::Error },
    /// The agent said no; its words say why.
    #[error("{}", problem.message)]
    Refused { status: u16, problem: Problem },
    #[error("the agent did not answer in time")]
    TimedOut(#[source] reqwest::Error),
    /// The connection broke in the middle: whether the request took effect is not known.
    #[error("the connection to the agent broke off")]
    Broken(#[source] reqwest::Error),
    #[error("the agent's answer could not be understood; are console and agent of the same version?")]
    Answer(#[source] serde_json::Error),
    #[error("the agent's answer is too large")]
    AnswerTooLarge,
    /// The content that was to be uploaded could not be read to its end; nothing was stored.
    #[error("the file could not be read while it was being uploaded")]
    Upload(#[source] Box<dyn Error + Send + Sync>),
    #[error("the client of the agent could not be set up")]
    Setup(#[source] reqwest::Error),
}

impl ControlError {
    /// The member of the request that is wrong, where the agent named one.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Refused { problem, .. } => problem.field.as_deref(),
            _ => None,
        }
    }

    /// True when what was asked for does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

type Result<T> = std::result::Result<T, ControlError>;

/// One agent instance, reached through its socket. Cheap to clone; connects when asked something.
#[derive(Debug, Clone)]
pub struct ControlClient {
    http: Client,
    socket: PathBuf,
}

impl ControlClient {
    /// Speaks to the agent behind `socket`, usually `/run/wats-agent/default.sock`.
    ///
    /// # Errors
    ///
    /// Only when the HTTP client cannot be built; a missing socket shows at the first request.
    pub fn new(socket: impl Into<PathBuf>) -> Result<Self> {
        let socket = socket.into();
        let http = door::reach(Client::builder(), &socket)
            .no_proxy() // the environment's is for the server, not for this socket
            .tls_certs_only([]) // no TLS here: do not read the system's roots for nothing
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(ControlError::Setup)?;
        Ok(Self { http, socket })
    }

    /// The socket that this client connects to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    pub async fn status(&self) -> Result<Status> {
        self.get(&["status"]).await
    }

    pub async fn converters(&self) -> Result<Vec<ConverterInfo>> {
        self.get(&["converters"]).await
    }

    /// What lies in the plug-in folder.
    pub async fn plugins(&self) -> Result<Vec<PluginInfo>> {
        self.get(&["plugins"]).await
    }

    pub async fn plugin(&self, file: &str) -> Result<PluginInfo> {
        self.get(&["plugins", file]).await
    }

    /// Puts a plug-in into the plug-in folder, over one of the same name: a file, or an archive whose name ends in `.zip`.
    pub async fn upload_plugin(&self, file: &str, content: Vec<u8>) -> Result<PluginInfo> {
        json(self.send(self.request(Method::PUT, &["plugins", file]).body(content)).await?).await
    }

    /// The source of a plug-in, or of one of its files.
    pub async fn plugin_source(&self, file: &str, of: Option<&str>) -> Result<String> {
        let url = self.url_with(&["plugins", file, "source"], |pairs| pairs.add("file", of));
        let answer = self.send(self.http.get(url)).await?;
        answer.text().await.map_err(ControlError::Broken)
    }

    pub async fn plugin_findings(&self, file: &str) -> Result<PluginFindings> {
        self.get(&["plugins", file, "findings"]).await
    }

    /// Asks a plug-in what it is, and what is wrong with it; may take a minute.
    pub async fn check_plugin(&self, file: &str) -> Result<PluginCheck> {
        json(self.send_without_limit(self.request(Method::POST, &["plugins", file, "check"])).await?).await
    }

    /// Converts a sample; nothing of it is kept. May take as long as the plug-in does.
    pub async fn try_plugin(&self, file: &str, wish: &PluginTry, sample: Vec<u8>) -> Result<PluginTrial> {
        let url = self.url_with(&["plugins", file, "try"], |pairs| {
            pairs.add("file_name", Some(&wish.file_name));
            pairs.add("converter", wish.converter.as_ref());
            pairs.add("arguments", wish.arguments.as_ref());
        });
        json(self.send_without_limit(self.http.post(url).body(sample)).await?).await
    }

    /// Lets sources use a plug-in, with exactly the content of that hash.
    pub async fn enable_plugin(&self, file: &str, wish: &EnablePlugin) -> Result<PluginInfo> {
        let request = self.request(Method::POST, &["plugins", file, "enable"]).json(wish);
        json(self.send_without_limit(request).await?).await
    }

    pub async fn disable_plugin(&self, file: &str) -> Result<()> {
        self.send(self.request(Method::POST, &["plugins", file, "disable"])).await.map(drop)
    }

    /// Removes a plug-in that no source uses.
    pub async fn delete_plugin(&self, file: &str) -> Result<()> {
        self.send(self.request(Method::DELETE, &["plugins", file])).await.map(drop)
    }

    pub async fn sources(&self) -> Result<Vec<SourceStatus>> {
        self.get(&["sources"]).await
    }

    pub async fn source(&self, name: &str) -> Result<SourceStatus> {
        self.get(&["sources", name]).await
    }

    pub async fn add_source(&self, settings: &SourceSettings) -> Result<SourceStatus> {
        json(self.send(self.request(Method::POST, &["sources"]).json(settings)).await?).await
    }

    pub async fn change_source(&self, name: &str, settings: &SourceSettings) -> Result<SourceStatus> {
        json(self.send(self.request(Method::PUT, &["sources", name]).json(settings)).await?).await
    }

    /// Stops watching the folder; its files stay where they are.
    pub async fn remove_source(&self, name: &str) -> Result<()> {
        self.send(self.request(Method::DELETE, &["sources", name])).await.map(drop)
    }

    pub async fn pause_source(&self, name: &str) -> Result<SourceStatus> {
        json(self.send(self.request(Method::POST, &["sources", name, "pause"])).await?).await
    }

    pub async fn resume_source(&self, name: &str) -> Result<SourceStatus> {
        json(self.send(self.request(Method::POST, &["sources", name, "resume"])).await?).await
    }

    /// Puts one file into the folder of a source; returns once the agent has it on disk.
    ///
    /// The content is passed on as it comes, so memory does not grow with the file. When the stream ends
    /// with an error nothing is stored and that error comes back in [`ControlError::Upload`].
    pub async fn upload<S, E>(&self, source: &str, file_name: &str, content: S) -> Result<StoredFile>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        // The request wants a body that owns everything; the caller's stream often borrows (a form's
        // field does). A small channel joins the two.
        let (pieces, body) = mpsc::channel::<std::io::Result<Bytes>>(4);
        let body = futures_util::stream::unfold(body, |mut body| async move {
            body.recv().await.map(|piece| (piece, body))
        });
        let request =
            self.http.put(self.url(&["sources", source, "files", file_name])).body(Body::wrap_stream(body));
        let pump = async move {
            let mut content = std::pin::pin!(content);
            while let Some(piece) = content.next().await {
                match piece {
                    Ok(bytes) if bytes.is_empty() => {}
                    Ok(bytes) => {
                        if pieces.send(Ok(bytes)).await.is_err() {
                            break; // the request is over: it knows why
                        }
                    }
                    Err(error) => {
                        // Breaks the request off without its proper end, so that the agent drops the part.
                        let broken = std::io::Error::other("the source of the upload failed");
                        if pieces.send(Err(broken)).await.is_err() {
                            tracing::debug!("an upload failed on both ends at once");
                        }
                        return Some(error.into());
                    }
                }
            }
            None
        };
        let (failed, answer) = tokio::join!(pump, self.send_without_limit(request));
        match failed {
            Some(error) => Err(ControlError::Upload(error)),
            None => json(answer?).await,
        }
    }

    pub async fn files(&self, query: &FileQuery) -> Result<Vec<FileRecord>> {
        let url = self.url_with(&["files"], |pairs| {
            pairs.add("state", query.state.map(|state| state.as_str()));
            pairs.add("source", query.source.as_ref());
            pairs.add("sha256", query.sha256.as_ref());
            pairs.add("limit", query.limit);
            pairs.add("before", query.before);
        });
        json(self.send(self.http.get(url)).await?).await
    }

    pub async fn file(&self, id: i64) -> Result<FileDetail> {
        self.get(&["files", &id.to_string()]).await
    }

    /// Converts a failed file again.
    pub async fn retry_file(&self, id: i64) -> Result<()> {
        self.send(self.request(Method::POST, &["files", &id.to_string(), "retry"])).await.map(drop)
    }

    /// Converts again the failed files that fit the query. There may be more: see [`Changed::more`].
    pub async fn retry_files(&self, query: &FileQuery) -> Result<Changed> {
        json(self.send(self.request(Method::POST, &["files", "retry"]).json(query)).await?).await
    }

    pub async fn reports(&self, query: &ReportQuery) -> Result<Vec<ReportRecord>> {
        let url = self.url_with(&["reports"], |pairs| {
            pairs.add("state", query.state.map(|state| state.as_str()));
            pairs.add("source", query.source.as_ref());
            pairs.add("serial_number", query.serial_number.as_ref());
            pairs.add("part_number", query.part_number.as_ref());
            pairs.add("from", query.from);
            pairs.add("to", query.to);
            pairs.add("limit", query.limit);
            pairs.add("before", query.before);
        });
        json(self.send(self.http.get(url)).await?).await
    }

    /// Sends again the refused reports that fit the query.
    pub async fn retry_reports(&self, query: &ReportQuery) -> Result<Changed> {
        json(self.send(self.request(Method::POST, &["reports", "retry"]).json(query)).await?).await
    }

    /// Gives up the refused reports that fit the query. There may be more: see [`Changed::more`].
    pub async fn discard_reports(&self, query: &ReportQuery) -> Result<Changed> {
        json(self.send(self.request(Method::POST, &["reports", "discard"]).json(query)).await?).await
    }

    /// Puts a corrected WSJF document in the place of a refused report's, and sends it.
    pub async fn correct_report(&self, id: Uuid, body: Vec<u8>) -> Result<()> {
        let request = self.request(Method::PUT, &["reports", &id.to_string(), "body"]).body(body);
        self.send(request).await.map(drop)
    }

    pub async fn report(&self, id: Uuid) -> Result<ReportDetail> {
        self.get(&["reports", &id.to_string()]).await
    }

    /// Queues a rejected, or a waiting, report to be sent now.
    pub async fn retry_report(&self, id: Uuid) -> Result<()> {
        self.send(self.request(Method::POST, &["reports", &id.to_string(), "retry"])).await.map(drop)
    }

    /// The layers of the sandbox for foreign converters.
    pub async fn sandbox(&self) -> Result<SandboxStatus> {
        self.get(&["sandbox"]).await
    }

    /// What was done about a damaged database; `None` when nothing, or it was confirmed.
    pub async fn rescue(&self) -> Result<Option<Rescue>> {
        self.get(&["rescue"]).await
    }

    /// Ends the alarm about a database that was rebuilt.
    pub async fn confirm_rescue(&self) -> Result<()> {
        self.send(self.request(Method::POST, &["rescue", "confirm"])).await.map(drop)
    }

    /// Gives a report up; it is kept for the record.
    pub async fn discard_report(&self, id: Uuid) -> Result<()> {
        self.send(self.request(Method::POST, &["reports", &id.to_string(), "discard"])).await.map(drop)
    }

    /// Takes no files, in no source, until [`Self::resume_intake`].
    pub async fn pause_intake(&self) -> Result<Paused> {
        json(self.send(self.request(Method::POST, &["intake", "pause"])).await?).await
    }

    pub async fn resume_intake(&self) -> Result<Paused> {
        json(self.send(self.request(Method::POST, &["intake", "resume"])).await?).await
    }

    /// Sends no reports until [`Self::resume_delivery`].
    pub async fn pause_delivery(&self) -> Result<Paused> {
        json(self.send(self.request(Method::POST, &["delivery", "pause"])).await?).await
    }

    pub async fn resume_delivery(&self) -> Result<Paused> {
        json(self.send(self.request(Method::POST, &["delivery", "resume"])).await?).await
    }

    /// Everything that happens from now on, until the agent ends.
    pub async fn events(&self) -> Result<impl Stream<Item = Result<Notice>> + use<>> {
        let answer = self.send_without_limit(self.request(Method::GET, &["events"])).await?;
        Ok(stream::notices(answer))
    }

    pub async fn registration(&self) -> Result<Registration> {
        self.get(&["registration"]).await
    }

    /// Registers the machine at the server, anew if it was registered before.
    pub async fn register(&self, wish: &RegisterWish) -> Result<Registration> {
        json(self.send(self.request(Method::PUT, &["registration"]).json(wish)).await?).await
    }

    /// Says goodbye to the server and registers no more.
    pub async fn unregister(&self) -> Result<()> {
        self.send(self.request(Method::DELETE, &["registration"])).await.map(drop)
    }

    /// Converts the next part of archived files again; it may take as long as the slowest conversion.
    pub async fn replay(&self, wish: &ReplayRequest) -> Result<ReplayPart> {
        json(self.send_without_limit(self.request(Method::POST, &["replay"]).json(wish)).await?).await
    }

    pub async fn station(&self) -> Result<Station> {
        self.get(&["station"]).await
    }

    pub async fn change_station(&self, station: &Station) -> Result<Station> {
        json(self.send(self.request(Method::PUT, &["station"]).json(station)).await?).await
    }

    pub async fn server(&self) -> Result<ServerSettings> {
        self.get(&["server"]).await
    }

    /// Changes the server settings; credentials that are given are sealed, those left out stay.
    pub async fn change_server(&self, change: &ServerChange) -> Result<ServerSettings> {
        json(self.send(self.request(Method::PUT, &["server"]).json(change)).await?).await
    }

    /// Tries server settings without keeping them.
    pub async fn test_server(&self, change: &ServerChange) -> Result<ConnectionTest> {
        json(self.send(self.request(Method::POST, &["server", "test"]).json(change)).await?).await
    }

    /// The configuration in force.
    pub async fn config(&self) -> Result<Configuration> {
        self.get(&["config"]).await
    }

    /// Replaces the whole configuration by the text of a file.
    pub async fn replace_config(&self, text: String, wish: ConfigWish) -> Result<ConfigChange> {
        let url = self.url_with(&["config"], |pairs| {
            pairs.add("dry_run", Some(wish.dry_run));
            pairs.add("replace", Some(wish.replace));
            pairs.add("import", Some(wish.import));
        });
        json(self.send(self.http.put(url).body(text)).await?).await
    }

    /// Every configuration that was in force, newest first.
    pub async fn config_history(&self) -> Result<Vec<ConfigVersionInfo>> {
        self.get(&["config", "history"]).await
    }

    pub async fn config_version(&self, number: u64) -> Result<ConfigVersion> {
        self.get(&["config", "history", &number.to_string()]).await
    }

    /// Puts a configuration of the history into force again.
    pub async fn roll_back_config(&self, wish: &RollBack) -> Result<ConfigChange> {
        json(self.send(self.request(Method::POST, &["config", "rollback"]).json(wish)).await?).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T> {
        json(self.send(self.request(Method::GET, path)).await?).await
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// `path` below `/v1`, each segment escaped. The host name is never looked up: the socket is fixed.
    fn url(&self, path: &[&str]) -> Url {
        #[expect(clippy::expect_used, reason = "a constant address, parsed in every test")]
        let mut url = Url::parse("http://agent/v1").expect("the constant is an address");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url
    }

    /// [`Self::url`] with a query. Apart from the requests, because a half-made query cannot wait in a task.
    fn url_with(&self, path: &[&str], fill: impl FnOnce(&mut Pairs<'_>)) -> Url {
        let mut url = self.url(path);
        fill(&mut Pairs(url.query_pairs_mut()));
        url
    }

    /// Asks, and when the agent says that it was asked too often, again after the time that it names.
    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let started = Instant::now();
        loop {
            let Some(once) = request.try_clone() else { return self.send_without_limit(request).await };
            let answer = self.answer(once.timeout(PATIENCE)).await?;
            let pause =
                (answer.status() == StatusCode::TOO_MANY_REQUESTS).then(|| retry_after(&answer)).flatten();
            match pause.filter(|pause| started.elapsed() + *pause < PATIENCE) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return accepted(answer).await,
            }
        }
    }

    async fn send_without_limit(&self, request: RequestBuilder) -> Result<Response> {
        accepted(self.answer(request).await?).await
    }

    async fn answer(&self, mut request: RequestBuilder) -> Result<Response> {
        // Read each time: the agent may have made another since.
        if let Some(token) = Token::read(&Token::file(&self.socket)) {
            request = request.header(AUTHORIZATION, token.header());
        }
        request.send().await.map_err(|error| self.transport_error(error))
    }

    fn transport_error(&self, error: reqwest::Error) -> ControlError {
        let socket = self.socket.clone();
        if error.is_connect() {
            match io_kind(&error) {
                Some(std::io::ErrorKind::PermissionDenied) => ControlError::Denied { socket, source: error },
                _ => ControlError::Unreachable { socket, source: error },
            }
        } else if error.is_timeout() {
            ControlError::TimedOut(error)
        } else {
            ControlError::Broken(error)
        }
    }
}

/// Adds what is there to the query of an address.
struct Pairs<'a>(url::form_urlencoded::Serializer<'a, url::UrlQuery<'a>>);

impl Pairs<'_> {
    fn add(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.0.append_pair(name, &value.to_string());
        }
    }
}

/// The answer, if it is none of refusal.
async fn accepted(response: Response) -> Result<Response> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let problem = match json::<Problem>(response).await {
        Ok(problem) => problem,
        Err(_) => Problem { message: plain_refusal(status), field: None },
    };
    Err(ControlError::Refused { status: status.as_u16(), problem })
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn json<T: DeserializeOwned>(mut response: Response) -> Result<T> {
    let mut body = Vec::new();
    let broken = |error: reqwest::Error| {
        if error.is_timeout() { ControlError::TimedOut(error) } else { ControlError::Broken(error) }
    };
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > ANSWER_LIMIT {
            return Err(ControlError::AnswerTooLarge);
        }
        body.extend_from_slice(&piece);
    }
    serde_json::from_slice(&body).map_err(ControlError::Answer)
}

fn plain_refusal(status: StatusCode) -> String {
    format!("the agent refused the request ({status})")
}

fn io_kind(error: &reqwest::Error) -> Option<std::io::ErrorKind> {
    std::iter::successors(error.source(), |cause| (*cause).source())
        .find_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)
}

#[cfg(test)]
mod tests;
