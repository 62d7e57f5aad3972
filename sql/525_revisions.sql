-- A published revision is a legal document: nobody changes or removes it. A correction is a new revision.
-- (Whoever may truncate, as the tests and the demo do, takes the whole event away with it.)

CREATE OR REPLACE FUNCTION trm_revision_is_published() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    -- Erasing a person takes names away, and nothing else: not a line of the results, not the hash it was published with.
    IF current_setting('trm.erasing', true) = 'on'
        AND to_jsonb(NEW) - ARRAY['snapshot', 'erasures', 'updated_at']
            = to_jsonb(OLD) - ARRAY['snapshot', 'erasures', 'updated_at']
        AND NEW.snapshot - 'printed' = OLD.snapshot - 'printed'
        AND jsonb_array_length(NEW.erasures) = jsonb_array_length(OLD.erasures) + 1
        AND NEW.erasures - (-1) = OLD.erasures
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'revision % is published: publish a new one instead', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE TRIGGER result_revisions_are_final
    BEFORE UPDATE ON result_revisions FOR EACH ROW EXECUTE FUNCTION trm_revision_is_published();
