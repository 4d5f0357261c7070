"""Rows from FHIR JSON."""

from django.utils import timezone as clock

from clinic import models
from clinic.fhir.resources import RESOURCES, rows_of


def save(draft, kind):
    """The unsaved row of a clinic.fhir Draft."""
    model, fields = RESOURCES[kind].model, dict(draft.fields)
    if model is models.Schedule:
        name, pk = draft.actor
        fields["bookable"] = models.Bookable.objects.get_or_create(**{f"{name}_id": pk})[0]
    if model is models.Slot:
        fields["bookable_id"] = models.Schedule.objects.get(pk=fields["schedule_id"]).bookable_id
    if model is models.Appointment:
        fields.setdefault("created", clock.now())
    row = model.objects.create(last_updated=clock.now(), **fields)
    for name, keys in draft.many.items():
        getattr(row, name).set(keys)
    for each in draft.parameters:
        whose = {"service": row} if each.service_id == "self" else {"service_id": each.service_id, "schedule": row}
        models.SchedulingParameters.objects.create(**whose, **each.fields)
    return rows_of(RESOURCES[kind]).get(pk=row.pk)
