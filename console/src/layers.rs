//! The whole application: the pages, and what every request passes through before them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum_extra::extract::CookieJar;
use tower_governor::GovernorLayer;
use tower_governor::governor::GovernorConfigBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::error::PageError;
use crate::frame::Notice;
use crate::{Console, assets, pages};

/// A form with a bundle of certificates fits; nothing that is longer is a form of ours.
const FORM_LIMIT: usize = 256 * 1024;
/// Longer than a connection test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything from this host, nothing from elsewhere, nothing inline.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The application, to be served with the client's address as connect info.
///
/// Strict-Transport-Security is absent on purpose: a browser that has seen it lets nobody past the warning
/// about the self-signed certificate that every new machine has.
pub fn app(console: Console) -> Router {
    let static_files =
        Router::new().route("/static/{hash}/{name}", get(assets::serve)).layer(CompressionLayer::new());
    // Innermost first: each `layer` wraps all before it.
    let pages = Router::new()
        .merge(pages::routes())
        .fallback(async || PageError::NotFound)
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, PATIENCE))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        // After the limits on time and size: an upload takes what it takes, and so does a plug-in.
        .merge(pages::upload::routes())
        .merge(pages::plugins::long_routes())
        .layer(from_fn(forget_notice))
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-store"),
        ))
        .merge(static_files)
        .layer(from_fn(same_site));
    // Each row of a page full of uploads asks once a second how its file fares.
    rate_limited(pages, 100, 500)
        .layer(header_layer(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
        .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_layer(header::REFERRER_POLICY, "same-origin"))
        .layer(header_layer(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(CatchPanicLayer::new())
        .layer(TraceLayer::new_for_http().make_span_with(|request: &Request| {
            // Without the query, which may hold what somebody typed.
            tracing::debug_span!("request", method = %request.method(), path = request.uri().path())
        }))
        .with_state(console)
}

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// Lets one address make so many requests a second in the long run, and so many at once.
pub(crate) fn rate_limited(routes: Router<Console>, per_second: u32, burst: u32) -> Router<Console> {
    let period = Duration::from_secs(1) / per_second.max(1);
    let config = GovernorConfigBuilder::default().period(period).burst_size(burst.max(1)).finish();
    #[expect(clippy::expect_used, reason = "only a period or burst of zero is refused")]
    let config = Arc::new(config.expect("period and burst are above zero"));
    let limiter = Arc::downgrade(config.limiter());
    // Addresses that have been quiet are forgotten; ends with the layer.
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            match limiter.upgrade() {
                Some(limiter) => limiter.retain_recent(),
                None => return,
            }
        }
    });
    routes.layer(GovernorLayer::new(config).error_handler(|_| -> Response<Body> {
        (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests from your address. Wait a few seconds and try again.\n",
        )
            .into_response()
    }))
}

/// Refuses what another site makes a browser send. A client without a browser sends neither header, and has
/// no cookie that somebody else could use.
async fn same_site(request: Request, next: Next) -> axum::response::Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_same_site(request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!("refused a request that came from another site");
    let words = "This request came from another website and was refused. Use the console's own pages.";
    let mut response = PageError::BadRequest(words.to_owned()).into_response();
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}

fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    match (text(HeaderName::from_static("sec-fetch-site")), text(header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = text(header::HOST).unwrap_or("?");
            origin.strip_prefix("https://").is_some_and(|it| it.eq_ignore_ascii_case(host))
        }
        (None, None) => true,
    }
}

/// A notice is shown once: the page that showed it makes the browser forget it.
async fn forget_notice(request: Request, next: Next) -> axum::response::Response {
    let brought = request.method() == Method::GET
        && !request.headers().contains_key("hx-request")
        && Notice::is_in(&CookieJar::from_headers(request.headers()));
    let response = next.run(request).await;
    if brought && response.status() == StatusCode::OK {
        return (CookieJar::new().add(Notice::forget()), response).into_response();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn only_our_own_pages_may_change_something() {
        assert!(is_same_site(&headers(&[])));
        assert!(is_same_site(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(is_same_site(&headers(&[("origin", "https://wats:8443"), ("host", "wats:8443")])));
        assert!(!is_same_site(&headers(&[("sec-fetch-site", "same-site")])));
        assert!(!is_same_site(&headers(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://wats"),
            ("host", "wats")
        ])));
        assert!(!is_same_site(&headers(&[("origin", "https://evil.example"), ("host", "wats")])));
        assert!(!is_same_site(&headers(&[("origin", "http://wats"), ("host", "wats")])));
        assert!(!is_same_site(&headers(&[("origin", "null"), ("host", "wats")])));
    }
}
