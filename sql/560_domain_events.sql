-- domain_events: what happened, written in the transaction that changed the fact, by whatever door it was changed.
--
-- Triggers a statement, not a row: a batch of the scorer costs one insert more for each table it writes, however many
-- rows. No table can be forgotten by code, and no layer below has to know of the one that tells the world.
-- `manage.py run_relay` hands them out in the order of `id`. It looks for itself: NOTIFY would make every commit of
-- the scorer wait for one lock of the whole database.
--
-- Nothing personal and no IMEI goes into a payload: it leaves the house.

CREATE OR REPLACE FUNCTION trm_crossings_happened() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT CASE TG_OP WHEN 'INSERT' THEN 'crossing.recorded' ELSE 'crossing.withdrawn' END, e.event_id, e.id, now(),
           jsonb_build_object(
               'race_number', e.race_number, 'control', c.control, 'direction', c.direction, 'ts', c.ts,
               'uncertainty_ms', c.uncertainty_ms, 'before_ts', c.before_ts, 'after_ts', c.after_ts,
               'occurrence', c.occurrence
           )
    FROM changed c JOIN entries e ON e.id = c.entry_id
    ORDER BY c.ts, c.id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION trm_timing_records_happened() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT 'timing_record.written', e.event_id, e.id, now(), jsonb_build_object(
               'race_number', e.race_number, 'timing_record', c.id, 'control', c.control, 'source', c.source,
               'ts', round(extract(epoch FROM c.ts) * 1000)::bigint, 'status', c.status
           )
    FROM changed c JOIN entries e ON e.id = c.entry_id
    ORDER BY c.created_at, c.id;
    RETURN NULL;
END
$function$;

-- Ranks are not told: one new result moves many. The boards carry them (`/ws-live`).
CREATE OR REPLACE FUNCTION trm_stage_result_told(result stage_results, race_number integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $function$
    SELECT jsonb_build_object(
        'race_number', race_number, 'stage', result.stage_id, 'status', result.status, 'time_ms', result.time_ms,
        'penalty_ms', result.penalty_ms, 'total_ms', result.total_ms, 'splits', result.splits
    )
$function$;

CREATE OR REPLACE FUNCTION trm_stage_results_computed() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT 'stage_result.computed', e.event_id, e.id, now(), trm_stage_result_told(c, e.race_number)
    FROM changed c JOIN entries e ON e.id = c.entry_id
    ORDER BY e.id, c.stage_id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION trm_stage_results_recomputed() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT 'stage_result.computed', e.event_id, e.id, now(), trm_stage_result_told(c, e.race_number)
    FROM changed c JOIN was w ON w.id = c.id JOIN entries e ON e.id = c.entry_id
    WHERE (c.status, c.time_ms, c.penalty_ms, c.total_ms, c.splits)
          IS DISTINCT FROM (w.status, w.time_ms, w.penalty_ms, w.total_ms, w.splits)
    ORDER BY e.id, c.stage_id;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION trm_penalties_happened() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT CASE TG_OP WHEN 'INSERT' THEN 'penalty.issued' ELSE 'penalty.withdrawn' END, e.event_id, e.id, now(),
           jsonb_build_object(
               'race_number', e.race_number, 'stage', c.stage_id, 'offence', c.key, 'type', c.type,
               'seconds', c.seconds, 'applies_to', c.applies_to, 'status', c.status, 'article', c.article
           )
    FROM changed c JOIN entries e ON e.id = c.entry_id
    ORDER BY e.id, c.stage_id, c.key;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION trm_penalties_changed() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT 'penalty.changed', e.event_id, e.id, now(), jsonb_build_object(
               'race_number', e.race_number, 'stage', c.stage_id, 'offence', c.key, 'type', c.type,
               'seconds', c.seconds, 'applies_to', c.applies_to, 'status', c.status, 'article', c.article
           )
    FROM changed c JOIN was w ON w.id = c.id JOIN entries e ON e.id = c.entry_id
    WHERE (c.seconds, c.applies_to, c.status) IS DISTINCT FROM (w.seconds, w.applies_to, w.status)
    ORDER BY e.id, c.stage_id, c.key;
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION trm_revisions_happened() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT 'result.published', c.event_id, NULL, now(), jsonb_build_object(
               'revision', c.id, 'stage', c.stage_id, 'number', c.number, 'state', c.state, 'hash', c.hash,
               'protest_until', c.protest_until
           )
    FROM changed c ORDER BY c.number;
    RETURN NULL;
END
$function$;

-- For tables with columns event_id and, maybe, entry_id, one row at a time. Arguments: the kind, then the columns told.
CREATE OR REPLACE FUNCTION trm_row_happened() RETURNS trigger LANGUAGE plpgsql AS $function$
DECLARE
    told jsonb := to_jsonb(NEW);
BEGIN
    INSERT INTO domain_events (kind, event_id, entry_id, at, payload)
    SELECT TG_ARGV[0], (told ->> 'event_id')::uuid, (told ->> 'entry_id')::uuid, now(),
           coalesce(jsonb_object_agg(key, value), '{}')
    FROM jsonb_each(told) WHERE key = ANY (TG_ARGV[1:]) OR key = 'id';
    RETURN NULL;
END
$function$;

CREATE OR REPLACE TRIGGER trm_happened_insert AFTER INSERT ON alerts FOR EACH ROW
EXECUTE FUNCTION trm_row_happened('alert.raised', 'kind', 'severity', 'stage_id', 'since', 'note');

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN
        SELECT * FROM (VALUES
            ('entry_crossings', 'INSERT', 'trm_crossings_happened'),
            ('entry_crossings', 'DELETE', 'trm_crossings_happened'),
            ('timing_records', 'INSERT', 'trm_timing_records_happened'),
            ('stage_results', 'INSERT', 'trm_stage_results_computed'),
            ('stage_results', 'UPDATE', 'trm_stage_results_recomputed'),
            ('entry_penalties', 'INSERT', 'trm_penalties_happened'),
            ('entry_penalties', 'UPDATE', 'trm_penalties_changed'),
            ('entry_penalties', 'DELETE', 'trm_penalties_happened'),
            ('result_revisions', 'INSERT', 'trm_revisions_happened')
        ) AS t(changed_table, act, called)
    LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER %I AFTER %s ON %I REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            'trm_happened_' || lower(one.act), one.act, one.changed_table,
            CASE one.act WHEN 'INSERT' THEN 'NEW TABLE AS changed' WHEN 'DELETE' THEN 'OLD TABLE AS changed'
                         ELSE 'NEW TABLE AS changed OLD TABLE AS was' END,
            one.called
        );
    END LOOP;
END
$$;
