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

from clinic import (
    branding,
    cache,
    country,
    database_settings,
    embedding,
    environment,
    label_sheets,
    logs,
    message_settings,
    money,
    npm_packages,
    openid_key,
    payment_settings,
    single_sign_on,
    sockets,
)
from clinic.monitoring import counter_files

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
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[*environment.THIS_MACHINE] if EMBEDDED else [])
REDIS_URL = env.str("REDIS_URL", default=sockets.redis_url(DATA_DIR) if EMBEDDED else "")

environment.check_secrets_and_hosts(
    [SECRET_KEY, *SECRET_KEY_FALLBACKS],
    ALLOWED_HOSTS,
    is_embedded=EMBEDDED,
    on={name for name, is_on in (("DEBUG", DEBUG), ("DEMO", DEMO)) if is_on},
)
if not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must be set, for example redis://localhost:6379/0.")

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
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
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
    "clinic.request_id.RequestId",
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
    "portal.common.frame_middleware.Frames",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.account.middleware.LastSeen",
    "portal.account.second_step.middleware.SecondStepRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.common.redirect_after_post.RedirectAfterPost",
]

DATABASE_REPLICA_URL = env.str("DATABASE_REPLICA_URL", default="")  # may be read for what is only shown
if DATABASE_REPLICA_URL:
    MIDDLEWARE.append("portal.common.middleware.NotedWrites")

# Each request is logged, without its query.
ACCESS_LOG = environment.switch("ACCESS_LOG", default=False)
if ACCESS_LOG:
    MIDDLEWARE.insert(1, "clinic.access_log.AccessLog")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # Prometheus sends it to /metrics; without it there are none
if METRICS_TOKEN:
    counter_files.share()
    MIDDLEWARE.insert(0, "clinic.monitoring.middleware.RequestMetrics")

# Reports of errors, and traces for an OpenTelemetry collector; `clinic.apps` starts them. Each needs its extra.
SENTRY_DSN = environment.check_extra("SENTRY_DSN", env.str("SENTRY_DSN", default=""), "sentry", "sentry_sdk")
SENTRY_ENVIRONMENT = env.str("SENTRY_ENVIRONMENT", default="production")
TRACES_URL = environment.check_extra("TRACES_URL", env.str("TRACES_URL", default=""), "tracing", "opentelemetry")
TRACES_PERCENT = environment.number("TRACES_PERCENT", default=100, least=1, most=100)

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

