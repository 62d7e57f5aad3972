-- The race-control log is read after an accident: a line that was written stays as it is. Another one takes it back.

CREATE OR REPLACE FUNCTION trm_race_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
    RAISE EXCEPTION 'race log line % is written: take it back by another line instead', OLD.id
        USING ERRCODE = 'restrict_violation';
END
$function$;

CREATE OR REPLACE TRIGGER race_log_is_append_only
    BEFORE UPDATE ON race_log FOR EACH ROW EXECUTE FUNCTION trm_race_log_is_append_only();
