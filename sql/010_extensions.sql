-- Extensions. Only btree_gist is needed; the others are used where the server has them.

CREATE EXTENSION IF NOT EXISTS btree_gist;  -- no device in two entries at one time (entry_devices)

DO $$
BEGIN
    -- Being available is not enough: without the preloaded library CREATE EXTENSION fails.
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
        AND 'timescaledb' = ANY (string_to_array(replace(current_setting('shared_preload_libraries'), ' ', ''), ','))
    THEN
        CREATE EXTENSION IF NOT EXISTS timescaledb;
    END IF;
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgis') THEN
        CREATE EXTENSION IF NOT EXISTS postgis;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'an optional extension is left out: %', SQLERRM;
END
$$;
