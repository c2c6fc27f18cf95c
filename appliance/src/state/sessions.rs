//! Sessions: who is at the browser. The database holds only the hash of each token.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::{
    State, StateError,
    accounts::{Account, AccountId, UserName},
    time,
};

/// A session that was not used for so long is over.
const IDLE_LIMIT: SignedDuration = SignedDuration::from_mins(30);
/// A session is over after so long, used or not.
const SIGNED_IN_LIMIT: SignedDuration = SignedDuration::from_hours(12);
const SETUP_LIMIT: SignedDuration = SignedDuration::from_hours(2);
/// The last use is written down this often at most: a page that refreshes itself must not write each time.
const SEEN_STEP: SignedDuration = SignedDuration::from_secs(30);

/// 256 random bits in hexadecimal, for the cookie. Not stored, and not shown by `Debug`.
#[derive(Debug)]
pub struct SessionToken(SecretString);

impl SessionToken {
    fn new() -> Result<Self, StateError> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(StateError::Random)?;
        let text = bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
            // Writing into a String cannot fail.
            write!(text, "{byte:02x}").ok();
            text
        });
        Ok(Self(SecretString::from(text)))
    }

    /// The text for the cookie.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What a session may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The right setup code was entered: may create the first administrator, nothing else.
    Setup,
    SignedIn(Account),
}

/// A session that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub purpose: Purpose,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
}

impl State {
    /// Starts a session for somebody who entered the right setup code.
    pub async fn start_setup_session(&self, now: Timestamp) -> Result<SessionToken, StateError> {
        self.start_session(now, "setup", None).await
    }

    /// Starts a session for somebody whose password was right.
    pub async fn start_session_of(
        &self,
        now: Timestamp,
        account: &Account,
    ) -> Result<SessionToken, StateError> {
        self.start_session(now, "signed-in", Some(account.id)).await
    }

    /// The session of a cookie, if there is one that is not over; marks it as used now.
    pub async fn session(&self, now: Timestamp, token: &str) -> Result<Option<Session>, StateError> {
        type Row = (i64, i64, Option<AccountId>, Option<String>, Option<i64>);
        let row: Option<Row> = sqlx::query_as(
            "SELECT s.created_at, s.last_seen_at, a.id, a.user_name, a.created_at
               FROM session s LEFT JOIN account a ON a.id = s.account_id
              WHERE s.token_sha256 = ?1",
        )
        .bind(digest(token))
        .fetch_optional(&self.readers)
        .await
        .map_err(StateError::query("look up the session"))?;
        let Some((created_at, last_seen_at, id, user_name, account_since)) = row else { return Ok(None) };
        let purpose = match (id, user_name, account_since) {
            (Some(id), Some(user_name), Some(since)) => {
                let user_name = UserName::try_from(user_name)
                    .map_err(|error| StateError::Stored { what: "the account", source: error.into() })?;
                Purpose::SignedIn(Account { id, user_name, created_at: time(since)? })
            }
            _ => Purpose::Setup,
        };
        let session = Session { purpose, created_at: time(created_at)?, last_seen_at: time(last_seen_at)? };
        if session.is_over(now) {
            self.end_session(token).await?;
            return Ok(None);
        }
        if session.last_seen_at.duration_until(now) >= SEEN_STEP {
            sqlx::query("UPDATE session SET last_seen_at = ?2 WHERE token_sha256 = ?1")
                .bind(digest(token))
                .bind(now.as_millisecond())
                .execute(&self.writer)
                .await
                .map_err(StateError::query("note the use of the session"))?;
        }
        Ok(Some(session))
    }

    /// Signs out.
    pub async fn end_session(&self, token: &str) -> Result<(), StateError> {
        sqlx::query("DELETE FROM session WHERE token_sha256 = ?1")
            .bind(digest(token))
            .execute(&self.writer)
            .await
            .map_err(StateError::query("end the session"))?;
        Ok(())
    }

    /// Signs an account out everywhere.
    pub async fn end_sessions_of(&self, account: AccountId) -> Result<(), StateError> {
        sqlx::query("DELETE FROM session WHERE account_id = ?1")
            .bind(account)
            .execute(&self.writer)
            .await
            .map_err(StateError::query("end the sessions"))?;
        Ok(())
    }

    async fn start_session(
        &self,
        now: Timestamp,
        purpose: &'static str,
        account: Option<AccountId>,
    ) -> Result<SessionToken, StateError> {
        let token = SessionToken::new()?;
        let failed = || StateError::query("start a session");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        delete_over(&mut tx, now).await.map_err(failed())?;
        sqlx::query(
            "INSERT INTO session (token_sha256, purpose, account_id, created_at, last_seen_at)
             VALUES (?1, ?2, ?3, ?4, ?4)",
        )
        .bind(digest(token.expose()))
        .bind(purpose)
        .bind(account)
        .bind(now.as_millisecond())
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        Ok(token)
    }
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        let limit = match self.purpose {
            Purpose::Setup => SETUP_LIMIT,
            Purpose::SignedIn(_) => SIGNED_IN_LIMIT,
        };
        self.created_at.duration_until(now) >= limit || self.last_seen_at.duration_until(now) >= IDLE_LIMIT
    }
}

