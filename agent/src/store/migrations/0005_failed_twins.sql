-- 0005: finding a failed file by its content.
-- Why: every new file asks whether the same content failed before; without this the answer costs as much as there are
-- failed files.
-- Cost: one small index.

CREATE INDEX file_failed ON file (sha256, source) WHERE state = 'failed';
