//! Headless Chromium, driven through chromedriver, and pictures of every page.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use thirtyfour::prelude::*;

/// A browser with a profile of its own; [`Chromium::quit`] ends it in order, dropping it by force.
#[derive(Debug)]
pub struct Chromium {
    pub driver: WebDriver,
    chromedriver: Child,
    base: String,
    pictures: PathBuf,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Opens pages below `base`; pictures go into the folder `screenshots` of the project, `name` before
    /// each.
    ///
    /// # Errors
    /// When Chromium or chromedriver is missing or does not start.
    pub async fn start(base: &str) -> anyhow::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let chromedriver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting chromedriver; tools/setup test installs it")?;
        let profile = tempfile::tempdir()?;
        let mut wish = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            "--window-size=1280,900",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
        ] {
            wish.add_arg(argument)?;
        }
        wish.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        wish.accept_insecure_certs(true)?;
        wish.set("goog:loggingPrefs", json!({ "browser": "ALL" }))?;
        let started = Instant::now();
        let driver = loop {
            match WebDriver::new(format!("http://127.0.0.1:{port}"), wish.clone()).await {
                Ok(driver) => break driver,
                Err(error) if started.elapsed() > Duration::from_secs(60) => return Err(error.into()),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        };
        let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../screenshots");
        std::fs::create_dir_all(&pictures)?;
        Ok(Self { driver, chromedriver, base: base.to_owned(), pictures, _profile: profile })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// When it does not load.
    pub async fn open(&self, path: &str) -> anyhow::Result<()> {
        Ok(self.driver.goto(format!("{}{path}", self.base)).await?)
    }

    /// Where the browser is.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn path(&self) -> anyhow::Result<String> {
        let url = self.driver.current_url().await?;
        Ok(url.as_str().strip_prefix(&self.base).unwrap_or(url.as_str()).to_owned())
    }

    /// Types into the field of that name, in place of what stands there.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn fill(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let field = self.driver.find(By::Name(name)).await.with_context(|| format!("no field {name:?}"))?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Clicks on what the selector finds first.
    ///
    /// # Errors
    /// When it finds nothing.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let found = self.driver.find(By::Css(selector)).await.with_context(|| format!("no {selector:?}"))?;
        found.scroll_into_view().await?;
        Ok(found.click().await?)
    }

    /// Waits until the page's text has these words.
    ///
    /// # Errors
    /// When it has not within 30 seconds; with the text.
    pub async fn until(&self, words: &str) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            // The page may be on its way to another one.
            let text = match self.driver.find(By::Tag("body")).await {
                Ok(body) => body.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if text.contains(words) {
                return Ok(());
            }
            ensure!(started.elapsed() < Duration::from_secs(30), "{words:?} did not come; there is:\n{text}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Takes the page's picture: 1280 and 390 wide, light and dark. Nothing may be wider than the window.
    ///
    /// # Errors
    /// When something is too wide, or a picture cannot be taken.
    pub async fn picture(&self, name: &str) -> anyhow::Result<()> {
        for scheme in ["light", "dark"] {
            let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            self.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
            for (width, height) in [(1280, 800), (390, 844)] {
                let size =
                    json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
                self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
                let script =
                    "return [document.documentElement.scrollWidth, document.documentElement.scrollHeight]";
                let sizes = self.driver.execute(script, Vec::new()).await?;
                let sizes: Vec<u64> = sizes.convert()?;
                let (wide, high) = (sizes.first().copied(), sizes.get(1).copied());
                if wide > Some(width) {
                    // What sticks out, or holds a text that does.
                    let script = format!(
                        "return [...document.querySelectorAll('body *')].filter(it => it.scrollWidth > it.clientWidth + 1 \
                         || it.getBoundingClientRect().right > {width}).pop()?.outerHTML"
                    );
                    let widest: Option<String> = self.driver.execute(script, Vec::new()).await?.convert()?;
                    bail!("{name} is {wide:?} wide in a window of {width}: {widest:?}");
                }
                let clip = json!({ "x": 0, "y": 0, "width": width, "height": high.unwrap_or(height).clamp(height, 3000), "scale": 1 });
                let wish = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
                let taken = self.driver.cdp().send_raw("Page.captureScreenshot", wish).await?;
                let data = taken.get("data").and_then(Value::as_str).context("no picture")?;
                let path = self.pictures.join(format!("{name}-{width}-{scheme}.png"));
                std::io::Write::write_all(&mut std::fs::File::create(path)?, &BASE64_STANDARD.decode(data)?)?;
            }
        }
        self.driver.cdp().send_raw("Emulation.clearDeviceMetricsOverride", json!({})).await?;
        Ok(())
    }

    /// What the browser complained about: scripts that failed, what the policy blocked. Its hints do not count.
    ///
    /// # Errors
    /// When the browser does not answer.
    pub async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let log = self.driver.get_log("browser").await?;
        let severe = log.into_iter().filter(|entry| entry.level == "SEVERE");
        Ok(severe.map(|entry| entry.message).collect())
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// When it does not answer; it is then ended by force.
    pub async fn quit(self) -> anyhow::Result<()> {
        Ok(self.driver.clone().quit().await?)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may have ended by itself; both calls then say so, and there is nothing left to do.
        let _killed = self.chromedriver.kill();
        let _ended = self.chromedriver.wait();
    }
}
