"""The clock's door: what happens because time has passed."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from clinic.models import IdempotencyKey
from scheduling import booking

KEYS_LAST = timedelta(days=1)


@shared_task(ignore_result=True)
def release_expired_holds() -> None:
    booking.release_expired_holds(now=timezone.now())


@shared_task(ignore_result=True)
def forget_idempotency_keys() -> None:
    IdempotencyKey.objects.filter(created__lt=timezone.now() - KEYS_LAST).delete()
