"""Deletion of rows that are older than their retention setting, or that have expired, in batches."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet

from clinic.fhir.resources import RESOURCES
from clinic.models import (
    AuditEvent,
    DetailsChange,
    EventDelivery,
    FhirExport,
    FreedTime,
    IdempotencyKey,
    ImportFile,
    Launch,
    Notification,
    ParkedRow,
    PastVersion,
    PatientNote,
    StaffNotice,
    UsedAssertion,
    VisitEvent,
    WaitlistCall,
    WaitlistOffer,
    WorkItem,
)
from clinic.parking import KEPT, Parking, park

FORGETTING = "forget what is old"
BATCH = 2000  # rows of one statement, and so of one transaction
WORK_ITEMS_KEPT = timedelta(days=180)  # after the last change, which is longer than an item can be put off
BATCHES = 100  # of each table in one run; the next run continues


def forget(*, now: datetime) -> None:
    """Delete the rows whose time is over. Each batch is a transaction of its own.

    A row that cannot be deleted is parked (clinic.parking), and the other rows and tables are processed.
    """
    for rows in _expired_rows(now):
        try:
            _delete(rows, Parking(FORGETTING, rows.model, now=now))
        except Exception as error:
            park(FORGETTING, rows.model.__name__, "", error, now=now)


def _delete(rows: "QuerySet[Any]", aside: Parking) -> None:
    table = rows.model._default_manager
    for _ in range(BATCHES):
        oldest = list(rows.exclude(pk__in=aside.waiting).order_by("pk").values_list("pk", flat=True)[:BATCH])
        aside.process_together(table.filter(pk__in=oldest), QuerySet.delete)
        if len(oldest) < BATCH:
            return


def _expired_rows(now: datetime) -> "Iterator[QuerySet[Any]]":
    yield AuditEvent.objects.filter(recorded__lt=now - settings.AUDIT_KEPT)
    # A version replaced so long ago is older still, so the index of last_updated finds it.
    long_ago = now - settings.HISTORY_KEPT
    yield PastVersion.objects.filter(resource_type__in=RESOURCES, last_updated__lt=long_ago, replaced__lt=long_ago)
    yield DetailsChange.objects.filter(decided__lt=long_ago)
    yield PatientNote.objects.filter(ended__lt=long_ago)
    yield IdempotencyKey.objects.filter(created__lt=now - settings.IDEMPOTENCY_KEYS_KEPT)
    is_final = Q(status__in=(Notification.Status.SENT, Notification.Status.FAILED))
    yield Notification.objects.filter(is_final, created__lt=now - settings.DELIVERY_LOG_KEPT)
    told = EventDelivery.objects.exclude(status=EventDelivery.Status.WAITING)
    yield told.filter(created__lt=now - settings.DELIVERY_LOG_KEPT)
    yield VisitEvent.objects.filter(occurred__lt=now - settings.DELIVERY_LOG_KEPT)
    long_past = now - settings.WAITLIST_LOG_KEPT
    yield WaitlistOffer.objects.exclude(outcome=WaitlistOffer.Outcome.OPEN).filter(offered__lt=long_past)
    yield WaitlistCall.objects.filter(called__lt=long_past)
    yield FreedTime.objects.filter(freed__lt=long_past)
    yield UserSession.objects.filter(last_seen_at__lt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE))
    yield UsedAssertion.objects.filter(expires__lt=now)
    yield StaffNotice.objects.filter(occurred__lt=now - settings.DELIVERY_LOG_KEPT)
    yield WorkItem.objects.filter(changed__lt=now - WORK_ITEMS_KEPT)
    yield ImportFile.objects.filter(created__lt=now - settings.IMPORTS_KEPT)
    yield FhirExport.objects.filter(expires__lt=now)
    yield Launch.objects.filter(access_token=None, created__lt=now - settings.APPS_FORGOTTEN_AFTER)
    yield Session.objects.filter(expire_date__lt=now)
    yield ParkedRow.objects.filter(again__lt=now - KEPT)
