"""The real settings, with passwords that are quick to check and mail that stays here."""

import os
import re
from pathlib import Path

from demo import openid_key

os.environ.setdefault("OIDC_RSA_PRIVATE_KEY", openid_key.demo_key(Path(os.environ.get("CLINIC_DATA_DIR", "var"))))

from clinic.settings import *  # noqa: F403

DEBUG = DEMO = False
FHIR_CANONICAL_BASE = "https://clinic.example/fhir"  # as it is stored, except in tests/api/test_own_addresses.py
if "demo" not in INSTALLED_APPS:  # noqa: F405 - tested with DEMO off too
    INSTALLED_APPS.append("demo")  # noqa: F405
    CONTEXT_PROCESSORS.append("demo.context_processors.sign_in_hint")  # noqa: F405
CLINIC_PHONE = ""
CLINIC_COUNTRY = "US"  # whatever the sites of a test are
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WORKER_NICE = 0  # a worker of a test runs in its process: the tests after it would be slow
API_REQUESTS_PER_CLIENT = API_REQUESTS_PER_ADDRESS = 0  # except in tests/api/test_throttling.py
SECURE_SSL_REDIRECT = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# The tests have a larger pool, because races use more connections than a process of the web server: tests/conftest.py.
# A check that only loads the settings waits for no database.
POOL = DATABASES["default"]["OPTIONS"].pop("pool")  # noqa: F405
# On a busy machine a race can hold a lock for longer than the product waits for one.
DATABASES["default"]["OPTIONS"]["options"] = "-c lock_timeout=30000"  # noqa: F405
# Static files are found on request: nothing is collected before a test.
WHITENOISE_AUTOREFRESH = True
# Test processes (pytest-xdist) have a cache each, because tests clear it. The first database of Redis has none, because
# messages to workers are there, which clearing would delete.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
CACHES["default"]["LOCATION"] = re.sub(r"(?<=[=/])\d+$", str(int(WORKER) + 1), REDIS_URL)  # noqa: F405
