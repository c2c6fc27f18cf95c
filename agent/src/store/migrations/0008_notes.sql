-- 0008: what a plug-in said about a file.
-- Why: a plug-in may leave a file where it is, or want another thing done with it than its source says, and both must
-- hold after a restart; what it said on the way helps the person who wrote it.
-- Cost: an empty table. A file of a native converter has no row in it.

CREATE TABLE file_note (
  file_id INTEGER PRIMARY KEY REFERENCES file (id) ON DELETE CASCADE,
  program TEXT NOT NULL,                        -- SHA-256 of the plug-in
  outcome TEXT CHECK (outcome IN ('skipped', 'rejected')), -- it was left where it was
  reason  TEXT,
  after   TEXT CHECK (after IN ('archive', 'zip', 'delete', 'keep')),
  log     TEXT NOT NULL,                        -- JSON array of lines
  CHECK ((outcome IS NULL) = (reason IS NULL))
) STRICT;
