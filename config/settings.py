"""Settings of every Signalbox process, read from the environment (twelve-factor).

With nothing set it is a running copy for one machine: an embedded PostgreSQL and a file-system
broker under the data folder. With `SIGNALBOX_ENV=production` nothing embedded is used, and what is
missing is an error that names the variable.
"""

from __future__ import annotations

from pathlib import Path

import environ
from celery.schedules import schedule
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config import embedded, places, secrets

BASE_DIR = places.BASE_DIR
env = environ.Env()

IS_PRODUCTION = env.str("SIGNALBOX_ENV", default="local") == "production"
DATA_DIR = places.data_dir()
DEBUG = env.bool("DEBUG", default=False)


def _required_in_production(name: str, local: str) -> str:
    value = env.str(name, default="")
    if value:
        return str(value)
    if IS_PRODUCTION:
        raise ImproperlyConfigured(f"Set {name}: production settings have no default for it.")
    return local


SECRET_KEY = env.str("SECRET_KEY", default="") or secrets.local(
    DATA_DIR, "SECRET_KEY", is_production=IS_PRODUCTION
)
# Encrypts endpoint secrets at rest; comma-separated during a rotation: the first one encrypts.
FIELD_ENCRYPTION_KEYS = env.list("FIELD_ENCRYPTION_KEYS", default=[]) or [
    secrets.local(DATA_DIR, "FIELD_ENCRYPTION_KEYS", is_production=IS_PRODUCTION)
]

ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["127.0.0.1", "localhost"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Where people and machines reach this copy; documents and `dataschema` URLs start with it.
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")

INSTALLED_APPS = [
    "config",
    "catalog",
    "governance",
    "delivery",
    "config.apps.SignalboxAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "heroicons",
    "rest_framework",
    "simple_history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.probes.answer_probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "governance.middleware.note_refusals",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "catalog.middleware.viewer_preferences",
    "catalog.middleware.AnswerTrouble",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "delivery.context_processors.frame",
            ],
            "builtins": [
                "heroicons.templatetags.heroicons",
                "catalog.templatetags.ui",
                "governance.templatetags.ledger",
            ],
        },
    }
]

DATABASE_URL = _required_in_production("DATABASE_URL", "") or embedded.database_url(DATA_DIR)
_database = env.db_url_config(DATABASE_URL)
_database_options = _database.pop("OPTIONS", {})
DATABASES = {
    "default": {
        **_database,
        # A socket's folder comes as an option of the URL; Django's own tools look for it here.
        "HOST": _database["HOST"] or _database_options.pop("host", ""),
        "ENGINE": "django.db.backends.postgresql",
        # A network that went away is noticed in about ten seconds; TCP by itself takes hours.
        "OPTIONS": {
            "connect_timeout": 5,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,  # milliseconds
            **_database_options,
        },
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
    }
}

AUTH_USER_MODEL = "catalog.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "governance:sign-in"
LOGIN_REDIRECT_URL = "delivery:home"
LOGOUT_REDIRECT_URL = "governance:sign-in"
ANONYMOUS_USER_NAME = None  # guardian's anonymous row: nothing here is granted to strangers
GUARDIAN_MONKEY_PATCH_USER = False

# Login throttling: by name and address together, so that nobody can lock out somebody else.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False  # its own admin deletes; `governance.admin_people` shows instead
AXES_LOCKOUT_TEMPLATE = "governance/locked_out.html"

LANGUAGE_CODE = "en"
# Only what the catalogs translate: else a page would mix our English with Django's own German.
LANGUAGES = [("en", "English")]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
LOCALE_PATHS: list[Path] = []

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "whitenoise.storage.CompressedManifestStaticFilesStorage"
            if IS_PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
