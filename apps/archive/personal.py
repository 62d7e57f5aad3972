"""Where TRM keeps words about people: each text column stands in one of these lists, and a test sees to it."""

# Replaced, or the row deleted, by `apps.archive.erasure`.
REPLACED = {
    "users": ("email", "first_name", "last_name", "phone", "nationality"),  # a nationality alone names nobody
    "audit_log": ("old", "new", "who"),
    "result_revisions": ("snapshot",),
    "start_lists": ("rows",),
    "outbox": ("payload",),
    "django_admin_log": ("object_repr",),
    "api_tokens": ("name",),
}
# Where people write freely: a machine cannot tell whom a word means, so what holds the name is shown to a person.
FREE_TEXTS = {
    "alert_lines": ("text",),
    "alerts": ("reason", "note"),
    "acknowledgements": ("note",),
    "audit_log": ("reason",),
    "classes": ("name", "description"),
    "commands": ("text", "response"),
    "comments": ("text",),
    "decisions": ("reason", "revoked_reason", "params", "document"),
    "domain_events": ("payload",),
    "entries": ("team", "eligibility_override"),
    "entry_accountings": ("reason", "withdrawn_reason"),
    "entry_incidents": ("note", "withdrawn_reason"),
    "entry_penalties": ("reason", "inputs"),
    "events": ("name", "notes"),
    "organizations": ("name",),
    "profile_uses": ("reason",),
    "race_log": ("text", "place", "about", "data"),
    "result_revisions": ("reason",),
    "rule_answers": ("answer", "still_open"),
    "saved_views": ("name", "query"),
    "stage_closings": ("note", "reason"),
    "start_lists": ("reason",),
    "start_overrides": ("reason",),
    "timing_records": ("reason", "withdrawn_reason"),
    "webhooks": ("name",),
}
# Of machines, courses and rules; nobody's name belongs there. Choices and slugs are not looked for.
NAMELESS = {
    "what a program made": (
        "key", "hash", "inputs_hash", "digest", "request", "headers", "session_key", "session_data", "session_hash",
        "object_id", "object_pk", "change_message", "row", "row_id", "table", "table_name", "door", "topic", "instance",
        "leased_by", "log", "inputs", "devices", "course", "rules", "formula_snapshot", "outcome", "splits",
        "last_control", "erasures", "password", "secret", "previous_secret", "device", "app_label", "codename",
    ),
    "the course, the rules, the vehicles and trackers": (
        "geometry", "class_limits", "params", "target", "article", "source", "type", "document", "version", "imei",
        "serial_number", "io_id", "kind", "unit", "maker", "make", "model", "vin", "plate", "pattern", "description",
        "crash_attribute", "tilt_attribute", "start_order_strategy_params", "time_zone", "regulation_doc_url", "url",
        "code", "group", "name", "class_scoring",
    ),
    # django-axes keeps attempts in the cache, for a quarter of an hour.
    "tables that stay empty": ("username", "get_data", "post_data", "http_accept", "path_info", "user_agent"),
}  # fmt: skip
