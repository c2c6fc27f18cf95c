//! How often the setup code may be tried. Counted for the whole machine and kept over restarts.

use jiff::{SignedDuration, Timestamp};

use super::{State, StateError, setup_code::SetupCodeFile};

/// So many wrong codes…
const ATTEMPTS: i64 = 10;
/// …in so long.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// Why a setup code was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SetupCodeError {
    #[error("That is not the setup code on the machine's screen.")]
    Wrong,
    #[error("Too many wrong setup codes. Try again in {wait_seconds} seconds.")]
    TooMany { wait_seconds: i64 },
    #[error("This machine already has an administrator. Sign in with that account.")]
    AlreadyClaimed,
    #[error("The machine has no setup code yet. Restart it, and look at its screen.")]
    NoCode,
    #[error("could not read the setup code")]
    Read(#[source] std::io::Error),
    #[error(transparent)]
    State(#[from] StateError),
}

impl State {
    /// Compares what somebody typed with the setup code; writes to the audit log how it went.
    pub async fn try_setup_code(
        &self,
        now: Timestamp,
        file: &SetupCodeFile,
        typed: &str,
    ) -> Result<(), SetupCodeError> {
        if self.is_claimed().await? {
            return Err(SetupCodeError::AlreadyClaimed);
        }
        self.count_setup_attempt(now).await?;
        let code = file.read().map_err(SetupCodeError::Read)?.ok_or(SetupCodeError::NoCode)?;
        if !code.is(typed) {
            self.record(now, None, "setup-code-refused", "A wrong setup code was entered.").await?;
            return Err(SetupCodeError::Wrong);
        }
        sqlx::query("DELETE FROM setup_attempt")
            .execute(&self.writer)
            .await
            .map_err(StateError::query("count the attempt"))?;
        self.record(now, None, "setup-code-accepted", "The right setup code was entered.").await?;
        Ok(())
    }

    /// Counts before the code is compared, so that many attempts at once cannot slip through.
    async fn count_setup_attempt(&self, now: Timestamp) -> Result<(), SetupCodeError> {
        let failed = || StateError::query("count the attempt");
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed())?;
        let window_start = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN).as_millisecond();
        // Rows from the future are from before the clock was set back: they must not block for ever.
        sqlx::query("DELETE FROM setup_attempt WHERE at <= ?1 OR at > ?2")
            .bind(window_start)
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        let (count, oldest): (i64, Option<i64>) =
            sqlx::query_as("SELECT count(*), min(at) FROM setup_attempt")
                .fetch_one(&mut *tx)
                .await
                .map_err(failed())?;
        if let Some(oldest) = oldest.filter(|_| count >= ATTEMPTS) {
            return Err(SetupCodeError::TooMany { wait_seconds: (oldest - window_start + 999) / 1000 });
        }
        sqlx::query("INSERT INTO setup_attempt (at) VALUES (?1)")
            .bind(now.as_millisecond())
            .execute(&mut *tx)
            .await
            .map_err(failed())?;
        tx.commit().await.map_err(failed())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        setup_code::SetupCode,
        testing::{Bench, at, bench},
    };
    use super::*;

    async fn unclaimed() -> (Bench, SetupCodeFile, String) {
        let bench = bench().await;
        let file = SetupCodeFile::new(bench.folder.path().join("setup-code"));
        let code = SetupCode::random().unwrap();
        file.write(&code, crate::files::Owner::default()).unwrap();
        let text = code.expose().to_owned();
        (bench, file, text)
    }

    async fn attempt(bench: &Bench, file: &SetupCodeFile, seconds: i64, typed: &str) -> String {
        match bench.state.try_setup_code(at(seconds), file, typed).await {
            Ok(()) => "accepted".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    const WRONG: &str = "That is not the setup code on the machine's screen.";

    #[tokio::test]
    async fn the_right_code_is_accepted_and_wrong_ones_are_not() {
        let (bench, file, code) = unclaimed().await;
        assert_eq!(attempt(&bench, &file, 0, "AAAA-AAAA-AAAA").await, WRONG);
        assert_eq!(attempt(&bench, &file, 0, "").await, WRONG);
        assert_eq!(attempt(&bench, &file, 0, &code).await, "accepted");
        let log = bench.state.audit_log(10).await.unwrap();
        assert_eq!(
            log.iter().map(|e| e.action.as_str()).collect::<Vec<_>>(),
            ["setup-code-accepted", "setup-code-refused", "setup-code-refused"],
        );
        assert!(log.iter().all(|e| !e.detail.contains(&code)));
    }

    #[tokio::test]
    async fn the_eleventh_attempt_waits_even_with_the_right_code_and_after_a_restart() {
        let (bench, file, code) = unclaimed().await;
        for second in 0..10 {
            assert_eq!(attempt(&bench, &file, second, "wrong").await, WRONG);
        }
        bench.state.close().await;
        let state = State::open(&bench.folder.path().join("appliance.db")).await.unwrap();
        let bench = Bench { state, folder: bench.folder };
        let wait = "Too many wrong setup codes. Try again in 290 seconds.";
        assert_eq!(attempt(&bench, &file, 10, &code).await, wait);
        assert_eq!(attempt(&bench, &file, 300, &code).await, "accepted");
        assert_eq!(attempt(&bench, &file, 300, "wrong").await, WRONG, "the count starts anew");
    }

    #[tokio::test]
    async fn attempts_at_the_same_moment_are_all_counted() {
        let (bench, file, _) = unclaimed().await;
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let (state, file) = (bench.state.clone(), file.clone());
            tasks.spawn(async move { state.try_setup_code(at(0), &file, "wrong").await });
        }
        let outcomes = tasks.join_all().await;
        assert_eq!(outcomes.iter().filter(|o| matches!(o, Err(SetupCodeError::Wrong))).count(), 10);
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_does_not_block() {
        let (bench, file, code) = unclaimed().await;
        for _ in 0..10 {
            attempt(&bench, &file, 86_400, "wrong").await;
        }
        assert_eq!(attempt(&bench, &file, 0, &code).await, "accepted");
    }

    #[tokio::test]
    async fn a_claimed_machine_accepts_no_code() {
        use super::super::accounts::{NewPassword, UserName};
        let (bench, file, code) = unclaimed().await;
        let name = UserName::try_from("anna".to_owned()).unwrap();
        let password = NewPassword::new("correct horse battery".to_owned().into(), &name).unwrap();
        bench.state.create_first_admin(at(0), &name, password).await.unwrap();
        assert!(attempt(&bench, &file, 0, &code).await.contains("already has an administrator"));
    }

    #[tokio::test]
    async fn without_a_code_nothing_is_accepted() {
        let (bench, file, _) = unclaimed().await;
        file.delete().unwrap();
        assert!(attempt(&bench, &file, 0, "").await.contains("no setup code"));
    }
}
