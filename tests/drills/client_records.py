"""Records of the answers that the clients of a drill got."""

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock

REFUSALS = (409, 422, 429)


@dataclass
class RecordedVisit:
    """A visit as its client was told last, and the mark that its client put into its comment.

    `fhir_id` is empty until the client is told that it is taken.
    """

    mark: str
    fhir_id: str = ""
    status: str = ""
    start: str = ""


@dataclass
class ClientRecords:
    """The visits that clients were told of, the number of answers by status, and the answers that are wrong."""

    visits: list[RecordedVisit] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def visit(self, mark: str) -> RecordedVisit:
        visit = RecordedVisit(mark)
        with self.lock:
            self.visits.append(visit)
        return visit

    def answer(self, what: str) -> None:
        with self.lock:
            self.answers[what] += 1

    def complain(self, problem: str) -> None:
        with self.lock:
            self.wrong.append(problem)
