"""Implementation guides that this server follows, and their profiles of our resources."""

ARGONAUT = "http://fhir.org/guides/argonaut-scheduling"
IHE = "https://profiles.ihe.net/ITI/Scheduling"

INSTANTIATES = (f"{ARGONAUT}/CapabilityStatement/server", f"{IHE}/CapabilityStatement/IHE.Scheduling.server")
PROFILES = {
    "Appointment": (f"{ARGONAUT}/StructureDefinition/argo-appt", f"{IHE}/StructureDefinition/ihe-sched-appt"),
    "Slot": (f"{ARGONAUT}/StructureDefinition/prefetch-slot",),
    "Schedule": (f"{ARGONAUT}/StructureDefinition/argo-sched-notif",),
    "Coverage": (f"{ARGONAUT}/StructureDefinition/argo-coverage",),
    "Subscription": (f"{ARGONAUT}/StructureDefinition/argo-sub-notif",),
    "Bundle": (
        f"{ARGONAUT}/StructureDefinition/avail-bundle",
        f"{ARGONAUT}/StructureDefinition/slot-bundle",
        f"{IHE}/StructureDefinition/ihe-sched-avail-bundle",
    ),
}
