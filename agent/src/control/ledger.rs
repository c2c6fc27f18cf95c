//! The receipt ledger: found in, exported as it is read, and checked.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::api::{LedgerCheck, LedgerFormat, LedgerQuery, LedgerRecord, LedgerSpan, LedgerVerify};
use super::refusal::Refusal;
use super::routes::{Answer, Asked, Control, Wish};
use crate::ledger::{Sound, export};
use crate::store::{Ledger, LedgerError};

/// So much of an export is sent at once.
const PIECE: usize = 64 * 1024;

async fn open(control: &Control) -> Result<Ledger, Refusal> {
    Ok(Ledger::open(&control.agent.settings().database()).await?)
}

pub(super) async fn find(
    State(control): State<Control>,
    Asked(query): Asked<LedgerQuery>,
) -> Answer<Vec<LedgerRecord>> {
    Ok(Json(open(&control).await?.find(&query.serial_number).await?))
}

pub(super) async fn verify(
    State(control): State<Control>,
    Wish(wish): Wish<LedgerVerify>,
) -> Answer<LedgerCheck> {
    match open(&control).await?.verify(wish.noted).await {
        Ok(Sound { records, hash, lost }) => Ok(Json(LedgerCheck { flaw: None, records, hash, lost })),
        Err(LedgerError::Flaw(flaw)) => {
            let (flaw, hash) = (Some(flaw.to_string()), String::new());
            Ok(Json(LedgerCheck { flaw, records: 0, hash, lost: Vec::new() }))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn export(
    State(control): State<Control>,
    Asked(span): Asked<LedgerSpan>,
) -> Result<Response, Refusal> {
    let media = match span.format {
        LedgerFormat::Csv => "text/csv; charset=utf-8",
        LedgerFormat::Json => "application/x-ndjson",
    };
    let pieces = pieces(open(&control).await?, &span);
    Ok(([(CONTENT_TYPE, media)], Body::from_stream(pieces)).into_response())
}

/// The records as they are read. An error breaks the answer off, so that nobody takes a part for the whole.
fn pieces(ledger: Ledger, span: &LedgerSpan) -> impl Stream<Item = std::io::Result<Bytes>> + use<> {
    let (sender, receiver) = mpsc::channel(2);
    let (from, to) = (span.from.unwrap_or(Timestamp::MIN), span.to.unwrap_or(Timestamp::MAX));
    let format = span.format;
    tokio::spawn(async move {
        let mut records = std::pin::pin!(ledger.records(from, to));
        let (mut piece, mut is_first) = (Vec::new(), true);
        loop {
            let next = records.next().await;
            if piece.len() >= PIECE || (next.is_none() && !piece.is_empty()) {
                let full = std::mem::take(&mut piece);
                // Whoever asked has seen enough.
                if sender.send(Ok(Bytes::from(full))).await.is_err() {
                    return;
                }
            }
            let written = match next {
                None => return,
                Some(Ok(record)) => export::write(format, is_first, &record, &mut piece),
                Some(Err(error)) => Err(std::io::Error::other(error)),
            };
            is_first = false;
            if let Err(error) = written {
                tracing::error!(%error, "an export of the ledger broke off");
                sender.send(Err(error)).await.ok();
                return;
            }
        }
    });
    futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (piece, receiver))
    })
}
