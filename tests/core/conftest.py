"""Configuration of the tests of scheduling.core, which need neither a database nor Django."""

import zoneinfo

from hypothesis import HealthCheck, settings

# The zones of the pinned tzdata package: the machine's may be older.
zoneinfo.reset_tzpath(to=())

settings.register_profile(
    "core",
    max_examples=40,
    deadline=None,  # the slow model is slow
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("core")
