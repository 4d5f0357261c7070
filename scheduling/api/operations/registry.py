"""Which operations there are, for the CapabilityStatement: https://hl7.org/fhir/R4/operationdefinition.html"""

from dataclasses import dataclass

from clinic.fhir.codes import OURS


@dataclass(frozen=True)
class Operation:
    """An operation on a type (`Appointment/$find`), on one of its resources (`Appointment/[id]/$cancel`), or both."""

    name: str
    resource: str = "Appointment"
    methods: tuple[str, ...] = ("POST",)
    on_type: bool = False
    on_instance: bool = False

    @property
    def definition(self) -> str:
        return f"{OURS}/OperationDefinition/{self.resource}-{self.name}"


OPERATIONS = (
    Operation("find", methods=("GET", "POST"), on_type=True),
    Operation("hold", on_type=True),
    Operation("book", on_type=True),
    Operation("confirm", on_instance=True),
    Operation("cancel", on_type=True, on_instance=True),
    Operation("reschedule", on_instance=True),
)
