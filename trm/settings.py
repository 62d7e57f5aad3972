"""Every setting of TRM, read once. A wrong or missing value stops the start, all of them in one message."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django_stubs_ext
from celery.schedules import crontab

from apps.common import logs
from trm.environment import Environment

django_stubs_ext.monkeypatch()  # lets annotations such as ModelAdmin[Entry] stand in class statements

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment(os.environ)

DATABASE_URL = env.url("DATABASE_URL", ("postgres", "postgresql"), default="")
REDIS_URL = env.url("REDIS_URL", ("redis", "rediss", "unix"), default="")
REDIS_TELEMETRY_STREAM = env.text("REDIS_TELEMETRY_STREAM", default="telemetry:t")
INSTANCE_ID = env.text("INSTANCE_ID", default="processor-1")
LOG_LEVEL = env.choice("LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
METRICS_PORT = env.integer("METRICS_PORT", default=9090, low=0, high=65535)  # 0 = no metrics server
READ_BATCH_SIZE = env.integer("READ_BATCH_SIZE", default=1000, low=1, high=100_000)
READ_BLOCK_MS = env.integer("READ_BLOCK_MS", default=1000, low=1, high=4000)
WRITE_BATCH_SIZE = env.integer("WRITE_BATCH_SIZE", default=5000, low=1, high=100_000)
DEVICE_STATE_MAX = env.integer("DEVICE_STATE_MAX", default=20_000, low=1, high=10_000_000)  # a KiB each
# What gives positions their decoded attributes: a class without arguments, by dotted path. Empty = nothing does.
POSITION_DECODER = env.dotted_path("POSITION_DECODER", default="apps.catalog.decoding.AttributeDecoder")
CLAIM_THRESHOLD_MS = env.integer("CLAIM_THRESHOLD_MS", default=60_000, low=100, high=86_400_000)
MAX_DELIVERIES = env.integer("MAX_DELIVERIES", default=5, low=1, high=1000)
POSITIONS_PARTITIONS_AHEAD_DAYS = env.integer("POSITIONS_PARTITIONS_AHEAD_DAYS", default=14, low=1, high=366)
# Positions are evidence: 0 keeps them for ever, else see apps/telemetry/partitions.py before you set it.
POSITIONS_RETENTION_DAYS = env.integer("POSITIONS_RETENTION_DAYS", default=0, low=0, high=36_500)
POSITIONS_COMPRESS_AFTER_DAYS = env.integer("POSITIONS_COMPRESS_AFTER_DAYS", default=0, low=0, high=36_500)
LIVE_PING_INTERVAL_MS = env.integer("LIVE_PING_INTERVAL_MS", default=30_000, low=1000, high=600_000)
LIVE_DEVICE_EVENT_REFRESH_MS = env.integer("LIVE_DEVICE_EVENT_REFRESH_MS", default=30_000, low=100, high=600_000)
LIVE_BROADCAST_GROUP_PREFIX = env.text("LIVE_BROADCAST_GROUP_PREFIX", default="live-broadcast")
# Origins whose pages may show the live widgets in a frame, comma-separated; * = anybody's. Empty = nobody's.
LIVE_EMBED_ORIGINS = env.words("LIVE_EMBED_ORIGINS", default="")
# A directory with a basemap of the organiser's: its first *.pmtiles. Empty = maps on a blank ground.
LIVE_BASEMAP_DIR = env.text("LIVE_BASEMAP_DIR", default="")
# How long before the start and after the end of an event its marshals may act: scrutineering, sweep cars.
EVENT_ACTIVE_MARGIN_HOURS = env.integer("EVENT_ACTIVE_MARGIN_HOURS", default=24, low=0, high=8760)
# Where run_analytics writes: file:///srv/positions, s3://bucket/positions, clickhouse://user:password@host:8123/database.
ANALYTICS_URL = env.text("ANALYTICS_URL", default="")
ANALYTICS_BATCH_SIZE = env.integer("ANALYTICS_BATCH_SIZE", default=50_000, low=1, high=1_000_000)
ANALYTICS_FLUSH_MS = env.integer("ANALYTICS_FLUSH_MS", default=60_000, low=1, high=3_600_000)
# Whether webhooks may be called in our own network and without TLS: for tests, and receivers next to TRM.
WEBHOOK_PRIVATE_ADDRESSES = env.boolean("WEBHOOK_PRIVATE_ADDRESSES", default=False)
WEBHOOK_TIMEOUT_MS = env.integer("WEBHOOK_TIMEOUT_MS", default=10_000, low=100, high=60_000)
# The wait doubles with each attempt, up to four hours: 16 attempts from 5 s on take most of a day.
WEBHOOK_ATTEMPTS = env.integer("WEBHOOK_ATTEMPTS", default=16, low=1, high=100)
WEBHOOK_RETRY_MS = env.integer("WEBHOOK_RETRY_MS", default=5000, low=1, high=3_600_000)
DOMAIN_EVENTS_RETENTION_DAYS = env.integer("DOMAIN_EVENTS_RETENTION_DAYS", default=90, low=0, high=36_500)  # 0 = ever

# Requests a minute over REST, for each user, or each address without one; 0 = as many as they like.
API_RATES = {
    "official": env.integer("API_RATE_OFFICIAL", default=6000, low=0, high=10_000_000),
    "member": env.integer("API_RATE_MEMBER", default=600, low=0, high=10_000_000),
    "anyone": env.integer("API_RATE_ANYONE", default=300, low=0, high=10_000_000),
}

DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", default="")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]")
# Whether a proxy in front of us speaks TLS, sets X-Forwarded-Proto itself, and is the only one who reaches us.
HTTPS = env.boolean("HTTPS", default=False)
# One pool under ASGI: the web process sets it (trm/asgi.py), run_live has it.
DATABASE_POOL = env.boolean("DATABASE_POOL", default=sys.argv[1:2] == ["run_live"])
env.finish()

# Without its own key a process makes one for itself: right for a laptop, and `check --deploy` warns.
SECRET_KEY_IS_EPHEMERAL = not SECRET_KEY
SECRET_KEY = SECRET_KEY or os.urandom(32).hex()

LOGGING_CONFIG = "apps.common.logs.configure"
LOGGING: logs.Logging = {
    "service": logs.service_name(sys.argv),
    "instance_id": INSTANCE_ID,
    "level": LOG_LEVEL,
}

if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked from next door
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# The browsers' own list of domains is a matter of the whole domain's owner, not of one host in it.
SILENCED_SYSTEM_CHECKS = ["security.W021"]

INSTALLED_APPS = [
    "apps.desk",  # before the admin, whose pages it dresses
    "apps.desk.admin_config.DeskAdminConfig",  # django.contrib.admin with the desk in front
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "channels",
    "apps.common",
    "apps.telemetry",
    "apps.accounts",
    "apps.rest",
    "apps.catalog",
    "apps.events",
    "apps.audit",
    "apps.course",
    "apps.timing",
    "apps.penalties",
    "apps.racelog",
    "apps.scoring",
    "apps.documents",
    "apps.commands",
    "apps.safety",
    "apps.integrations",
    "apps.analytics",
    "apps.live",
    "apps.archive",
    "apps.demo",
]
MIGRATION_MODULES = {
    label: f"migrations.{label}"
    for label in (
        "telemetry",
        "accounts",
        "rest",
        "catalog",
        "events",
        "audit",
        "course",
        "timing",
        "penalties",
        "racelog",
        "scoring",
        "live",
        "integrations",
        "safety",
        "commands",
    )
}

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "apps.common.csp.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.language.OwnLanguage",
    "apps.audit.middleware.AuditDoor",
    "apps.accounts.rights.RememberRights",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "trm.urls"
ASGI_APPLICATION = "trm.asgi.application"

DATABASES = {"default": env.database(DATABASE_URL, pool=DATABASE_POOL)}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {
    "default": {
        # The pubsub layer: the core layer dies after 5 s idle under redis-py 8 (channels_redis issue 422).
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None
# Wrong passwords, counted for an account and an address together: nobody can lock others out from elsewhere.
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"  # what authenticate() is called with, though the login is an e-mail
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_CALLABLE = "apps.rest.lockout.locked_out"
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # a segment's form has ten fields for each of its waypoints

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("sq", "Shqip")]
LOCALE_PATHS = sorted(BASE_DIR.glob("apps/*/locale"))  # before what Django says in the same words
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static-collected"
WHITENOISE_USE_FINDERS = True  # a fresh clone shows its pages before any collectstatic

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.rest.authentication.TokenAuthentication",
        "apps.rest.authentication.SessionAuthentication",
    ],
    # The policy is asked row by row, in the views: public events are for everyone.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.rest.throttling.RoleThrottle"],
    "DEFAULT_PARSER_CLASSES": ["apps.rest.parsers.JsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "apps.rest.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": False,
    "DEFAULT_SCHEMA_CLASS": "apps.rest.schema.ResourceSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TRM",
    "DESCRIPTION": "Timing and scoring of GPS-tracked rallies. Who may do what is the same here as at every door.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["apps.rest.schema.finish"],
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # one row's shapes share a name; test_schema.py reads it
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "docExpansion": "none", "validatorUrl": None},
}
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = REDIS_URL
CELERY_RESULT_EXPIRES = 3600
CELERY_TASK_DEFAULT_QUEUE = "acts"  # what an official waits for; "bulk" is for what may take its time
CELERY_TASK_ROUTES = {
    name: {"queue": "bulk"}
    for name in (
        "apps.accounts.tasks.forget_sessions",
        "apps.accounts.tasks.sync_roles",
        "apps.integrations.tasks.prune_domain_events",
        "apps.rest.tasks.forget_idempotency_keys",
        "apps.scoring.tasks.check_results",
        "apps.scoring.tasks.replay",
        "apps.scoring.tasks.rescore",
        "apps.telemetry.tasks.maintain_positions",
    )
}
CELERY_TASK_ACKS_LATE = True  # every task may run twice: a worker that dies gives its task back
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A task whose process is killed under it (no memory, say) is tried again, but not for ever: nobody's turn would come.
CELERY_TASK_RETRY_ON_WORKER_LOST = True
CELERY_TASK_ANNOTATIONS = {"*": {"max_retries": 2, "default_retry_delay": 5}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# The soft limit raises in the task and its transaction goes back; the hard one kills its process, with the same effect.
# Either ends the task as failed, in the log as an error and to `--workers`: what took too long once would do so again.
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
# A task that is not done after so long is given to another worker: longer than it may take.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1800}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# UTC. What waited while no worker ran is not done several times over: it expires before its next turn.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "days of positions": {
        "task": "apps.telemetry.tasks.maintain_positions",
        "schedule": crontab(minute="7"),
        "options": {"expires": 3000},
    },
    "results against their evidence": {
        "task": "apps.scoring.tasks.check_results",
        "args": (20,),
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 500},
    },
    "roles against memberships": {
        "task": "apps.accounts.tasks.sync_roles",
        "schedule": crontab(minute="23", hour="2"),
        "options": {"expires": 43_200},
    },
    "old sessions": {
        "task": "apps.accounts.tasks.forget_sessions",
        "schedule": crontab(minute="33", hour="2"),
        "options": {"expires": 43_200},
    },
    "old keys of requests": {
        "task": "apps.rest.tasks.forget_idempotency_keys",
        "schedule": crontab(minute="53"),
        "options": {"expires": 3000},
    },
    "old domain events": {
        "task": "apps.integrations.tasks.prune_domain_events",
        "schedule": crontab(minute="43", hour="2"),
        "options": {"expires": 43_200},
    },
}