if IS_PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "governance.api_auth.KeyAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["catalog.api.parsing.BoundedJSON"],
    "DEFAULT_PAGINATION_CLASS": "catalog.api_paging.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "catalog.api.openapi.Described",
    "EXCEPTION_HANDLER": "catalog.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Signalbox",
    "DESCRIPTION": "Event catalog, contracts, grants, delivery and support in one portal.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "delivery.api.openapi.add_publishing",
        "catalog.api.openapi.add_problems",
    ],
    # Several doors say these words; without names they would be told apart by digests.
    "ENUM_NAME_OVERRIDES": {
        "ApplicationKind": "catalog.words.ApplicationKind",
        "Lifecycle": "catalog.api.shapes.LIFECYCLES",
        "AttemptOutcome": "delivery.states.AttemptOutcome",
        "ChangeKind": "governance.states.ChangeKind",
        "ChangeState": "governance.states.ChangeState",
        "ChangeVerdict": "governance.states.Verdict",
        "CompatibilityVerdict": "governance.api.compatibility_shapes.VERDICTS",
        "Batching": "delivery.states.Batching",
        "DeliveryMode": "delivery.states.DeliveryMode",
        "DeliveryStatus": "delivery.states.DeliveryStatus",
        "DisableReason": "delivery.states.DisableReason",
        "Environment": "catalog.words.Environment",
        "HouseRule": "catalog.house_rules.HouseRule",
        "HouseRuleWeight": "catalog.house_rules.Weight",
        "GrantState": "governance.states.GrantState",
        "GrantVerb": "governance.states.Verb",
        "MailTime": "delivery.news_kinds.MailTime",
        "NewsKind": "delivery.news_kinds.NewsKind",
        "Poison": "delivery.states.Poison",
        "ReleaseState": "catalog.words.ReleaseState",
        "ReplayOutcome": "delivery.api.shapes.MADE_STATUSES",
        "ReplayState": "delivery.states.ReplayState",
        "RequestState": "governance.states.RequestState",
        "RuleEffect": "delivery.states.RuleEffect",
        "ShownStatus": "delivery.api.shapes.SHOWN_STATUSES",
        "SignatureScheme": "delivery.states.SignatureScheme",
        "SubscriptionState": "delivery.states.SubscriptionState",
        "TopicKind": "catalog.words.TopicKind",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

CELERY_BROKER_URL = _required_in_production("CELERY_BROKER_URL", "filesystem://")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(DATA_DIR / "broker")}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "signalbox"
CELERY_BEAT_SCHEDULER = "config.beat:Scheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "sweep": {"task": "delivery.sweep", "schedule": schedule(run_every=1)},
    "tidy": {"task": "governance.tidy", "schedule": schedule(run_every=60)},
    "remind": {"task": "governance.remind", "schedule": schedule(run_every=600)},
    "roll-up": {"task": "delivery.roll_up", "schedule": schedule(run_every=10)},
    "values": {"task": "delivery.fill_values", "schedule": schedule(run_every=10)},
    "mail": {"task": "delivery.send_mail", "schedule": schedule(run_every=15)},
    "remind-of-changes": {
        "task": "delivery.remind_of_changes",
        "schedule": schedule(run_every=600),
    },
    "partitions": {"task": "delivery.keep_partitions", "schedule": schedule(run_every=3600)},
}

# Networks that outbound requests may reach although they are private, as CIDR ranges.
DELIVERY_ALLOWED_NETWORKS = env.list("DELIVERY_ALLOWED_NETWORKS", default=[])
# Seconds between tries where a subscription names none; shortened by the demo and the tests.
DELIVERY_RETRY_WAITS_SECONDS = env.list(
    "DELIVERY_RETRY_WAITS_SECONDS", cast=int, default=[5, 300, 1800, 7200, 18_000, 36_000, 36_000]
)
DELIVERY_OVERLOAD_FLOOR_SECONDS = env.int("DELIVERY_OVERLOAD_FLOOR_SECONDS", default=60)
DELIVERY_PROBE_SECONDS = env.int("DELIVERY_PROBE_SECONDS", default=30)
DELIVERY_LEASE_SECONDS = env.int("DELIVERY_LEASE_SECONDS", default=60)
# Days that events, deliveries and attempts are kept, or as long as a topic keeps its payloads.
DELIVERY_KEPT_DAYS = env.int("DELIVERY_KEPT_DAYS", default=365)
# Days that an event which is published again is answered as a duplicate.
DELIVERY_IDENTITIES_KEPT_DAYS = env.int("DELIVERY_IDENTITIES_KEPT_DAYS", default=DELIVERY_KEPT_DAYS)
# A replay of more deliveries than this waits for a second person.
DELIVERY_REPLAY_APPROVAL_ABOVE = env.int("DELIVERY_REPLAY_APPROVAL_ABOVE", default=1_000)
# How fast a replay goes whose order names no pace.
DELIVERY_REPLAY_RATE_PER_SECOND = env.int("DELIVERY_REPLAY_RATE_PER_SECOND", default=20)

# Events that one API key may publish a second through one web process: a stop for runaway loops.
PUBLISH_RATE_PER_SECOND = env.int("PUBLISH_RATE_PER_SECOND", default=50_000)

# Where the demo's subscribers are played; `manage.py up` picks the port and serves it.
DEMO_RECEIVER_URL = env.str("DEMO_RECEIVER_URL", default="http://127.0.0.1:8090")

# A copy for one machine keeps its mail as files; production names a server.
EMAIL_CONFIG = env.email_url(
    "EMAIL_URL", default="consolemail://" if IS_PRODUCTION else f"filemail:///{DATA_DIR / 'mail'}"
)
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=5)  # seconds; a worker waits for it
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="signalbox@localhost")

# `plain` for people, `json` for what collects logs: ids of events, deliveries and traces, and never
# a payload or a secret.
LOG_FORMAT = env.str("LOG_FORMAT", default="plain")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"},
        "json": {"()": "config.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "axes": {"level": "WARNING"},
        "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},
        # Two lines for each task, and the sweep alone is one a second.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}

SILENCED_SYSTEM_CHECKS: list[str] = []
