-- 0010: two indexes whose entries share more pages.
-- Why: with a long queue each file changed a page of its own in the index of the contents, and the pages were written into
-- the database again and again. By the first ten digits of a hash, of 64, four times as many entries share a page; the whole
-- hash is compared in the row. With the time before the path, the places of new files are added at the end.
-- Cost: one pass over the files for each of the two.

DROP INDEX file_content;
CREATE INDEX file_content ON file (substr(sha256, 1, 10));
DROP INDEX file_place;
CREATE INDEX file_place ON file (source, modified_ns, path);
