-- audit_log: every change of every business row, whoever made it and through whatever door: ORM, bulk, raw SQL.
--
-- Who acts is told by the transaction-local setting trm.actor, a JSON object with user, who, door, reason
-- (apps/common/audit.py puts it before every write). Without it the door is "sql" and who is the login role. In psql:
--     begin; set local trm.actor = '{"who": "arta", "reason": "decision 12"}'; update ...; commit;
--
-- The log is append-only. The functions that write it run as its owner, so the application's role needs no more than
-- to read it and gets no more: give it a role of its own that owns nothing. A trigger refuses everyone else. Upkeep,
-- e.g. to take old rows away, is an act of the owner that nobody does by accident:
--     begin; alter table audit_log disable trigger audit_log_append_only; delete ...;
--     alter table audit_log enable always trigger audit_log_append_only; commit;

-- What the functions below are made with: a table of the same name in pg_temp must not come before the log.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);

CREATE TABLE IF NOT EXISTS audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    transaction_id bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    table_name text NOT NULL,
    row_id text NOT NULL,
    action text NOT NULL CHECK (action IN ('insert', 'update', 'delete')),
    old jsonb,                         -- the whole row, or of an update what changed
    new jsonb,
    user_id uuid,                      -- no foreign keys: the log outlives what it is about
    who text NOT NULL,                 -- e-mail, OS user, instance, or the database's login role
    door text NOT NULL,
    reason text NOT NULL,
    organization_id uuid,
    event_id uuid,
    entry_id uuid
);
CREATE INDEX IF NOT EXISTS audit_log_row ON audit_log (table_name, row_id, id);
CREATE INDEX IF NOT EXISTS audit_log_entry ON audit_log (entry_id, id) WHERE entry_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_log_left_entry ON audit_log ((old ->> 'entry_id'), id)
    WHERE action = 'update' AND old ->> 'entry_id' IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_log_event ON audit_log (event_id, id) WHERE event_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_log_organization ON audit_log (organization_id, id) WHERE organization_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_log_user ON audit_log (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_log_transaction ON audit_log (transaction_id);
CREATE INDEX IF NOT EXISTS audit_log_at ON audit_log USING brin (at);

-- A row as the log keeps it: without secrets, and without what PostgreSQL derives from other columns.
CREATE OR REPLACE FUNCTION trm_audit_kept(row_as_json jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $function$
    SELECT CASE
        WHEN row_as_json ?| ARRAY['password', 'secret', 'previous_secret'] THEN row_as_json || (
            SELECT jsonb_object_agg(key, '(not kept)') FROM jsonb_object_keys(row_as_json) AS key
            WHERE key IN ('password', 'secret', 'previous_secret')
        )
        ELSE row_as_json - 'geom'
    END
$function$;

-- Add one line to the log. `old` and `new` are whole rows, null where there is none.
CREATE OR REPLACE FUNCTION trm_audit_write(changed_table text, old jsonb, new jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $function$
DECLARE
    actor jsonb := coalesce(nullif(current_setting('trm.actor', true), ''), '{}')::jsonb;
    subject jsonb := coalesce(new, old);
    action text := CASE WHEN old IS NULL THEN 'insert' WHEN new IS NULL THEN 'delete' ELSE 'update' END;
    was jsonb := trm_audit_kept(old);
    became jsonb := trm_audit_kept(new);
    organization uuid := subject ->> 'organization_id';
    event uuid := subject ->> 'event_id';
    entry uuid := subject ->> 'entry_id';
BEGIN
    IF action = 'update' THEN
        SELECT trm_audit_kept(jsonb_object_agg(key, old -> key)), trm_audit_kept(jsonb_object_agg(key, value))
        INTO was, became
        FROM jsonb_each(new)
        -- Bookkeeping of the database and of Django's login is no change of a business row.
        WHERE value IS DISTINCT FROM old -> key AND key NOT IN ('updated_at', 'last_login', 'geom');
        IF became IS NULL THEN
            RETURN;
        END IF;
    END IF;

    CASE changed_table
        WHEN 'organizations' THEN organization := subject ->> 'id';
        WHEN 'events' THEN event := subject ->> 'id';
        WHEN 'entries' THEN entry := subject ->> 'id';
        ELSE NULL;
    END CASE;
    IF event IS NULL THEN
        IF entry IS NOT NULL THEN
            SELECT e.event_id INTO event FROM entries e WHERE e.id = entry;
        ELSIF subject ->> 'stage_id' IS NOT NULL THEN
            SELECT s.event_id INTO event FROM stages s WHERE s.id = (subject ->> 'stage_id')::uuid;
        ELSIF subject ->> 'segment_id' IS NOT NULL THEN
            SELECT s.event_id INTO event FROM segments g JOIN stages s ON s.id = g.stage_id
            WHERE g.id = (subject ->> 'segment_id')::uuid;
        ELSIF subject ->> 'alert_id' IS NOT NULL THEN
            SELECT a.event_id, a.entry_id INTO event, entry FROM alerts a WHERE a.id = (subject ->> 'alert_id')::uuid;
        END IF;
    END IF;
    IF organization IS NULL AND event IS NOT NULL THEN
        SELECT v.organization_id INTO organization FROM events v WHERE v.id = event;
    END IF;

    INSERT INTO audit_log (
        table_name, row_id, action, old, new, user_id, who, door, reason, organization_id, event_id, entry_id
    ) VALUES (
        changed_table, subject ->> 'id', action, was, became,
        (actor ->> 'user')::uuid,
        coalesce(actor ->> 'who', session_user),
        coalesce(actor ->> 'door', 'sql'),
        -- An act that gives its reason to the row need not give it twice.
        coalesce(
            actor ->> 'reason', nullif(became ->> 'revoked_reason', ''), nullif(became ->> 'withdrawn_reason', ''),
            nullif(became ->> 'reason', ''), ''
        ),
        organization, event, entry
    );
END
$function$;

CREATE OR REPLACE FUNCTION trm_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone TO 'UTC' AS $function$
BEGIN
    PERFORM trm_audit_write(
        TG_TABLE_NAME,
        CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END,
        CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END
    );
    RETURN NULL;
END
$function$;

-- TRUNCATE takes away rows without any row trigger: log each of them before.
CREATE OR REPLACE FUNCTION trm_audit_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET timezone TO 'UTC' AS $function$
BEGIN
    EXECUTE format(
        'SELECT trm_audit_write(%L, to_jsonb(t), NULL) FROM %I.%I t', TG_TABLE_NAME, TG_TABLE_SCHEMA, TG_TABLE_NAME
    );
    RETURN NULL;
END
$function$;

CREATE OR REPLACE FUNCTION trm_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    RAISE EXCEPTION '% refused: audit_log is append-only', TG_OP USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE TRIGGER audit_log_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT
    EXECUTE FUNCTION trm_audit_is_append_only();
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER audit_log_append_only;

-- The business tables, and the rights. Not here, for volume: evidence that is never edited (positions) and readings
-- that the scorer replaces (apps/audit/tests/test_coverage.py lists them and fails for a table on neither list).
DO $$
DECLARE
    audited text;
BEGIN
    FOREACH audited IN ARRAY ARRAY[
        'users', 'users_groups', 'users_user_permissions', 'auth_group', 'auth_group_permissions',
        'guardian_userobjectpermission', 'guardian_groupobjectpermission',
        'organizations', 'organization_users', 'organization_user_permissions', 'organization_group_permissions',
        'vehicles', 'devices', 'device_models', 'io_mappings', 'organization_vehicles', 'organization_devices',
        'events', 'classes', 'entries', 'entry_crew', 'entry_devices',
        'stages', 'segments', 'geofences', 'waypoints', 'speed_limit_zones',
        'penalty_formulas', 'profile_uses', 'rule_answers', 'entry_incidents', 'decisions',
        'entry_segment_starts', 'timing_records', 'start_overrides', 'start_lists',
        'result_revisions', 'acknowledgements', 'webhooks',
        'safety_settings', 'alerts', 'alert_lines', 'entry_accountings', 'stage_closings',
        'race_log', 'race_control_settings',
        'saved_views', 'comments', 'commands', 'command_texts'
    ] LOOP
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER trm_audit AFTER INSERT OR UPDATE OR DELETE ON %I
             FOR EACH ROW EXECUTE FUNCTION trm_audit()', audited
        );
        EXECUTE format(
            'CREATE OR REPLACE TRIGGER trm_audit_truncate BEFORE TRUNCATE ON %I
             FOR EACH STATEMENT EXECUTE FUNCTION trm_audit_truncate()', audited
        );
    END LOOP;
END
$$;

-- Nobody but the owner may write the log, or make triggers that do, whatever default privileges have given.
DO $$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM pg_class, aclexplode(relacl) AS acl
        WHERE pg_class.oid = 'audit_log'::regclass AND acl.grantee <> relowner
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON audit_log FROM %s', grantee);
    END LOOP;
    REVOKE EXECUTE ON FUNCTION trm_audit(), trm_audit_truncate() FROM PUBLIC;
END
$$;
