-- A published start list is a document: crews have read it. A correction is a new version.

CREATE OR REPLACE FUNCTION trm_start_list_is_published() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    -- Erasing a person takes names away, and nothing else.
    IF current_setting('trm.erasing', true) = 'on'
        AND to_jsonb(NEW) - ARRAY['rows', 'updated_at'] = to_jsonb(OLD) - ARRAY['rows', 'updated_at']
        AND (SELECT jsonb_agg(line - 'crew' ORDER BY n) FROM jsonb_array_elements(NEW.rows) WITH ORDINALITY t(line, n))
            = (SELECT jsonb_agg(line - 'crew' ORDER BY n) FROM jsonb_array_elements(OLD.rows) WITH ORDINALITY t(line, n))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'start list % is published: publish a new version instead', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE TRIGGER start_lists_published_is_final
    BEFORE UPDATE ON start_lists FOR EACH ROW WHEN (OLD.state = 'published')
    EXECUTE FUNCTION trm_start_list_is_published();
