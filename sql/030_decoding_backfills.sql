-- How far each `manage.py backfill_decoded` has come: written in the transaction of each batch, so that a process that
-- dies in the middle is gone on with where its last commit was.

CREATE TABLE IF NOT EXISTS decoding_backfills (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    devices text[] NOT NULL,                -- IMEIs in the order they are worked off
    from_ts timestamptz NOT NULL,
    to_ts timestamptz NOT NULL,             -- inclusive
    at_device text NOT NULL DEFAULT '',     -- the last position done
    at_ts timestamptz,
    seen bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
