"""Implementation guides that this server follows, and their profiles of our resources."""

from clinic.fhir.codes import US_CORE_APPOINTMENT
from clinic.fhir.topics import BACKPORT

ARGONAUT = "http://fhir.org/guides/argonaut-scheduling"
US_CORE = "http://hl7.org/fhir/us/core"
IHE = "https://profiles.ihe.net/ITI/Scheduling"

INSTANTIATES = (
    f"{ARGONAUT}/CapabilityStatement/server",
    f"{IHE}/CapabilityStatement/IHE.Scheduling.server",
    "http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4",
)
PROFILES = {
    "Appointment": (
        f"{ARGONAUT}/StructureDefinition/argo-appt",
        f"{IHE}/StructureDefinition/ihe-sched-appt",
        US_CORE_APPOINTMENT,
    ),
    "Slot": (f"{ARGONAUT}/StructureDefinition/prefetch-slot",),
    "Schedule": (f"{ARGONAUT}/StructureDefinition/argo-sched-notif",),
    "Coverage": (f"{ARGONAUT}/StructureDefinition/argo-coverage",),
    "Subscription": (f"{ARGONAUT}/StructureDefinition/argo-sub-notif", f"{BACKPORT}/backport-subscription"),
    "Bundle": (
        f"{ARGONAUT}/StructureDefinition/avail-bundle",
        f"{ARGONAUT}/StructureDefinition/slot-bundle",
        f"{IHE}/StructureDefinition/ihe-sched-avail-bundle",
        f"{BACKPORT}/backport-subscription-notification-r4",
    ),
}
# US Core's definitions of search parameters, which are derived from FHIR's, by type and name.
US_CORE_SEARCHES = {
    ("Appointment", name): f"{US_CORE}/SearchParameter/us-core-appointment-{name}" for name in ("patient", "date")
}
