//! Accounts: who may sign in to the console.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::SqliteConnection;

use super::{State, StateError, audit, sessions, time};

/// Failures that cost nothing: a person mistypes.
const FREE_FAILURES: i64 = 5;
/// The wait after that, doubled with each further failure…
const FIRST_WAIT_SECONDS: i64 = 15;
/// …up to this. Longer would let anyone on the network lock the administrator out.
const LONGEST_WAIT_SECONDS: i64 = 5 * 60;
/// A name that nobody has tried for so long starts afresh.
const FORGET_FAILURES_AFTER: SignedDuration = SignedDuration::from_hours(24);

const SHORTEST_PASSWORD: usize = 12;
const LONGEST_PASSWORD: usize = 512;

/// The name that a person signs in with: 1 to 64 of `a-z 0-9 . _ - @`. Upper case is made lower.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

/// Why a text is no user name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUserName {
    #[error("Enter a user name.")]
    Empty,
    #[error("The user name is too long: 64 characters at most.")]
    TooLong,
    #[error("A user name has letters without accents, digits and the characters . _ - @ only.")]
    Characters,
}

impl UserName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for UserName {
    type Error = InvalidUserName;

    fn try_from(typed: String) -> Result<Self, InvalidUserName> {
        let name = typed.trim().to_ascii_lowercase();
        if name.is_empty() {
            Err(InvalidUserName::Empty)
        } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b)) {
            Err(InvalidUserName::Characters)
        } else if name.len() > 64 {
            Err(InvalidUserName::TooLong)
        } else {
            Ok(Self(name))
        }
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

impl std::fmt::Display for UserName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password that was chosen for an account and keeps the rules.
#[derive(Debug, Clone)]
pub struct NewPassword(SecretString);

/// Why a password may not be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("The password is too short: at least 12 characters.")]
    TooShort,
    #[error("The password is too long: 512 characters at most.")]
    TooLong,
    #[error("The password must not be the user name.")]
    IsUserName,
    #[error("The password repeats too few different characters: use at least 5 different ones.")]
    Monotonous,
}

impl NewPassword {
    pub fn new(password: SecretString, user: &UserName) -> Result<Self, WeakPassword> {
        let text = password.expose_secret();
        let length = text.chars().count();
        let mut different: Vec<char> = text.chars().collect();
        different.sort_unstable();
        different.dedup();
        if length < SHORTEST_PASSWORD {
            Err(WeakPassword::TooShort)
        } else if length > LONGEST_PASSWORD {
            Err(WeakPassword::TooLong)
        } else if text.trim().to_lowercase() == user.0 {
            Err(WeakPassword::IsUserName)
        } else if different.len() < 5 {
            Err(WeakPassword::Monotonous)
        } else {
            Ok(Self(password))
        }
    }
}

/// Somebody who may sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub user_name: UserName,
    pub created_at: Timestamp,
}

/// The row of an [`Account`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(transparent)]
pub struct AccountId(i64);

/// Why there is no first administrator after the call that should have made one.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("This machine already has an administrator. Sign in with that account.")]
    AlreadyClaimed,
    #[error(transparent)]
    State(#[from] StateError),
}

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("User name or password is wrong.")]
    Wrong,
    #[error("Too many failed attempts. Try again in {wait_seconds} seconds.")]
    TooMany { wait_seconds: i64 },
    #[error(transparent)]
    State(#[from] StateError),
}

impl State {
    /// True once the machine has an administrator.
    pub async fn is_claimed(&self) -> Result<bool, StateError> {
        let (any,): (bool,) = sqlx::query_as("SELECT EXISTS (SELECT 1 FROM account)")
            .fetch_one(&self.readers)
            .await
            .map_err(StateError::query("look for an account"))?;
        Ok(any)
    }

