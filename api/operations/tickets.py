"""`GET [base]/ServiceRequest/[id]/$ticket`: the link with which a referral is used."""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from api import reading
from api.authentication import caller_of
from api.fhir_view import FHIRView
from clinic.fhir.datatypes import Json, instant
from clinic.models import ServiceRequest
from scheduling import access
from scheduling.errors import NotFound, RuleBroken
from scheduling.notifications import links
from scheduling.referrals import Referral, read_referrals


class Ticket(FHIRView):
    """The link of a referral, for the patient. Callers who may change a referral may read it."""

    http_method_names = ["get", "head"]

    def get(self, request: Request, fhir_id: str) -> Response:
        now, caller = timezone.now(), caller_of(request)
        access.require(caller, ServiceRequest.RESOURCE_TYPE, "u")
        row = reading.visible(ServiceRequest.RESOURCE_TYPE, fhir_id, caller)
        if row.deleted_at is not None:
            raise NotFound(f"There is no {row.reference}.")
        [referral] = read_referrals(ServiceRequest.objects.filter(pk=row.pk), now=now)
        if referral.row.service is None:
            text = "It names no HealthcareService of this clinic as performer, so there is nothing to book."
            raise RuleBroken(text, expression="ServiceRequest.performer")
        access.record_disclosure([row], "read", caller=caller, now=now)
        return Response(_answer(referral))


def _answer(referral: Referral) -> Json:
    parameters: list[Json] = [
        {"name": "state", "valueCode": referral.state.value},
        {"name": "link", "valueUrl": links.ticket_link(referral.row)},
    ]
    if referral.row.valid_until is not None:
        parameters.append({"name": "expires", "valueInstant": instant(referral.row.valid_until)})
    if referral.visit is not None:
        parameters.append({"name": "appointment", "valueReference": {"reference": referral.visit.reference}})
    return {"resourceType": "Parameters", "parameter": parameters}
