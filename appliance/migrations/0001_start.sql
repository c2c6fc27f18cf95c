-- 0001: accounts, sessions, the wizard's progress and the audit log.
-- Cost: none, the tables are new.

CREATE TABLE account (
    id            INTEGER PRIMARY KEY,
    user_name     TEXT    NOT NULL UNIQUE CHECK (user_name = lower(user_name)),
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

-- Failures are counted for names that have no account too: otherwise the waiting time would tell
-- which names exist.
CREATE TABLE sign_in_failure (
    user_name     TEXT    PRIMARY KEY,
    failures      INTEGER NOT NULL CHECK (failures > 0),
    last_at       INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_failure_by_age ON sign_in_failure (last_at);

CREATE TABLE session (
    token_sha256 BLOB    PRIMARY KEY CHECK (length(token_sha256) = 32),
    purpose      TEXT    NOT NULL CHECK (purpose IN ('setup', 'signed-in')),
    account_id   INTEGER REFERENCES account (id) ON DELETE CASCADE,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    CHECK ((purpose = 'signed-in') = (account_id IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_account ON session (account_id);

CREATE TABLE setup_attempt (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE wizard_step (
    step    TEXT    PRIMARY KEY CHECK (step IN ('machine', 'server', 'station', 'converters', 'done')),
    done_at INTEGER NOT NULL,
    answers TEXT    NOT NULL CHECK (json_valid(answers))
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id        INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,
    user_name TEXT,
    action    TEXT    NOT NULL,
    detail    TEXT    NOT NULL
) STRICT;
