-- 0002: each report knows its source.
-- Why: uploads take turns between sources, and a queue of 100 000 must be asked source by source without a join.
-- Cost: one column filled from the files, one index in place of another.

ALTER TABLE report ADD COLUMN source TEXT NOT NULL DEFAULT '';
UPDATE report SET source = (SELECT source FROM file WHERE file.id = report.file_id);
DROP INDEX report_due;
CREATE INDEX report_due      ON report (source, due_at, seq) WHERE state = 'queued';
CREATE INDEX report_next_due ON report (due_at)              WHERE state = 'queued';
