"""The real settings in production's manner, with one more address: a view that does nothing."""

import os

os.environ.setdefault("DEBUG", "False")

from clinic.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.urls"
API_REQUESTS_PER_CLIENT = API_REQUESTS_PER_ADDRESS = 0
SECURE_SSL_REDIRECT = False
STATIC_ROOT = BASE_DIR / "static"  # noqa: F405 - which is there; nothing asks for its files
STORAGES = {  # with the names of files as they are: nothing has been collected
    **STORAGES,  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
