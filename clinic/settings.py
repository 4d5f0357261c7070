"""Settings, all from the environment.

Without DATABASE_URL the project is in *embedded* mode: the PostgreSQL and Redis that `make demo` starts, DEMO
on, this machine alone. With it, nothing unsafe has a default, and an unsafe value stops the start.
"""

import os
import zoneinfo
from datetime import timedelta
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from clinic import branding, country, environment, message_settings, openid_key, sockets

# Use the zones of the pinned tzdata package instead of the machine's, so that all servers compute the same local times.
zoneinfo.reset_tzpath(to=())

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

EMBEDDED = "DATABASE_URL" not in os.environ
DATA_DIR = Path(env.str("CLINIC_DATA_DIR", default=str(BASE_DIR / "var")))

# Django's debug pages instead of the product's error pages.
DEBUG = environment.switch("DEBUG", default=False)
# A demo, only on this machine: its passwords are public, and it needs no TLS.
DEMO = environment.switch("DEMO", default=environment.switch("DEBUG", default=EMBEDDED))
SECRET_KEY = env.str("SECRET_KEY", default="only-for-the-embedded-demo" if EMBEDDED else "")
# Earlier values of SECRET_KEY, which still verify signatures and decrypt.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[*THIS_MACHINE] if EMBEDDED else [])
REDIS_URL = env.str("REDIS_URL", default=sockets.redis_url(DATA_DIR) if EMBEDDED else "")

if not EMBEDDED:
    if not DEMO and min(map(len, (SECRET_KEY, *SECRET_KEY_FALLBACKS))) < 50:
        raise ImproperlyConfigured("SECRET_KEY, and each of SECRET_KEY_FALLBACKS: 50 random characters or more.")
    if not SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY must be set.")
    if not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        raise ImproperlyConfigured("REDIS_URL must be set, for example redis://localhost:6379/0.")
    if not DEMO and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that this clinic is served on, never *.")
    for name, is_on in (("DEBUG", DEBUG), ("DEMO", DEMO)):
        if is_on and not set(ALLOWED_HOSTS) <= set(THIS_MACHINE):
            raise ImproperlyConfigured(f"{name} must be off where others than this machine are served (ALLOWED_HOSTS).")
elif not set(ALLOWED_HOSTS) <= set(THIS_MACHINE):
    raise ImproperlyConfigured("Set DATABASE_URL to serve other hosts: the embedded mode is a demo.")

INSTALLED_APPS = [
    "clinic",
    "scheduling",
    "api",
    "portal",
    "clinic.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "anymail",
    "corsheaders",
    "django_htmx",
    "oauth2_provider",
    "rest_framework",
]
CONTEXT_PROCESSORS = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
    "portal.common.context_processors.clinic",
    "portal.booking.context_processors.held",
    "portal.messages.inbox.unread",
    "portal.staff.worklist.context_processors.count",
]
if DEMO:
    INSTALLED_APPS.append("demo")
    CONTEXT_PROCESSORS.append("demo.context_processors.sign_in_hint")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "portal.common.middleware.Compression",
    "corsheaders.middleware.CorsMiddleware",
    "portal.common.middleware.SecurityHeaders",
    "portal.common.middleware.BodyLimit",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.common.middleware.HeadAsGet",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "api.bearer_middleware.BearerMiddleware",  # what follows is for pages and API requests with a session
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": CONTEXT_PROCESSORS},
    },
]

DATABASE_URL = env.str("DATABASE_URL", default="") or sockets.postgres_url(DATA_DIR)
if not DATABASE_URL.startswith(("postgresql://", "postgres://")):
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL, such as postgresql://user:password@host/name.")
DATABASES = {
    "default": {
        **env.db_url_config(DATABASE_URL),
        "CONN_HEALTH_CHECKS": False,
    }
}
# A statement that waits longer for a lock fails. This is for migrations too, since all others wait behind them.
LOCK_TIMEOUT_MS = environment.number("LOCK_TIMEOUT_MS", default=3000, least=100, most=60_000)
# DATABASE_URL names a PgBouncer in transaction mode, which keeps no state of a session between transactions.
PGBOUNCER = environment.switch("PGBOUNCER", default=False)
PGBOUNCER_PREPARED_STATEMENTS = environment.switch("PGBOUNCER_PREPARED_STATEMENTS", default=False)
if PGBOUNCER_PREPARED_STATEMENTS and not PGBOUNCER:
    raise ImproperlyConfigured("PGBOUNCER_PREPARED_STATEMENTS needs PGBOUNCER; without it, statements are prepared.")
