-- 0007: the hash of a report's body beside it, and bodies packed.
-- Why: the hash was computed again for each upload, from the body that is now packed to a fifth of its size. A body that an
-- earlier version wrote stays as it is; what is packed tells by its first byte.
-- Cost: none; the hash of older bodies is computed when it is needed.

ALTER TABLE report_body ADD COLUMN sha256 TEXT;
