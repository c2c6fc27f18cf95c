-- 0010: indexes whose new entries share pages.
-- Why: hashes, serial numbers and places come in no order. With a long queue each new file changed a page of its own in each of
-- the three indexes, and all these pages went into the log and soon after into the database.
-- By the first eight of its 64 digits a content is found as well, and four times as many entries share a page; the whole hash
-- is compared in the row. With the time before the path, new places are added at the end. Of serial numbers only those of 4096
-- records are mixed with each other: whoever looks for one looks into each such part.
-- Cost: two passes over the files, and one over the ledger.

DROP INDEX file_content;
CREATE INDEX file_content ON file (substr(sha256, 1, 8));
DROP INDEX file_place;
CREATE INDEX file_place ON file (source, modified_ns, path);
DROP INDEX ledger_serial;
CREATE INDEX ledger_serial ON ledger (seq / 4096, serial_number) WHERE serial_number IS NOT NULL;
