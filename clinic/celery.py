"""The Celery application and the schedule of its periodic tasks."""

import os

from celery import Celery
from celery.signals import worker_init
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

app = Celery("clinic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["scheduling"])
app.conf.beat_schedule = {
    "release expired holds": {"task": "scheduling.tasks.release_expired_holds", "schedule": 30.0},
    # A task that is late expires, since the next one does the same work.
    "deliver messages": {
        "task": "scheduling.tasks.deliver_messages",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    # This task polls for changes, so that no booking has to wait for the broker.
    "notify subscribers": {
        "task": "scheduling.tasks.notify_subscribers",
        "schedule": 1.0,
        "options": {"expires": 1.0},
    },
    "tell receivers": {
        "task": "scheduling.tasks.tell_receivers",
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


@worker_init.connect
def yield_to_web_servers(**kwargs: object) -> None:
    """Lower the priority of a worker to WORKER_NICE before it starts its threads or processes, which inherit it."""
    now = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(now, settings.WORKER_NICE))
