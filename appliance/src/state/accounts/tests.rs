use super::super::testing::{Bench, at, bench};
use super::*;
use expect_test::expect;

fn name(text: &str) -> UserName {
    UserName::try_from(text.to_owned()).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

const GOOD: &str = "correct horse battery";

async fn claimed() -> Bench {
    let bench = bench().await;
    let password = NewPassword::new(secret(GOOD), &name("anna")).unwrap();
    bench.state.create_first_admin(at(0), &name("anna"), password).await.unwrap();
    bench
}

async fn sign_in(bench: &Bench, seconds: i64, user: &str, password: &str) -> String {
    match bench.state.verify_password(at(seconds), user, secret(password)).await {
        Ok(account) => format!("signed in as {}", account.user_name),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn of_many_claims_at_once_exactly_one_wins() {
    let bench = bench().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..8 {
        let state = bench.state.clone();
        tasks.spawn(async move {
            let user = name(&format!("admin{number}"));
            let password = NewPassword::new(secret(GOOD), &user).unwrap();
            state.create_first_admin(at(0), &user, password).await
        });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
    assert!(outcomes.iter().all(|o| matches!(o, Ok(_) | Err(ClaimError::AlreadyClaimed))));
    let (accounts,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM account").fetch_one(&bench.state.readers).await.unwrap();
    assert_eq!(accounts, 1);
}

#[tokio::test]
async fn a_machine_is_claimed_from_its_first_account_on() {
    let fresh = bench().await;
    assert!(!fresh.state.is_claimed().await.unwrap());
    let bench = claimed().await;
    assert!(bench.state.is_claimed().await.unwrap());
    bench.state.remove_accounts(at(1)).await.unwrap();
    assert!(!bench.state.is_claimed().await.unwrap());
    let actions: Vec<_> = bench.state.audit_log(9).await.unwrap().into_iter().map(|e| e.action).collect();
    assert_eq!(actions, ["accounts-removed", "administrator-created"]);
}

#[tokio::test]
async fn the_password_is_stored_as_argon2id_only() {
    let bench = claimed().await;
    let (hash,): (String,) =
        sqlx::query_as("SELECT password_hash FROM account").fetch_one(&bench.state.readers).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[test]
fn the_dummy_hash_costs_as_much_as_a_real_one() {
    let dummy = PasswordHash::new(DUMMY_HASH).unwrap();
    let real = Argon2::default().hash_password(b"anything").unwrap();
    assert_eq!(dummy.params, real.params);
    assert_eq!(dummy.algorithm, real.algorithm);
    assert_eq!(dummy.hash.unwrap().len(), real.hash.unwrap().len());
}

#[tokio::test]
async fn the_right_password_signs_in_whatever_the_case_of_the_name() {
    let bench = claimed().await;
    assert_eq!(sign_in(&bench, 0, " Anna ", GOOD).await, "signed in as anna");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_read_the_same() {
    let bench = claimed().await;
    let wrong = "User name or password is wrong.";
    assert_eq!(sign_in(&bench, 0, "anna", "something else").await, wrong);
    assert_eq!(sign_in(&bench, 0, "nobody", GOOD).await, wrong);
    assert_eq!(sign_in(&bench, 0, "no such name!", GOOD).await, wrong);
    assert_eq!(sign_in(&bench, 0, "", "").await, wrong);
}

#[tokio::test]
async fn after_five_failures_each_further_one_makes_wait_known_name_or_not() {
    let bench = claimed().await;
    for user in ["anna", "nobody"] {
        for _ in 0..6 {
            assert_eq!(sign_in(&bench, 0, user, "wrong").await, "User name or password is wrong.");
        }
        let wait = "Too many failed attempts. Try again in 15 seconds.";
        assert_eq!(sign_in(&bench, 0, user, "wrong").await, wait);
        assert_eq!(sign_in(&bench, 0, user, GOOD).await, wait, "the right password waits too");
        assert_eq!(
            sign_in(&bench, 14, user, "wrong").await,
            "Too many failed attempts. Try again in 1 seconds.",
        );
        assert_eq!(sign_in(&bench, 15, user, "wrong").await, "User name or password is wrong.");
        assert_eq!(
            sign_in(&bench, 15, user, "wrong").await,
            "Too many failed attempts. Try again in 30 seconds.",
        );
    }
    assert_eq!(sign_in(&bench, 45, "anna", GOOD).await, "signed in as anna");
    assert_eq!(sign_in(&bench, 45, "anna", "wrong").await, "User name or password is wrong.");
}

#[tokio::test]
async fn attempts_at_the_same_moment_are_all_counted() {
    let bench = claimed().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let state = bench.state.clone();
        tasks.spawn(async move { state.verify_password(at(0), "anna", secret("wrong")).await });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|o| matches!(o, Err(SignInError::Wrong))).count(), 6);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_lock_out() {
    let bench = claimed().await;
    for _ in 0..7 {
        sign_in(&bench, 0, "anna", "wrong").await;
    }
    assert_eq!(sign_in(&bench, -86_400, "anna", GOOD).await, "signed in as anna");
}

#[tokio::test]
async fn made_up_names_do_not_fill_the_database() {
    let bench = bench().await;
    for number in 0..1010 {
        sqlx::query("INSERT INTO sign_in_failure VALUES (?1, 1, ?2, 0)")
            .bind(format!("made-up-{number}"))
            .bind(at(number).as_millisecond())
            .execute(&bench.state.writer)
            .await
            .unwrap();
    }
    bench.state.count_attempt(at(2000), &name("one-more")).await.unwrap();
    let count = || async {
        let (count,): (i64,) = sqlx::query_as("SELECT count(*) FROM sign_in_failure")
            .fetch_one(&bench.state.readers)
            .await
            .unwrap();
        count
    };
    assert_eq!(count().await, 1001);
    bench.state.count_attempt(at(2001 + 86_400), &name("one-more")).await.unwrap();
    assert_eq!(count().await, 1, "old ones are forgotten");
}

#[test]
fn waits_double_up_to_five_minutes() {
    let waits: Vec<_> = (4..14).map(wait_after).collect();
    assert_eq!(waits, [0, 0, 15, 30, 60, 120, 240, 300, 300, 300]);
    assert_eq!(wait_after(i64::MAX), 300);
}

#[track_caller]
fn check_password(user: &str, password: &str, expected: &expect_test::Expect) {
    let shown = match NewPassword::new(secret(password), &name(user)) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn a_short_password_is_refused() {
    check_password("anna", "elevenchars", &expect!["The password is too short: at least 12 characters."]);
}

#[test]
fn characters_are_counted_and_not_bytes() {
    check_password("anna", "äöüßéèêáàâñ", &expect!["The password is too short: at least 12 characters."]);
    check_password("anna", "äöüßéèêáàâñç", &expect!["accepted"]);
}

#[test]
fn the_user_name_is_no_password() {
    check_password("anna.andersson", "Anna.Andersson", &expect!["The password must not be the user name."]);
}

#[test]
fn one_character_many_times_is_no_password() {
    check_password(
        "anna",
        "abababababababab",
        &expect!["The password repeats too few different characters: use at least 5 different ones."],
    );
}

#[test]
fn an_endless_password_is_refused() {
    check_password(
        "anna",
        &"abcdefgh".repeat(65),
        &expect!["The password is too long: 512 characters at most."],
    );
}

#[track_caller]
fn check_name(typed: &str, expected: &expect_test::Expect) {
    let shown = match UserName::try_from(typed.to_owned()) {
        Ok(name) => name.to_string(),
        Err(error) => error.to_string(),
    };
    expected.assert_eq(&shown);
}

#[test]
fn user_names_are_plain_and_lower_case() {
    check_name(" It-Admin@example.com ", &expect!["it-admin@example.com"]);
    check_name("  ", &expect!["Enter a user name."]);
    check_name(&"a".repeat(65), &expect!["The user name is too long: 64 characters at most."]);
    for odd in ["<script>", "two words", "åse"] {
        check_name(
            odd,
            &expect!["A user name has letters without accents, digits and the characters . _ - @ only."],
        );
    }
}
