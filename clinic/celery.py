"""The Celery application. Its schedule lives here, in code, so that a change is reviewed like any other."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

app = Celery("clinic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["scheduling"])
app.conf.beat_schedule = {
    "release expired holds": {"task": "scheduling.tasks.release_expired_holds", "schedule": 30.0},
    # A sweep that is late is not wanted any more: the next one finds the same.
    "deliver messages": {
        "task": "scheduling.tasks.deliver_messages",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    # Nobody tells the broker of each change, so that no booking waits for it: what has changed is looked for.
    "notify subscribers": {
        "task": "scheduling.tasks.notify_subscribers",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    "tend subscriptions": {
        "task": "scheduling.tasks.tend_subscriptions",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "renew names and addresses": {
        "task": "scheduling.tasks.renew_contacts",
        "schedule": 900.0,
        "options": {"expires": 900.0},
    },
    "forget what is old": {"task": "scheduling.tasks.forget", "schedule": 3600.0, "options": {"expires": 3600.0}},
}
