-- 0003: the receipt ledger.
-- Why: which file a serial number came from, and when the server took it, must be answerable and provable after the
-- file, and even the report, have left this machine. Nothing in it is ever changed.
-- Cost: one row for each report that is made, and one for each final answer of the server.

CREATE TABLE ledger (
  seq               INTEGER PRIMARY KEY AUTOINCREMENT,
  at                INTEGER NOT NULL,           -- milliseconds, UTC
  event             TEXT    NOT NULL,
  source            TEXT    NOT NULL,
  file_name         TEXT,
  file_sha256       TEXT,
  file_bytes        INTEGER,
  converter         TEXT,
  converter_version TEXT,
  arguments         TEXT,
  report_id         TEXT,
  report_sha256     TEXT,
  serial_number     TEXT,
  part_number       TEXT,
  result            TEXT,
  words             TEXT,
  hash              TEXT    NOT NULL            -- of this row and the hash before it
) STRICT;

CREATE INDEX ledger_serial ON ledger (serial_number) WHERE serial_number IS NOT NULL;
CREATE INDEX ledger_report ON ledger (report_id)     WHERE report_id IS NOT NULL;

CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_not_shortened BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
