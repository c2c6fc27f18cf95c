//! Customers' own converters: what lies there, bringing one, and the page of each.

mod list;
mod page;
mod source;
mod trial;
mod words;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, Multipart};
use axum::routing::{get, post};

use crate::Console;
use crate::error::PageError;

pub(super) use words::{LogRow, log_rows};

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/plugins", get(list::show))
        .route("/plugins/{file}", get(page::show))
        .route("/plugins/{file}/source", get(source::show))
        .route("/plugins/{file}/download", get(source::download))
        .route("/plugins/{file}/disable", post(page::disable))
        .route("/plugins/{file}/delete", post(page::delete))
}

/// What runs a plug-in, or takes a file: apart from the other pages, without their limits on size and time. The size is
/// limited where the files are read.
pub fn long_routes() -> Router<Console> {
    Router::new()
        .route("/plugins", post(list::upload))
        .route("/plugins/{file}/replace", post(list::replace))
        .route("/plugins/{file}/check", post(page::check))
        .route("/plugins/{file}/try", post(trial::try_out))
        .route("/plugins/{file}/enable", post(page::enable))
        .layer(DefaultBodyLimit::disable())
}

/// The address of a plug-in's page.
fn path(file: &str) -> String {
    let escaped: String = url::form_urlencoded::byte_serialize(file.as_bytes()).collect();
    format!("/plugins/{}", escaped.replace('+', "%20"))
}

/// A form with at most one file, as it came.
#[derive(Default)]
struct Sent {
    texts: BTreeMap<String, String>,
    file: Option<SentFile>,
}

struct SentFile {
    name: String,
    /// `None`: it was larger than it may be.
    bytes: Option<Vec<u8>>,
}

/// One text of such a form is never longer.
const LONGEST_TEXT: usize = 64 * 1024;

/// Reads a form to its end, whatever is in it: a browser that is cut off in the middle shows no page.
async fn sent(mut form: Multipart, largest: usize) -> Result<Sent, PageError> {
    let broken = |error: MultipartError| {
        PageError::BadRequest(format!(
            "The upload broke off ({}); nothing was stored. Try it again.",
            error.body_text()
        ))
    };
    let mut sent = Sent::default();
    while let Some(field) = form.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        if let Some(file_name) = field.file_name().map(|it| super::upload::base_name(it).to_owned()) {
            let bytes = take(field, largest).await.map_err(broken)?;
            // A form that was sent without choosing a file has one without a name.
            if !file_name.is_empty() && sent.file.is_none() {
                sent.file = Some(SentFile { name: file_name, bytes });
            }
        } else if let Some(bytes) = take(field, LONGEST_TEXT).await.map_err(broken)? {
            sent.texts.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(sent)
}

/// The content, or `None` when it is too large; the rest of it is read and dropped.
async fn take(mut field: Field<'_>, largest: usize) -> Result<Option<Vec<u8>>, MultipartError> {
    let mut bytes = Some(Vec::new());
    while let Some(piece) = field.chunk().await? {
        bytes = bytes.filter(|it| it.len() + piece.len() <= largest);
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes)
}
