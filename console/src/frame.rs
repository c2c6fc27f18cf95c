//! What surrounds every page: title, navigation, who is signed in, and a notice of what was just done.

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::assets;

/// The frame of one page.
#[derive(Debug, Clone)]
pub struct Frame {
    pub title: String,
    /// The page's place in the navigation; `None`: a page without navigation.
    pub nav: Option<Nav>,
    pub user: Option<String>,
    pub notice: Option<Notice>,
}

impl Frame {
    pub fn new(
        title: impl Into<String>,
        nav: Option<Nav>,
        user: Option<&str>,
        notice: Option<Notice>,
    ) -> Self {
        Self { title: title.into(), nav, user: user.map(str::to_owned), notice }
    }

    /// A page for somebody who is not signed in.
    pub fn plain(title: impl Into<String>) -> Self {
        Self::new(title, None, None, None)
    }

    /// The address of a static file, with its content's hash so that browsers may keep it for ever.
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    pub fn entries(&self) -> &'static [Nav] {
        &Nav::ALL
    }

    pub fn is_at(&self, nav: &Nav) -> bool {
        self.nav == Some(*nav)
    }
}

/// The entries of the navigation, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nav {
    Dashboard,
    Upload,
    Queue,
    Converters,
    Server,
    Station,
    Health,
    Updates,
    Machine,
}

impl Nav {
    pub const ALL: [Self; 9] = [
        Self::Dashboard,
        Self::Upload,
        Self::Queue,
        Self::Converters,
        Self::Server,
        Self::Station,
        Self::Health,
        Self::Updates,
        Self::Machine,
    ];

    pub fn path(&self) -> &'static str {
        match self {
            Self::Dashboard => "/",
            Self::Upload => "/upload",
            Self::Queue => "/queue",
            Self::Converters => "/converters",
            Self::Server => "/server",
            Self::Station => "/station",
            Self::Health => "/health",
            Self::Updates => "/updates",
            Self::Machine => "/machine",
        }
    }

    pub fn label(&self) -> &'static str {
        match self {
            Self::Dashboard => "Dashboard",
            Self::Upload => "Upload",
            Self::Queue => "Queue",
            Self::Converters => "Converters",
            Self::Server => "Server",
            Self::Station => "Station",
            Self::Health => "Health",
            Self::Updates => "Updates",
            Self::Machine => "Machine",
        }
    }
}

const COOKIE: &str = "__Host-notice";

/// One sentence about what was just done, shown on the next page. It travels in a cookie, which only this
/// host can set, and is escaped like every text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(String);

impl Notice {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// The notice that came with a request.
    pub fn of(jar: &CookieJar) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(jar.get(COOKIE)?.value()).ok()?;
        String::from_utf8(bytes).ok().map(Self)
    }

    /// The cookie that carries it to the next page.
    pub fn cookie(&self) -> Cookie<'static> {
        // A cookie holds 4 kB at most; a name in the text may be long.
        let text: String = self.0.chars().take(500).collect();
        Cookie::build((COOKIE, BASE64_URL_SAFE_NO_PAD.encode(text)))
            .path("/")
            .secure(true)
            .http_only(true)
            .same_site(SameSite::Strict)
            .build()
    }

    /// True when the request brought one, which is then to be forgotten.
    pub fn is_in(jar: &CookieJar) -> bool {
        jar.get(COOKIE).is_some()
    }

    pub fn forget() -> Cookie<'static> {
        let mut cookie = Cookie::build((COOKIE, "")).path("/").secure(true).http_only(true).build();
        cookie.make_removal();
        cookie
    }
}