fn digest(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

async fn delete_over(db: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    let before = |limit| now.saturating_sub(limit).unwrap_or(Timestamp::MIN).as_millisecond();
    sqlx::query(
        "DELETE FROM session
          WHERE last_seen_at <= ?1
             OR (purpose = 'setup' AND created_at <= ?2)
             OR (purpose = 'signed-in' AND created_at <= ?3)",
    )
    .bind(before(IDLE_LIMIT))
    .bind(before(SETUP_LIMIT))
    .bind(before(SIGNED_IN_LIMIT))
    .execute(db)
    .await?;
    Ok(())
}

/// Ends every setup session: once the machine is claimed they may do nothing any more.
pub(super) async fn delete_setup(db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM session WHERE purpose = 'setup'").execute(db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::accounts::NewPassword;
    use super::super::testing::{Bench, at, bench};
    use super::*;

    async fn admin(bench: &Bench) -> Account {
        let name = UserName::try_from("anna".to_owned()).unwrap();
        let password = NewPassword::new("correct horse battery".to_owned().into(), &name).unwrap();
        bench.state.create_first_admin(at(0), &name, password).await.unwrap()
    }

    async fn rows(bench: &Bench) -> i64 {
        let (count,): (i64,) =
            sqlx::query_as("SELECT count(*) FROM session").fetch_one(&bench.state.readers).await.unwrap();
        count
    }

    #[tokio::test]
    async fn a_token_leads_back_to_the_account() {
        let bench = bench().await;
        let anna = admin(&bench).await;
        let token = bench.state.start_session_of(at(0), &anna).await.unwrap();
        let session = bench.state.session(at(1), token.expose()).await.unwrap().unwrap();
        assert_eq!(session.purpose, Purpose::SignedIn(anna));
        assert_eq!(token.expose().len(), 64);
        assert!(!format!("{token:?}").contains(token.expose()));
    }

    #[tokio::test]
    async fn an_unknown_token_is_nobody() {
        let bench = bench().await;
        for token in ["", "0", &"0".repeat(64), "' OR 1=1 --"] {
            assert_eq!(bench.state.session(at(0), token).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn the_token_itself_is_not_in_the_database() {
        let bench = bench().await;
        let token = bench.state.start_setup_session(at(0)).await.unwrap();
        bench.state.close().await;
        for entry in std::fs::read_dir(bench.folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(64).any(|w| w == token.expose().as_bytes()));
        }
    }

    #[tokio::test]
    async fn a_session_ends_when_idle() {
        let bench = bench().await;
        let token = bench.state.start_setup_session(at(0)).await.unwrap();
        assert!(bench.state.session(at(29 * 60), token.expose()).await.unwrap().is_some());
        assert!(bench.state.session(at(58 * 60), token.expose()).await.unwrap().is_some(), "use prolongs");
        assert!(bench.state.session(at(88 * 60), token.expose()).await.unwrap().is_none());
        assert_eq!(rows(&bench).await, 0, "and its row goes");
    }

    #[tokio::test]
    async fn a_session_ends_after_twelve_hours_however_busy() {
        let bench = bench().await;
        let anna = admin(&bench).await;
        let token = bench.state.start_session_of(at(0), &anna).await.unwrap();
        for minute in (0..720).step_by(20) {
            assert!(bench.state.session(at(minute * 60), token.expose()).await.unwrap().is_some());
        }
        assert!(bench.state.session(at(720 * 60), token.expose()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn claiming_ends_every_setup_session() {
        let bench = bench().await;
        let token = bench.state.start_setup_session(at(0)).await.unwrap();
        let session = bench.state.session(at(1), token.expose()).await.unwrap().unwrap();
        assert_eq!(session.purpose, Purpose::Setup);
        admin(&bench).await;
        assert!(bench.state.session(at(1), token.expose()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn signing_out_ends_one_session_and_signing_out_everywhere_all() {
        let bench = bench().await;
        let anna = admin(&bench).await;
        let mut tokens = Vec::new();
        for _ in 0..3 {
            tokens.push(bench.state.start_session_of(at(0), &anna).await.unwrap());
        }
        bench.state.end_session(tokens[0].expose()).await.unwrap();
        assert!(bench.state.session(at(1), tokens[0].expose()).await.unwrap().is_none());
        assert!(bench.state.session(at(1), tokens[1].expose()).await.unwrap().is_some());
        bench.state.end_sessions_of(anna.id).await.unwrap();
        assert_eq!(rows(&bench).await, 0);
    }

    #[tokio::test]
    async fn abandoned_sessions_are_cleared_when_the_next_one_starts() {
        let bench = bench().await;
        for _ in 0..3 {
            bench.state.start_setup_session(at(0)).await.unwrap();
        }
        bench.state.start_setup_session(at(3600)).await.unwrap();
        assert_eq!(rows(&bench).await, 1);
    }

    #[tokio::test]
    async fn removing_the_accounts_ends_their_sessions() {
        let bench = bench().await;
        let anna = admin(&bench).await;
        let token = bench.state.start_session_of(at(0), &anna).await.unwrap();
        bench.state.remove_accounts(at(1)).await.unwrap();
        assert!(bench.state.session(at(1), token.expose()).await.unwrap().is_none());
    }
}