# Statements that a connection repeats are prepared, since planning most of them takes longer than running them.
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 3}
if PGBOUNCER:
    DATABASES["default"] |= {"ENGINE": "clinic.pgbouncer", "DISABLE_SERVER_SIDE_CURSORS": True}
    if not PGBOUNCER_PREPARED_STATEMENTS:
        DATABASES["default"]["OPTIONS"]["prepare_threshold"] = None
else:
    DATABASES["default"]["OPTIONS"]["options"] = f"-c lock_timeout={LOCK_TIMEOUT_MS}"
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 1,
    "max_size": environment.number("DATABASE_POOL_SIZE", default=8, least=1, most=1000),
    "timeout": 10,
    "reconnect_timeout": 5,  # after it, the next request connects at once, instead of after the pool's growing pauses
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# No request waits for Redis: messages are stored in PostgreSQL, and cached values can be lost.
CACHES = {
    "default": {
        "BACKEND": "clinic.cache.Cache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "IGNORE_EXCEPTIONS": True,
            "SOCKET_CONNECT_TIMEOUT": 0.5,
            "SOCKET_TIMEOUT": 0.5,
            "CONNECTION_POOL_KWARGS": {"retry": Retry(NoBackoff(), 0)},
        },
    }
}

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["clinic.authentication.ClinicBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_REDIRECT_URL = "portal:start"
LOGIN_URL = "account_login"

ACCOUNT_ADAPTER = "portal.account.adapter.AccountAdapter"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "portal.account.signup.SignupDetailsForm"
ACCOUNT_FORMS = {
    "login": "portal.account.forms.LoginForm",
    "signup": "portal.account.forms.SignupForm",
    "reset_password": "portal.account.forms.ResetPasswordForm",
    "reset_password_from_key": "portal.account.forms.ResetPasswordKeyForm",
    "change_password": "portal.account.forms.ChangePasswordForm",
    "set_password": "portal.account.forms.SetPasswordForm",
    "add_email": "portal.account.forms.AddEmailForm",
    "reauthenticate": "portal.account.forms.ReauthenticateForm",
    "confirm_email_verification_code": "portal.account.forms.ConfirmEmailVerificationCodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# In addition to allauth's limits: how often a guest can hold a time, request a code, and try a code.
ACCOUNT_RATE_LIMITS = {"hold": "30/10m/ip", "send_code": "5/15m/key,20/h/ip", "check_code": "15/15m/key"}
# With mandatory verification, sign-up does not reveal which addresses have an account. The embedded demo needs no
# verification.
ACCOUNT_EMAIL_VERIFICATION = "optional" if EMBEDDED else "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = not EMBEDDED

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = not DEMO
TIME_ZONE = "UTC"
USE_I18N = True
FORMAT_MODULE_PATH = ["clinic.country_formats"]
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static" if DEMO else BASE_DIR / "staticfiles"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_AUTOREFRESH = DEMO  # `make demo` collects them while its web server starts
EVENT_CALENDAR = BASE_DIR / "node_modules" / "@event-calendar" / "build" / "dist"  # `python3 bootstrap.py setup`
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor/event-calendar", EVENT_CALENDAR)]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEMO
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = environment.switch("SECURE_SSL_REDIRECT", default=not DEMO)
SECURE_HSTS_SECONDS = environment.number(
    "SECURE_HSTS_SECONDS", default=0 if DEMO else 3600, least=0, most=10 * 365 * 24 * 3600
)
SECURE_REFERRER_POLICY = "same-origin"
SILENCED_SYSTEM_CHECKS = [
    *("security.W005", "security.W021"),  # HSTS must not apply to other hosts of the clinic's domain
    "oauth2_provider.W005",  # the issuer in it (RFC 9207) would differ from the one in SMART's discovery
    "oauth2_provider.W008",  # registration allows http only for apps on a person's own device
]
if environment.switch("BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Mail is sent by a provider's API (ANYMAIL_PROVIDER), else by SMTP (EMAIL_URL); the demo stores it and shows it.
ANYMAIL_PROVIDER = env.str("ANYMAIL_PROVIDER", default="")
if ANYMAIL_PROVIDER:
    vars().update(message_settings.provider(ANYMAIL_PROVIDER, dict(os.environ)))
elif EMBEDDED and "EMAIL_URL" not in os.environ:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = DATA_DIR / "mail"
else:
    vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="clinic@example.com")

# Text messages are sent to a service with Twilio's API. Without one, the demo stores them; elsewhere there are none.
SMS_FROM = env.str("SMS_FROM", default="")
SMS_URL = message_settings.check_sms(env.str("SMS_URL", default=""), SMS_FROM)
SMS_ENABLED = bool(SMS_URL) or EMBEDDED
SMS_COUNTRY_CODE = message_settings.check_country_code(env.str("SMS_COUNTRY_CODE", default=""))
# No text message is sent in these hours, in the zone of the visit's site.
QUIET_HOURS = message_settings.quiet_hours(env.str("QUIET_HOURS", default="21:00-08:00"))

# The address of this site in the links of messages.
_HOST = next((host.removeprefix(".") for host in ALLOWED_HOSTS), "localhost")
SITE_URL = message_settings.site_url(
    env.str("SITE_URL", default=f"http://127.0.0.1:{env.str('PORT', '') or 8000}" if DEMO else f"https://{_HOST}")
)

FHIR_BASE_PATH = "fhir/R4/"
# The base of the canonical addresses of our extensions and code systems. A site that moves keeps it by this setting.
FHIR_CANONICAL_BASE = message_settings.web_address(
    "FHIR_CANONICAL_BASE", env.str("FHIR_CANONICAL_BASE", default=f"{SITE_URL}/{FHIR_BASE_PATH}")
)
# Browser apps of any origin may call the API and the token endpoints, but no pages; SMART requires it for registered
# apps. Credentials are not allowed, so no cookie is sent, and an app can do no more than its token allows.
CORS_URLS_REGEX = rf"^/({FHIR_BASE_PATH.removesuffix('/')}(/|$)|oauth/(?!authorize)|\.well-known/)"
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = (
    *("accept", "authorization", "content-type", "prefer", "idempotency-key", "x-medplum"),
    *("if-match", "if-none-match", "if-none-exist", "if-modified-since"),
)
CORS_EXPOSE_HEADERS = (
    *("content-location", "etag", "expires", "last-modified", "location"),
    *("idempotency-replayed", "retry-after", "www-authenticate"),
)
DATA_UPLOAD_MAX_MEMORY_SIZE = environment.number(
    "MAX_REQUEST_BYTES", default=8 * 1024 * 1024, least=64 * 1024, most=1024**3
)
MAX_BUNDLE_ENTRIES = environment.number("MAX_BUNDLE_ENTRIES", default=1000, least=1, most=100_000)
# Requests a minute to the API and the token endpoints; 0 is no limit. A client is software, a person or a person's app.
API_REQUESTS_PER_CLIENT = environment.number("API_REQUESTS_PER_CLIENT", default=6000, least=0, most=10_000_000)
API_REQUESTS_PER_ADDRESS = environment.number("API_REQUESTS_PER_ADDRESS", default=12_000, least=0, most=10_000_000)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["api.formats.renderers.FHIRRenderer"],
    "DEFAULT_PARSER_CLASSES": ["api.formats.parsers.FHIRParser"],
    "EXCEPTION_HANDLER": "api.outcomes.handle_exception",
    "UNAUTHENTICATED_USER": None,
}
# The key that signs id tokens for apps; without it, OpenID Connect is off.
OIDC_RSA_PRIVATE_KEY = openid_key.check("OIDC_RSA_PRIVATE_KEY", env.str("OIDC_RSA_PRIVATE_KEY", default=""))
APPS_FORGOTTEN_AFTER = timedelta(days=90)  # an app that is not used for longer must ask for consent again
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"  # foreign keys of clinic refer to these two models
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "oauth2_provider.AccessToken"
OAUTH2_PROVIDER = {
    "OAUTH2_BACKEND_CLASS": "api.smart.validator.OAuthCore",
    "OAUTH2_VALIDATOR_CLASS": "api.smart.validator.SmartValidator",
    "SCOPES_BACKEND_CLASS": "api.smart.validator.SmartScopes",
    "APPLICATION_ADMIN_CLASS": "scheduling.admin.apps.AppAdmin",
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],  # http only for apps on the person's own device
    "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    "REFRESH_TOKEN_EXPIRE_SECONDS": int(APPS_FORGOTTEN_AFTER.total_seconds()),
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "OIDC_ENABLED": bool(OIDC_RSA_PRIVATE_KEY),
    "OIDC_RSA_PRIVATE_KEY": OIDC_RSA_PRIVATE_KEY,
    "ID_TOKEN_EXPIRE_SECONDS": 3600,
    # Tokens are stored as digests and never accepted in an address, PKCE is S256, and the implicit and password grants
    # are off.
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
}

