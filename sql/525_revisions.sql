-- A published revision is a legal document: nobody changes or removes it. A correction is a new revision.
-- (Whoever may truncate, as the tests and the demo do, takes the whole event away with it.)

CREATE OR REPLACE FUNCTION trm_revision_is_published() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    RAISE EXCEPTION 'revision % is published: publish a new one instead', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE TRIGGER result_revisions_are_final
    BEFORE UPDATE ON result_revisions FOR EACH ROW EXECUTE FUNCTION trm_revision_is_published();
