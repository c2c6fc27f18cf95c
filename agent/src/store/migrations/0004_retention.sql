-- 0004: finding what may be forgotten.
-- Why: files and reports that the server has are kept for a time only.
-- Cost: two indexes on the files.

CREATE INDEX file_received  ON file (received_at, id)  WHERE state = 'converted' AND put_away = 1;
CREATE INDEX file_duplicate ON file (duplicate_of)     WHERE duplicate_of IS NOT NULL;
