"""Issues of a resource that a client sent: https://hl7.org/fhir/R4/operationoutcome.html"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ResourceIssue:
    """One issue. `code` is FHIR's issue type, `expression` the FHIRPath of the element, such as `Slot.start`."""

    code: str
    text: str
    expression: str


class InvalidElement(Exception):
    """A value that cannot be read. The caller, which knows the element's path, turns it into a ResourceIssue."""

    def __init__(self, text: str, code: str = "invalid", at: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.at = at

    def issue(self, path: str) -> ResourceIssue:
        """Return the issue for an element at this path, which `at` continues, such as `.start` or `[1].value`."""
        return ResourceIssue(self.code, self.text, path + self.at)


class InvalidResource(Exception):
    """A resource that is not accepted, with all its issues."""

    def __init__(self, issues: Sequence[ResourceIssue]) -> None:
        super().__init__("; ".join(f"{issue.expression}: {issue.text}" for issue in issues))
        self.issues = list(issues)