# A statement that waits longer for a lock fails. This is for migrations too, since all others wait behind them.
LOCK_TIMEOUT_MS = environment.number("LOCK_TIMEOUT_MS", default=3000, least=100, most=60_000)
# DATABASE_URL names a PgBouncer in transaction mode, which keeps no state of a session between transactions.
PGBOUNCER = environment.switch("PGBOUNCER", default=False)
PGBOUNCER_PREPARED_STATEMENTS = environment.switch("PGBOUNCER_PREPARED_STATEMENTS", default=False)
DATABASE_URL = env.str("DATABASE_URL", default="") or sockets.postgres_url(DATA_DIR)
# A replica that is further behind is not read.
DATABASE_REPLICA_LAG_SECONDS = environment.number("DATABASE_REPLICA_LAG_SECONDS", default=10, least=1, most=600)
DATABASES = database_settings.databases(
    database_settings.DatabaseSettings(
        url=DATABASE_URL,
        replica_url=DATABASE_REPLICA_URL,
        lock_timeout_ms=LOCK_TIMEOUT_MS,
        pgbouncer=PGBOUNCER,
        pgbouncer_prepares=PGBOUNCER_PREPARED_STATEMENTS,
        pool_size=environment.number("DATABASE_POOL_SIZE", default=8, least=1, most=1000),
    )
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# No request waits for Redis: messages are stored in PostgreSQL, and cached values can be lost.
# Clinics that share a Redis have a prefix each, for cached values, messages to workers and the workers' own channel.
REDIS_PREFIX = cache.check_prefix("REDIS_PREFIX", env.str("REDIS_PREFIX", default=""))
CACHES = {"default": cache.cache_settings(REDIS_URL, REDIS_PREFIX)}

AUTH_USER_MODEL = "clinic.User"
AUTHENTICATION_BACKENDS = ["clinic.authentication.ClinicBackend", "clinic.authentication.SingleSignOnBackend"]
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
    "request_login_code": "portal.account.forms.RequestLoginCodeForm",
    "confirm_login_code": "portal.account.forms.ConfirmLoginCodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
# In addition to allauth's limits: how often a guest can hold a time, request a code, and try a code, and how often
# somebody can look for a visit at the front desk, by one birth date there and at all.
ACCOUNT_RATE_LIMITS = {
    "hold": "30/10m/ip",
    "send_code": "5/15m/key,20/h/ip",
    "check_code": "15/15m/key",
    "request_login_code": "5/15m/key,20/h/ip",
    "find_visit": "10/h/key",
    "find_visits": "60/10m/ip",
}
# Beside the password, a code by email or a passkey signs in. Staff can have a second step: portal.account.second_step.
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
MFA_ADAPTER = "portal.account.adapter.PasskeyAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp"]  # recovery codes come with an app alone: portal.account.second_step
MFA_TOTP_TOLERANCE = 1  # a phone's clock may differ by half a minute
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO
MFA_FORMS = {
    "add_webauthn": "portal.account.passkey_forms.AddPasskeyForm",
    "edit_webauthn": "portal.account.passkey_forms.RenamePasskeyForm",
    "login_webauthn": "portal.account.passkey_forms.LoginPasskeyForm",
    "reauthenticate_webauthn": "portal.account.passkey_forms.ConfirmPasskeyForm",
}
# Staff sign in by an OpenID Connect provider of the clinic: portal.account.single_sign_on.
SINGLE_SIGN_ON = single_sign_on.check(
    single_sign_on.SingleSignOn(
        issuer=env.str("SINGLE_SIGN_ON_ISSUER", default=""),
        client_id=env.str("SINGLE_SIGN_ON_CLIENT_ID", default=""),
        secret=env.str("SINGLE_SIGN_ON_CLIENT_SECRET", default=""),
        name=env.str("SINGLE_SIGN_ON_NAME", default=""),
        email_claim=env.str("SINGLE_SIGN_ON_EMAIL_CLAIM", default="email"),
        proves_email=environment.switch("SINGLE_SIGN_ON_PROVES_EMAIL", default=False),
        is_second_step=environment.switch("SINGLE_SIGN_ON_IS_SECOND_STEP", default=False),
    ),
    is_demo=DEMO,
)
SOCIALACCOUNT_ADAPTER = "portal.account.single_sign_on.adapter.StaffAdapter"
SOCIALACCOUNT_PROVIDERS = SINGLE_SIGN_ON.providers if SINGLE_SIGN_ON else {}
# With mandatory verification, sign-up does not reveal which addresses have an account. The embedded demo needs no
# verification.
ACCOUNT_EMAIL_VERIFICATION = "optional" if EMBEDDED else "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = not EMBEDDED

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("es", _("Spanish"))]
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