    /// Makes the first account. Of any number of callers at once exactly one succeeds.
    ///
    /// The caller has checked the setup code, and deletes its file afterwards. Sessions that were
    /// opened with the setup code end here.
    pub async fn create_first_admin(
        &self,
        now: Timestamp,
        user_name: &UserName,
        password: NewPassword,
    ) -> Result<Account, ClaimError> {
        if self.is_claimed().await? {
            return Err(ClaimError::AlreadyClaimed);
        }
        let hash = self.hash(password.0).await?;
        let failed = || StateError::query("create the administrator");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        let made: Option<(AccountId,)> = sqlx::query_as(
            "INSERT INTO account (user_name, password_hash, created_at)
             SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM account)
             RETURNING id",
        )
        .bind(user_name.as_str())
        .bind(hash)
        .bind(now.as_millisecond())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed())?;
        let Some((id,)) = made else { return Err(ClaimError::AlreadyClaimed) };
        sessions::delete_setup(&mut tx).await.map_err(failed())?;
        audit::insert(&mut tx, now, Some(user_name), "administrator-created", "The machine is claimed.")
            .await
            .map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        Ok(Account { id, user_name: user_name.clone(), created_at: time(now.as_millisecond())? })
    }

    /// Checks a user name and a password, and counts the failure.
    ///
    /// A name without an account takes as long, and is made to wait as much, as one with an account.
    pub async fn verify_password(
        &self,
        now: Timestamp,
        user_name: &str,
        password: SecretString,
    ) -> Result<Account, SignInError> {
        let known_name = UserName::try_from(user_name.to_owned()).ok();
        if let Some(name) = &known_name {
            self.count_attempt(now, name).await?;
        }
        let found = match &known_name {
            Some(name) => self.account_and_hash(name).await?,
            None => None,
        };
        let (account, hash) = match found {
            Some((account, hash)) => (Some(account), hash),
            None => (None, DUMMY_HASH.to_owned()),
        };
        let right = self.matches(password, hash).await?;
        match account {
            Some(account) if right => {
                self.forget_failures(&account.user_name).await?;
                Ok(account)
            }
            _ => Err(SignInError::Wrong),
        }
    }

    /// Removes every account and session, so that the machine can be claimed again with a new setup code.
    ///
    /// Settings, queue and the wizard's other answers stay. For someone who lost the password and has
    /// root on the machine.
    pub async fn remove_accounts(&self, now: Timestamp) -> Result<(), StateError> {
        let failed = || StateError::query("remove the accounts");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        sqlx::query("DELETE FROM session").execute(&mut *tx).await.map_err(failed())?;
        sqlx::query("DELETE FROM account").execute(&mut *tx).await.map_err(failed())?;
        audit::insert(&mut tx, now, None, "accounts-removed", "By root, on the machine itself.")
            .await
            .map_err(failed())?;
        tx.commit().await.map_err(failed())
    }

    async fn account_and_hash(&self, name: &UserName) -> Result<Option<(Account, String)>, StateError> {
        let row: Option<(AccountId, i64, String)> =
            sqlx::query_as("SELECT id, created_at, password_hash FROM account WHERE user_name = ?1")
                .bind(name.as_str())
                .fetch_optional(&self.readers)
                .await
                .map_err(StateError::query("read the account"))?;
        let Some((id, created_at, hash)) = row else { return Ok(None) };
        Ok(Some((Account { id, user_name: name.clone(), created_at: time(created_at)? }, hash)))
    }

    /// Counts the attempt as failed before the password is looked at, so that many attempts at once
    /// cannot slip through; a right password takes the count back.
    async fn count_attempt(&self, now: Timestamp, name: &UserName) -> Result<(), SignInError> {
        let failed = || StateError::query("count the sign-in");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        forget_old_failures(&mut tx, now).await.map_err(failed())?;
        let row: Option<(i64, i64)> =
            sqlx::query_as("SELECT failures, blocked_until FROM sign_in_failure WHERE user_name = ?1")
                .bind(name.as_str())
                .fetch_optional(&mut *tx)
                .await
                .map_err(failed())?;
        let (failures, blocked_until) = row.unwrap_or((0, i64::MIN));
        let wait = blocked_until.saturating_sub(now.as_millisecond());
        // A clock that was set back must not lock people out for longer than any wait we give.
        if wait > 0 && wait <= LONGEST_WAIT_SECONDS * 1000 {
            return Err(SignInError::TooMany { wait_seconds: (wait + 999) / 1000 });
        }
        let failures = failures.saturating_add(1);
        sqlx::query(
            "INSERT INTO sign_in_failure (user_name, failures, last_at, blocked_until) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user_name) DO UPDATE
             SET failures = excluded.failures, last_at = excluded.last_at, blocked_until = excluded.blocked_until",
        )
        .bind(name.as_str())
        .bind(failures)
        .bind(now.as_millisecond())
        .bind(now.as_millisecond().saturating_add(wait_after(failures).saturating_mul(1000)))
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        Ok(())
    }

    async fn forget_failures(&self, name: &UserName) -> Result<(), StateError> {
        sqlx::query("DELETE FROM sign_in_failure WHERE user_name = ?1")
            .bind(name.as_str())
            .execute(&self.writer)
            .await
            .map_err(StateError::query("count the sign-in"))?;
        Ok(())
    }

    async fn hash(&self, password: SecretString) -> Result<String, StateError> {
        self.hashing_thread(move || {
            let hash = Argon2::default()
                .hash_password(password.expose_secret().as_bytes())
                .map_err(|error| StateError::Hash(error.into()))?;
            Ok(hash.to_string())
        })
        .await
    }

    async fn matches(&self, password: SecretString, hash: String) -> Result<bool, StateError> {
        self.hashing_thread(move || {
            let hash = PasswordHash::new(&hash)
                .map_err(|error| StateError::Stored { what: "the password", source: error.into() })?;
            Ok(Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
        })
        .await
    }

    async fn hashing_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        let _permit = self.hashing.acquire().await.map_err(|error| StateError::Hash(error.into()))?;
        tokio::task::spawn_blocking(work).await.map_err(|error| StateError::Hash(error.into()))?
    }
}

/// What an unknown name is checked against: the hash of random bytes that nobody kept.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$dW5rbm93bi1hY2NvdW50$\
                          fZ0sCzYkOQBQ9C2p5bXq1rQe9oJkZ3cXW0mH7xT4v2M";

/// Seconds to wait after so many failures in a row.
fn wait_after(failures: i64) -> i64 {
    let over = failures.saturating_sub(FREE_FAILURES);
    if over <= 0 {
        return 0;
    }
    FIRST_WAIT_SECONDS.saturating_mul(1 << (over - 1).min(16)).min(LONGEST_WAIT_SECONDS)
}

/// Keeps the table small whatever names a stranger makes up: old ones go, and only the newest 1000 stay.
async fn forget_old_failures(db: &mut SqliteConnection, now: Timestamp) -> Result<(), sqlx::Error> {
    let before = now.saturating_sub(FORGET_FAILURES_AFTER).unwrap_or(Timestamp::MIN);
    sqlx::query(
        "DELETE FROM sign_in_failure
          WHERE last_at < ?1
             OR user_name IN (SELECT user_name FROM sign_in_failure ORDER BY last_at DESC LIMIT -1 OFFSET 1000)",
    )
    .bind(before.as_millisecond())
    .execute(db)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
