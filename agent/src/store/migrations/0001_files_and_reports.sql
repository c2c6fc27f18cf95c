-- 0001: the input files and the reports that came of them.
-- Why: from the moment a file is claimed until its reports are acknowledged, this is the one record.
-- Cost: the first tables of a new database.

CREATE TABLE file (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  source       TEXT    NOT NULL,
  converter    TEXT    NOT NULL,
  arguments    TEXT    NOT NULL,                -- JSON object, keys sorted
  path         BLOB    NOT NULL,                -- where it was found; names need not be UTF-8
  name         TEXT    NOT NULL,
  device       INTEGER NOT NULL,
  inode        INTEGER NOT NULL,
  size_bytes   INTEGER NOT NULL CHECK (size_bytes >= 0),
  modified_ns  INTEGER NOT NULL,
  sha256       TEXT    NOT NULL,                -- empty where the content was never read
  state        TEXT    NOT NULL CHECK (state IN ('claimed', 'converted', 'failed')),
  received_at  INTEGER NOT NULL,
  reports      INTEGER NOT NULL DEFAULT 0 CHECK (reports >= 0),
  error        TEXT,
  duplicate_of INTEGER REFERENCES file (id),    -- the same content was converted before
  put_away     INTEGER NOT NULL DEFAULT 0 CHECK (put_away IN (0, 1)),
  kept_at      BLOB,                            -- where it lies now; NULL where it was found, or gone
  CHECK ((state = 'failed') = (error IS NOT NULL)),
  CHECK (state <> 'claimed' OR put_away = 0)
) STRICT;

CREATE INDEX file_path    ON file (source, path);
CREATE INDEX file_content ON file (sha256);
CREATE INDEX file_state   ON file (state, source);
CREATE INDEX file_source  ON file (source, state);
CREATE INDEX file_to_do   ON file (source) WHERE put_away = 0;

CREATE TABLE report (
  seq           INTEGER PRIMARY KEY,            -- order of storing; a new content gets a new one
  id            TEXT    NOT NULL UNIQUE,        -- as the server knows it
  file_id       INTEGER NOT NULL REFERENCES file (id),
  serial_number TEXT    NOT NULL,
  part_number   TEXT    NOT NULL,
  process_code  INTEGER,
  result        TEXT    NOT NULL,
  state         TEXT    NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'rejected', 'discarded')),
  attempts      INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  stored_at     INTEGER NOT NULL,
  due_at        INTEGER NOT NULL,
  sent_at       INTEGER,
  error         TEXT,
  answer        TEXT,                           -- the server's whole answer to the last attempt
  body          BLOB    NOT NULL,               -- WSJF; last, so that lists do not read it
  CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CHECK (state <> 'rejected' OR error IS NOT NULL)
) STRICT;

CREATE INDEX report_due   ON report (due_at, seq) WHERE state = 'queued';
CREATE INDEX report_state ON report (state, sent_at);
CREATE INDEX report_old   ON report (stored_at)   WHERE state = 'queued';
CREATE INDEX report_file  ON report (file_id);
