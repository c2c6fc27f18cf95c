//! Why a call gave no acknowledgement, and what should happen next.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use uuid::Uuid;

use super::words;

/// No server has a reason to ask for a longer pause; one that does is taken at this.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a call to the server gave no acknowledgement.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The message is the server's: one problem on each line.
    #[error("the server refused the report: {message}")]
    Rejected { status: u16, message: String },
    #[error("the server does not accept our credential (401)")]
    Unauthorised,
    #[error("the server denies us the right to do this (403): {message}")]
    Forbidden { message: String },
    #[error("there is no WATS API at this address (status {status})")]
    WrongAddress { status: u16 },
    #[error("the proxy does not accept our credential, or wants one (407)")]
    ProxyRefused,
    #[error("the server asks us to slow down (429)")]
    Throttled { retry_after: Option<Duration> },
    #[error("the server is in trouble (status {status}): {message}")]
    ServerTrouble { status: u16, message: String, retry_after: Option<Duration> },
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The server may have the report: sending it again with the same id does no harm.
    #[error("the connection broke before the server had answered")]
    Interrupted(#[source] reqwest::Error),
    /// As [`SubmitError::Interrupted`].
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the answer is not from a WATS server, perhaps from a proxy or a login page: {excerpt}")]
    NotWats { excerpt: String },
    #[error("the server acknowledged report {got}, and report {sent} was sent")]
    OtherId { sent: Uuid, got: Uuid },
}

/// What should happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The report is at fault: a person must look at it, sending it again changes nothing.
    Reject,
    /// Credential, rights or address are at fault: hold all reports until a person acts.
    Hold,
    /// Send the same report again later, not before `retry_after`.
    Retry { retry_after: Option<Duration> },
}

impl SubmitError {
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Rejected { .. } => Verdict::Reject,
            Self::Unauthorised | Self::Forbidden { .. } | Self::WrongAddress { .. } | Self::ProxyRefused => {
                Verdict::Hold
            }
            Self::Throttled { retry_after } | Self::ServerTrouble { retry_after, .. } => {
                Verdict::Retry { retry_after: *retry_after }
            }
            Self::Unreachable(_)
            | Self::Interrupted(_)
            | Self::TimedOut
            | Self::NotWats { .. }
            | Self::OtherId { .. } => Verdict::Retry { retry_after: None },
        }
    }

    pub(super) fn from_transport(error: reqwest::Error) -> Self {
        // The address is logged where it matters; an error must not carry what may stand in it.
        let error = error.without_url();
        if proxy_refused(&error) {
            Self::ProxyRefused
        } else if error.is_connect() {
            Self::Unreachable(error)
        } else if error.is_timeout() {
            Self::TimedOut
        } else {
            Self::Interrupted(error)
        }
    }

    /// `status` is none of 2xx.
    pub(super) fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let code = status.as_u16();
        let message = words::message(body);
        match code {
            401 => Self::Unauthorised,
            403 => Self::Forbidden { message },
            404 | 405 => Self::WrongAddress { status: code },
            407 => Self::ProxyRefused,
            429 => Self::Throttled { retry_after: retry_after(headers) },
            // The API answers in JSON or plain text. A page is from a gateway that does not know the address
            // or the protocol, and says nothing about the report.
            400 if words::is_html(headers, body) => Self::NotWats { excerpt: words::excerpt(body) },
            400 | 409 | 411..=417 | 422 | 431 => Self::Rejected { status: code, message },
            300..=399 => Self::NotWats { excerpt: redirect(code, headers) },
            _ => Self::ServerTrouble { status: code, message, retry_after: retry_after(headers) },
        }
    }
}

/// The error of a tunnel has no public type, so its words are all there is to go by.
fn proxy_refused(error: &reqwest::Error) -> bool {
    std::iter::successors(error.source(), |&error| error.source())
        .any(|error| error.to_string().contains("proxy authorization required"))
}

/// Where a redirect leads, without what may be secret in its query.
fn redirect(code: u16, headers: &HeaderMap) -> String {
    let target = header(headers, &LOCATION).unwrap_or_default();
    let target = target.split(['?', '#']).next().unwrap_or_default();
    format!("a redirect (status {code}) to {target}")
}

/// Seconds or an HTTP date; nonsense counts as absent.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, &RETRY_AFTER)?;
    let pause = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = rfc2822::parse(text).ok()?.timestamp();
            // The server's own clock tells how far away its date is, however wrong ours may be.
            let now = header(headers, &DATE)
                .and_then(|date| rfc2822::parse(date).ok())
                .map_or_else(Timestamp::now, |date| date.timestamp());
            Duration::try_from(at.duration_since(now)).ok()?
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: u16, body: &str) -> SubmitError {
        SubmitError::from_status(StatusCode::from_u16(code).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    #[test]
    fn every_status_has_a_verdict() {
        for code in [400, 409, 413, 415, 422] {
            assert_eq!(error(code, "x").verdict(), Verdict::Reject, "{code}");
        }
        for code in [401, 403, 404, 405, 407] {
            assert_eq!(error(code, "x").verdict(), Verdict::Hold, "{code}");
        }
        for code in [302, 307, 408, 421, 425, 429, 451, 500, 502, 503, 504, 599] {
            assert_eq!(error(code, "x").verdict(), Verdict::Retry { retry_after: None }, "{code}");
        }
    }

    #[test]
    fn a_page_that_says_bad_request_is_not_the_servers_word_on_the_report() {
        let page =
            "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>";
        let error = error(400, page);
        assert_eq!(error.verdict(), Verdict::Retry { retry_after: None });
        assert!(error.to_string().ends_with("400 The plain HTTP request was sent to HTTPS port"), "{error}");
    }

    #[track_caller]
    fn check_pause(retry_after_text: &str, expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry_after_text.parse().unwrap());
        headers.insert(DATE, "Tue, 24 Nov 2026 10:00:00 GMT".parse().unwrap());
        assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{retry_after_text}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        check_pause("30", Some(30));
        check_pause(" 0 ", Some(0));
        check_pause("Tue, 24 Nov 2026 10:02:00 GMT", Some(120));
        check_pause("99999999999", Some(24 * 60 * 60));
    }

    #[test]
    fn a_retry_after_without_sense_is_ignored() {
        for nonsense in ["soon", "", "-5", "1.5", "Tue, 24 Nov 2026 09:00:00 GMT", "99999999999999999999999"]
        {
            check_pause(nonsense, None);
        }
    }

    #[test]
    fn a_date_is_measured_by_our_clock_where_the_server_does_not_tell_its_own() {
        let mut headers = HeaderMap::new();
        let at = (Timestamp::now() + jiff::SignedDuration::from_mins(10))
            .to_zoned_datetime(jiff::tz::TimeZone::UTC);
        headers.insert(RETRY_AFTER, rfc2822::to_string(&at).unwrap().parse().unwrap());
        let pause = retry_after(&headers).unwrap();
        assert!((540..=600).contains(&pause.as_secs()), "{pause:?}");
    }

    #[test]
    fn a_redirect_is_named_without_its_query() {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, "https://login.example.com/start?session=secret".parse().unwrap());
        let error = SubmitError::from_status(StatusCode::FOUND, &headers, b"");
        assert!(
            error.to_string().ends_with("a redirect (status 302) to https://login.example.com/start"),
            "{error}"
        );
    }
}
