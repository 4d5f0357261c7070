"""Implementation guides that this server follows, and their profiles of our resources."""

from clinic.fhir.topics import BACKPORT

ARGONAUT = "http://fhir.org/guides/argonaut-scheduling"
IHE = "https://profiles.ihe.net/ITI/Scheduling"

INSTANTIATES = (
    f"{ARGONAUT}/CapabilityStatement/server",
    f"{IHE}/CapabilityStatement/IHE.Scheduling.server",
    "http://hl7.org/fhir/uv/subscriptions-backport/CapabilityStatement/backport-subscription-server-r4",
)
PROFILES = {
    "Appointment": (f"{ARGONAUT}/StructureDefinition/argo-appt", f"{IHE}/StructureDefinition/ihe-sched-appt"),
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