# Plug-ins without whose answer nothing is booked, and how long a plug-in may take to answer: scheduling.plugins.
REQUIRED_PLUGINS = env.list("REQUIRED_PLUGINS", default=[])
# How long the decision services (CDS Hooks) may take to answer before a booking: scheduling.cds_hooks.
CDS_HOOKS_SECONDS = environment.number("CDS_HOOKS_SECONDS", default=3, least=1, most=30)
PLUGIN_SECONDS = environment.number("PLUGIN_SECONDS", default=2, least=1, most=30)

# Hosts of subscribers and apps that may be private or without TLS: clinic.http_client.
OUTGOING_ALLOWED_HOSTS = env.list("OUTGOING_ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if EMBEDDED else [])
HEARTBEAT_EVERY = timedelta(minutes=environment.number("HEARTBEAT_MINUTES", default=15, least=1, most=24 * 60))
# How far ahead free times are published ($bulk-publish), and how long a client may cache them.
PUBLISHED_AHEAD = timedelta(days=environment.number("PUBLISHED_DAYS", default=30, least=1, most=366))
PUBLISHED_MAX_AGE = timedelta(seconds=environment.number("PUBLISHED_MAX_AGE", default=60, least=0, most=24 * 3600))

# How long logs and past versions are kept: clinic.retention. Laws require audit logs of several years.
AUDIT_KEPT = timedelta(days=365.25 * environment.number("AUDIT_YEARS", default=10, least=1, most=100))
HISTORY_KEPT = timedelta(days=365.25 * environment.number("HISTORY_YEARS", default=10, least=1, most=100))
DELIVERY_LOG_KEPT = timedelta(days=environment.number("DELIVERY_LOG_DAYS", default=30, least=1, most=3653))
IDEMPOTENCY_KEYS_KEPT = timedelta(hours=environment.number("IDEMPOTENCY_HOURS", default=24, least=1, most=720))

CELERY_BROKER_URL = (
    "redis+socket://" + REDIS_URL.removeprefix("unix://").replace("?db=", "?virtual_host=")
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
# A booking does not wait for an unavailable broker, since the periodic task finds its messages.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 1,
    "max_retries": 0,
    "client_name": "clinic",
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 300
# A task can send a hundred messages: no other task waits in a worker that is busy with one, while another is idle.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Workers yield to web servers on the same machine: clinic.celery.
WORKER_NICE = environment.number("WORKER_NICE", default=10, least=0, most=19)

CLINIC_NAME = env.str("CLINIC_NAME", default="Riverside Clinic")
# The country whose formats of dates, times, distances and addresses are used; empty: that of the sites' zones.
CLINIC_COUNTRY = country.check_country("CLINIC_COUNTRY", env.str("CLINIC_COUNTRY", default=""))
CLINIC_PHONE = branding.check_phone("CLINIC_PHONE", env.str("CLINIC_PHONE", default="(212) 555-0142" if DEMO else ""))
# The time zone of the clinic as a whole; empty: the zone of most sites.
CLINIC_TIME_ZONE = country.check_zone("CLINIC_TIME_ZONE", env.str("CLINIC_TIME_ZONE", default=""))
CLINIC_EMAIL = branding.check_email("CLINIC_EMAIL", env.str("CLINIC_EMAIL", default=""))
CLINIC_LOGO_URL = branding.check_logo(env.str("CLINIC_LOGO_URL", default=""))
CLINIC_ACCENT = branding.check_accent("CLINIC_ACCENT", env.str("CLINIC_ACCENT", default=""), branding.LIGHT)
CLINIC_ACCENT_DARK = branding.check_accent(
    "CLINIC_ACCENT_DARK", env.str("CLINIC_ACCENT_DARK", default=""), branding.DARK
)
EMERGENCY_PHONE = branding.check_phone("EMERGENCY_PHONE", env.str("EMERGENCY_PHONE", default=""))
EMERGENCY_NOTICE = env.str("EMERGENCY_NOTICE", default="")
PRIVACY_URL = branding.check_address("PRIVACY_URL", env.str("PRIVACY_URL", default=""))
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"{CLINIC_NAME}: "
MAP_URL = env.str("MAP_URL", default="https://www.openstreetmap.org/search?query={address}")
HOLD_FOR = timedelta(minutes=environment.number("HOLD_MINUTES", default=10, least=1, most=120))
LEFT_HOLD_FOR = timedelta(minutes=1)  # after the hold's page is closed, unless it is opened again
HOLDS_PER_PERSON = 2
# How long the time is held that the clinic suggests in answer to a request.
SUGGESTION_HELD_FOR = timedelta(hours=environment.number("SUGGESTION_HOURS", default=48, least=1, most=720))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "clinic.logs.HideSecrets"}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["secrets"]}},
    "loggers": {"django": {"handlers": []}},  # its own would print everything twice with DEBUG, secrets included
    "root": {"handlers": ["console"], "level": environment.log_level("LOG_LEVEL", default="WARNING")},
}
