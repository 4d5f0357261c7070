"""The real settings in production's manner, without TLS, with as many requests as the clients of a drill send."""

from clinic.settings import *  # noqa: F403

API_REQUESTS_PER_CLIENT = API_REQUESTS_PER_ADDRESS = 0
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
STORAGES = {  # static files have not been collected, and no client asks for one
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = BASE_DIR / "static"  # noqa: F405 - which is there
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = DATA_DIR / "mail"  # noqa: F405