STATIC_URL = "/static/"  # the prefix of a frame is not before it: portal.common.frame_middleware
STATIC_ROOT = DATA_DIR / "static" if DEMO else BASE_DIR / "staticfiles"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_AUTOREFRESH = DEMO  # `make demo` collects them while its web server starts
PACKAGES = npm_packages.packages(BASE_DIR / "node_modules")  # `python3 bootstrap.py setup`
STATICFILES_DIRS = [BASE_DIR / "static", *((prefix, folder) for prefix, (folder, _files) in PACKAGES.items())]
STATICFILES_FINDERS = [
    "clinic.package_files.PackageFileFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEMO
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = environment.switch("SECURE_SSL_REDIRECT", default=not DEMO)
# Whatever asks if a server lives is on its machine or beside it, and has no certificate.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
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
# Sites that may show the booking in a frame, besides those of Administration: portal.common.frame_middleware.
EMBED_ORIGINS = embedding.check_origins("EMBED_ORIGINS", env.list("EMBED_ORIGINS", default=[]))

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
# The service sends us what patients answer, so the reminders say which words are understood.
SMS_REPLIES = environment.switch("SMS_REPLIES", default=EMBEDDED)
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
    *("if-match", "if-none-match", "if-none-exist", "if-modified-since", "x-request-id"),
)
CORS_EXPOSE_HEADERS = (
    *("content-location", "etag", "expires", "last-modified", "location"),
    *("idempotency-replayed", "retry-after", "www-authenticate", "x-request-id"),
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
# Files of lists that managers import, with the patients in them; what was imported stays.
IMPORTS_KEPT = timedelta(days=environment.number("IMPORT_DAYS", default=7, least=1, most=365))
IDEMPOTENCY_KEYS_KEPT = timedelta(hours=environment.number("IDEMPOTENCY_HOURS", default=24, least=1, most=720))

# The folder of backups, and how long they are kept there: clinic.backups.
BACKUP_DIR = Path(env.str("BACKUP_DIR", default=str(DATA_DIR / "backups")))
BACKUPS_KEPT = timedelta(days=environment.number("BACKUP_DAYS", default=14, least=1, most=3653))

CELERY_BROKER_URL = sockets.broker_url(REDIS_URL)
# A booking does not wait for an unavailable broker, since the periodic task finds its messages.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 1,
    "max_retries": 0,
    "client_name": "clinic",
    "global_keyprefix": REDIS_PREFIX,
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
# The currency of prices and payments; empty: that of the clinic's country.
CLINIC_CURRENCY = money.check_currency("CLINIC_CURRENCY", env.str("CLINIC_CURRENCY", default=""))
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
# The title of visits in calendars, which others may see; empty: "Visit at" and the name of the clinic.
CALENDAR_TITLE = env.str("CALENDAR_TITLE", default="")
MAP_URL = env.str("MAP_URL", default="https://www.openstreetmap.org/search?query={address}")
# Who counts as a returning patient: scheduling.new_patients. 0 years: everyone who has ever been here.
_returning_years = environment.number("RETURNING_YEARS", default=0, least=0, most=100)
RETURNING_WITHIN = timedelta(days=365.25 * _returning_years) if _returning_years else None
RETURNING_BY_SPECIALTY = environment.switch("RETURNING_BY_SPECIALTY", default=False)
# How long a patient's details count as right, before a booking asks for them again.
DETAILS_CONFIRMED_FOR = timedelta(days=30.44 * environment.number("DETAILS_MONTHS", default=12, least=1, most=120))
# The ages from which patients have their record for themselves, and from which they may have an account of their own:
# clinic.childhood. In between, parents keep their access, unless the child's own account ends it.
ADULT_AGE = environment.number("ADULT_AGE", default=18, least=1, most=30)
YOUNG_ACCESS_AGE = environment.number("YOUNG_ACCESS_AGE", default=ADULT_AGE, least=1, most=ADULT_AGE)
PARENTS_KEEP_ACCESS = environment.switch("PARENTS_KEEP_ACCESS", default=True)
HOLD_FOR = timedelta(minutes=environment.number("HOLD_MINUTES", default=10, least=1, most=120))
LEFT_HOLD_FOR = timedelta(minutes=1)  # after the hold's page is closed, unless it is opened again
HOLDS_PER_PERSON = 2
# Payments before booking, by Stripe's hosted pages; without a provider there are none. `local` is the demo's own.
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="")
PAYMENT_PROVIDER = payment_settings.check_provider(
    env.str("PAYMENT_PROVIDER", default=""),
    key=STRIPE_SECRET_KEY,
    webhook_secret=STRIPE_WEBHOOK_SECRET,
    api_base=STRIPE_API_BASE,
    is_demo=DEMO,
)
# How long a time is held while its patient pays. It is extended once.
PAYING_FOR = timedelta(minutes=environment.number("PAYMENT_MINUTES", default=20, least=5, most=60))
# How long before a patient is to be seen again they are told, and how long after that they are reminded if they have
# neither booked nor declined.
RECALL_NOTICE = timedelta(days=environment.number("RECALL_NOTICE_DAYS", default=28, least=0, most=365))
RECALL_REMINDERS = message_settings.days("RECALL_REMINDER_DAYS", env.str("RECALL_REMINDER_DAYS", default="14,28"))
# How long the time is held that the clinic suggests in answer to a request.
SUGGESTION_HELD_FOR = timedelta(hours=environment.number("SUGGESTION_HOURS", default=48, least=1, most=720))
# How long other times are held for the patient of a visit that the clinic cannot keep.
ABSENCE_TIMES_HELD_FOR = timedelta(hours=environment.number("ABSENCE_HOURS", default=48, least=1, most=720))
# The sheet on which labels of patients are printed, in millimetres: width and height of a label, margins top and left.
LABEL_SHEET = label_sheets.label_sheet(
    env.str("LABEL_SIZE", default="70x36"), env.str("LABEL_MARGINS", default="4.5x0")
)
# How many visits staff book on one calendar and day at times that are taken.
EXTRA_VISITS_PER_DAY = environment.number("EXTRA_VISITS_PER_DAY", default=2, least=0, most=1000)
# How many messages in their own words a member of staff sends within a day.
STAFF_MESSAGES_PER_DAY = environment.number("STAFF_MESSAGES_PER_DAY", default=1000, least=0, most=100_000)
# How long a time that came free is held for one person of the waiting list, and how long after quiet hours if it came
# free in them.
WAITLIST_OFFER_FOR = timedelta(minutes=environment.number("WAITLIST_MINUTES", default=15, least=1, most=1440))
WAITLIST_OFFER_AT_NIGHT = timedelta(
    minutes=environment.number("WAITLIST_MINUTES_AFTER_NIGHT", default=60, least=1, most=1440)
)
WAITLIST_LOG_KEPT = timedelta(days=environment.number("WAITLIST_LOG_DAYS", default=730, least=1, most=3653))

LOGGING = logs.logging_settings(
    environment.choice("LOG_FORMAT", default="line", choices=("line", "json")),
    environment.log_level("LOG_LEVEL", default="WARNING"),
)
