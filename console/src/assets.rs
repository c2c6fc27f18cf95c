//! The static files, part of the program.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

struct Asset {
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const ASSETS: &[Asset] = &[
    Asset { name: "style.css", content_type: "text/css", bytes: include_bytes!("../static/style.css") },
    Asset { name: "logo.svg", content_type: "image/svg+xml", bytes: include_bytes!("../static/logo.svg") },
    Asset {
        name: "htmx.min.js",
        content_type: "text/javascript",
        bytes: include_bytes!("../static/htmx.min.js"),
    },
    Asset {
        name: "upload.js",
        content_type: "text/javascript",
        bytes: include_bytes!("../static/upload.js"),
    },
];

/// One hash over all of them: a new version of the program has new addresses.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = Sha256::new();
    for asset in ASSETS {
        hasher.update(asset.bytes);
    }
    hasher.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
});

/// The address of a static file, with a hash so that browsers may keep it for ever.
pub fn address(name: &str) -> String {
    format!("/static/{}/{name}", *HASH)
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Serves a static file. One of another version of the program is not there.
pub async fn serve(Path((hash, name)): Path<(String, String)>) -> Response {
    let found = ASSETS.iter().find(|asset| asset.name == name).filter(|_| hash == *HASH);
    let Some(asset) = found else { return StatusCode::NOT_FOUND.into_response() };
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER)),
    ];
    (headers, asset.bytes).into_response()
}
