"""Pages of a $find: where a page begins in the search, and the links from page to page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlencode

from clinic.fhir.datatypes import Json, instant
from clinic.fhir.issues import InvalidElement
from scheduling import availability

CURSOR = re.compile(r"([0-9]{1,10})\.([0-9]{1,5})(?:\.([0-9]{1,5}))?")


class Timed(Protocol):
    """A free time that starts at an instant in UTC seconds."""

    @property
    def start(self) -> int: ...


@dataclass(frozen=True)
class PageCursor:
    """The place after the proposals before `start` and the first `skip` of those at `start`: visits may share a time.

    `total` is how many proposals there were in all, in a dialect that counts them.
    """

    start: int
    skip: int
    total: int | None = None

    def __str__(self) -> str:
        numbers = (self.start, self.skip) if self.total is None else (self.start, self.skip, self.total)
        return ".".join(map(str, numbers))


def read_cursor(value: Any, *, counted: bool) -> PageCursor:
    """Read the parameter `_page`. `counted`: the dialect counts all proposals."""
    match = CURSOR.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[3] is not None) != counted:
        raise InvalidElement("Not a page of this search")
    return PageCursor(int(match[1]), int(match[2]), int(match[3]) if counted else None)


@dataclass(frozen=True, kw_only=True)
class PagedSearch:
    """A search for times from `start` to `end`, `count` on a page."""

    start: datetime
    end: datetime
    count: int
    cursor: PageCursor | None

    @property
    def beginning(self) -> tuple[datetime, int]:
        """Return when the page begins, and how many of its times earlier pages have sent."""
        if self.cursor and self.cursor.start > self.start.timestamp():
            return availability.as_datetime(self.cursor.start), self.cursor.skip
        return self.start, 0

    def links(
        self, base: str, parameters: Sequence[tuple[str, str]], found: Sequence[Timed], total: int | None = None
    ) -> list[Json]:
        """Return the links of a page; `found` has one more time than the page if there are more."""
        window = [("start", instant(self.start)), ("end", instant(self.end))]
        query = [*window, *parameters, ("_count", str(self.count))]

        def link(relation: str, cursor: PageCursor | None) -> Json:
            page = [("_page", str(cursor))] if cursor else []
            return {"relation": relation, "url": f"{base}Appointment/$find?{urlencode([*query, *page], safe='/:,')}"}

        links = [link("self", self.cursor)]
        if len(found) > self.count > 0:
            links.append(link("next", self._after(found[: self.count], total)))
        return links

    def _after(self, page: Sequence[Timed], total: int | None) -> PageCursor:
        last = page[-1].start
        skip = sum(time.start == last for time in page)
        if self.cursor and self.cursor.start == last:
            skip += self.cursor.skip
        return PageCursor(last, skip, total)
