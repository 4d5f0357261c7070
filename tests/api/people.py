"""Patients and their Coverage, as software sends them."""

PLAN = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-class", "code": "plan"}]}


def described(family="Núñez", given=("María", "José"), born="1980-02-29", gender="female", **more):
    return {
        "resourceType": "Patient",
        "name": [{"family": family, "given": list(given)}],
        "birthDate": born,
        "gender": gender,
        **more,
    }


def coverage_of(patient=None, **more):
    """A Coverage as Argonaut Scheduling wants it, in R4's words."""
    return {
        "resourceType": "Coverage",
        "status": "active",
        "type": {"text": "EHCPOL"},
        "subscriberId": "M-17",
        "payor": [{"display": "Acme Health"}],
        "class": [{"type": PLAN, "value": "gold", "name": "Acme Gold"}],
        **({"beneficiary": {"reference": patient.reference}} if patient else {}),
        **more,
    }
