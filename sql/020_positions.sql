-- positions: every fix of every tracker, the evidence that all results come from (contracts §2).
-- A hypertable where TimescaleDB is, else partitions by UTC day made ahead of time, plus a default one.

DO $$
DECLARE
    ddl constant text := '
        CREATE TABLE positions (
            device_id text NOT NULL,
            ts timestamptz NOT NULL,
            ingested_at timestamptz NOT NULL DEFAULT now(),
            latitude double precision NOT NULL,
            longitude double precision NOT NULL,
            altitude real NOT NULL,
            angle real NOT NULL,
            speed real NOT NULL,
            satellites smallint NOT NULL,
            priority smallint NOT NULL,
            codec text NOT NULL,
            attributes jsonb NOT NULL,
            decoded_attributes jsonb,
            faulty boolean NOT NULL DEFAULT false,
            CONSTRAINT positions_once PRIMARY KEY (device_id, ts)
        )';
BEGIN
    IF to_regclass('positions') IS NOT NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
        EXECUTE ddl;
        PERFORM create_hypertable(
            'positions', by_range('ts', interval '1 day'), create_default_indexes => false
        );
    ELSE
        EXECUTE ddl || ' PARTITION BY RANGE (ts)';
        CREATE TABLE positions_default PARTITION OF positions DEFAULT;
    END IF;
END
$$;

CREATE INDEX IF NOT EXISTS positions_by_time ON positions (ts);
CREATE INDEX IF NOT EXISTS positions_usable ON positions (device_id, ts DESC) WHERE NOT faulty;

-- Make the partitions of the days from_day to to_day (UTC, both included) that are not there yet, and return
-- how many were made. Rows of such a day that wait in the default partition move. Nothing under TimescaleDB.
CREATE OR REPLACE FUNCTION trm_make_position_partitions(from_day date, to_day date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    missing date[];
    day date;
    made integer := 0;
    name text;
    lower_bound timestamptz;
    upper_bound timestamptz;
BEGIN
    SELECT array_agg(d::date ORDER BY d) INTO missing
    FROM generate_series(from_day::timestamp, to_day::timestamp, interval '1 day') AS d
    WHERE to_regclass('positions_' || to_char(d, 'YYYYMMDD')) IS NULL;
    IF missing IS NULL OR to_regclass('positions_default') IS NULL THEN
        RETURN 0;
    END IF;
    -- No row may enter the default partition between the move and the attachment; of two callers one waits.
    LOCK TABLE positions_default IN ACCESS EXCLUSIVE MODE;
    FOREACH day IN ARRAY missing LOOP
        name := 'positions_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        lower_bound := day::timestamp AT TIME ZONE 'UTC';
        upper_bound := (day + 1)::timestamp AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE %I (LIKE positions INCLUDING ALL)', name);
        EXECUTE format(
            'WITH moved AS (DELETE FROM positions_default WHERE ts >= $1 AND ts < $2 RETURNING *)
             INSERT INTO %I SELECT * FROM moved', name
        ) USING lower_bound, upper_bound;
        EXECUTE format(
            'ALTER TABLE positions ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            name, lower_bound, upper_bound
        );
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

SELECT trm_make_position_partitions(
    (now() AT TIME ZONE 'UTC')::date - 1, (now() AT TIME ZONE 'UTC')::date + 7
);
