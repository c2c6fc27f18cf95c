-- 0006: the bodies of reports in a table of their own, and finding a file by its place and time.
-- Why: a report's row changes as it is sent, and its body was written again each time; a tester that gives every file
-- the same name made each new one slower to look up than the last. What is being sent is known to the running agent
-- alone: an agent that ends has nothing on its way.
-- Cost: every body that is kept is copied once, and the table of reports is written anew.

CREATE TABLE report_body (
  seq  INTEGER PRIMARY KEY REFERENCES report (seq) ON DELETE CASCADE,
  body BLOB    NOT NULL                         -- WSJF
) STRICT;

INSERT INTO report_body (seq, body) SELECT seq, body FROM report;
ALTER TABLE report DROP COLUMN body;
UPDATE report SET state = 'queued' WHERE state = 'sending';

-- Nothing is looked up by it.
DROP INDEX ledger_report;

DROP INDEX file_path;
CREATE INDEX file_place ON file (source, path, modified_ns);
