-- A published start list is a document: crews have read it. A correction is a new version.

CREATE OR REPLACE FUNCTION trm_start_list_is_published() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    RAISE EXCEPTION 'start list % is published: publish a new version instead', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE TRIGGER start_lists_published_is_final
    BEFORE UPDATE ON start_lists FOR EACH ROW WHEN (OLD.state = 'published')
    EXECUTE FUNCTION trm_start_list_is_published();
