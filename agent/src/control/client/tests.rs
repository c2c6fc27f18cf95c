use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::net::UnixListener;

use super::*;
use crate::control::api::{FileState, ReportState};

/// A client of a server that answers every request with `answer`.
fn client_of<F>(folder: &tempfile::TempDir, answer: F) -> ControlClient
where
    F: Fn(String, Vec<u8>) -> Response + Clone + Send + Sync + 'static,
{
    let socket = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let app = Router::new().fallback(move |request: Request| {
        let answer = answer.clone();
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            match to_bytes(request.into_body(), usize::MAX).await {
                Ok(body) => answer(line, body.to_vec()),
                Err(_) => StatusCode::BAD_REQUEST.into_response(),
            }
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    ControlClient::new(socket).unwrap()
}

/// Answers every request with 400 and its own request line, to see what was asked.
fn echo(line: String, _body: Vec<u8>) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(Problem { message: line, field: None })).into_response()
}

#[tokio::test]
async fn every_word_of_a_path_is_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let client = client_of(&folder, echo);
    let error = client.remove_source("line 3/../x?y").await.unwrap_err();
    assert_eq!(error.to_string(), "DELETE /v1/sources/line%203%2F..%2Fx%3Fy");
}

#[tokio::test]
async fn only_what_is_asked_for_stands_in_a_query() {
    let folder = tempfile::tempdir().unwrap();
    let client = client_of(&folder, echo);
    let files = FileQuery {
        state: Some(FileState::Failed),
        source: Some("a b".into()),
        sha256: Some("ab12".into()),
        limit: Some(5),
        before: Some(77),
    };
    assert_eq!(
        client.files(&files).await.unwrap_err().to_string(),
        "GET /v1/files?state=failed&source=a+b&sha256=ab12&limit=5&before=77"
    );
    let reports = ReportQuery { state: Some(ReportState::Rejected), ..ReportQuery::default() };
    assert_eq!(client.reports(&reports).await.unwrap_err().to_string(), "GET /v1/reports?state=rejected");
}

#[tokio::test]
async fn a_refusal_carries_the_words_and_the_field_of_the_agent() {
    let folder = tempfile::tempdir().unwrap();
    let client = client_of(&folder, |_, _| {
        let problem = Problem { message: "no such folder".into(), field: Some("folder".into()) };
        (StatusCode::UNPROCESSABLE_ENTITY, axum::Json(problem)).into_response()
    });
    let error = client.station().await.unwrap_err();
    assert_eq!(error.to_string(), "no such folder");
    assert_eq!(error.field(), Some("folder"));
    assert!(matches!(error, ControlError::Refused { status: 422, .. }));
}

#[tokio::test]
async fn a_refusal_without_words_still_says_something() {
    let folder = tempfile::tempdir().unwrap();
    let client = client_of(&folder, |_, _| StatusCode::NOT_FOUND.into_response());
    let error = client.report(Uuid::nil()).await.unwrap_err();
    assert_eq!(error.to_string(), "the agent refused the request (404 Not Found)");
    assert!(error.is_not_found());
}

#[tokio::test]
async fn an_agent_that_does_not_run_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let client = ControlClient::new(folder.path().join("none.sock")).unwrap();
    assert!(matches!(client.status().await.unwrap_err(), ControlError::Unreachable { .. }));
}

#[tokio::test]
async fn an_answer_of_another_version_is_not_guessed_at() {
    let folder = tempfile::tempdir().unwrap();
    let client = client_of(&folder, |_, _| axum::Json("hello").into_response());
    assert!(matches!(client.status().await.unwrap_err(), ControlError::Answer(_)));
}

#[tokio::test]
async fn an_upload_passes_borrowed_pieces_on_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let client = client_of(&folder, |_, body| {
        let size_bytes = body.len() as u64;
        axum::Json(StoredFile { name: String::from_utf8(body).unwrap(), size_bytes, sha256: String::new() })
            .into_response()
    });
    let words = ["one ".to_owned(), "two ".to_owned(), String::new(), "three".to_owned()];
    let pieces = stream::iter(
        words.iter().map(|word| Ok::<_, std::io::Error>(Bytes::copy_from_slice(word.as_bytes()))),
    );
    let stored = client.upload("a", "b.json", pieces).await.unwrap();
    assert_eq!((stored.name.as_str(), stored.size_bytes), ("one two three", 13));
}

#[tokio::test]
async fn an_upload_whose_source_fails_is_broken_off() {
    let folder = tempfile::tempdir().unwrap();
    let client = client_of(&folder, |_, _| StatusCode::OK.into_response());
    let pieces =
        stream::iter([Ok(Bytes::from_static(b"half")), Err(std::io::Error::other("the browser went away"))]);
    let error = client.upload("a", "b.json", pieces).await.unwrap_err();
    assert!(matches!(error, ControlError::Upload(cause) if cause.to_string() == "the browser went away"));
}

#[test]
fn the_words_of_a_state_are_those_of_its_json() {
    use {FileState as F, ReportState as R};
    for state in [F::Claimed, F::Converted, F::Failed] {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    for state in [R::Queued, R::Sending, R::Sent, R::Rejected, R::Discarded] {
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
}
