"""The addresses of the pages as the URL configuration has them, and requests to each of them."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, get_resolver, reverse

from tests.portal.access.table import TABLE


def addresses(resolver: Any = None, above: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The name and the parameters of each address of the pages; a name may stand for several."""
    for each in (resolver or get_resolver("portal.urls")).url_patterns:
        parameters = (*above, *each.pattern.converters)
        if isinstance(each, URLPattern):
            yield each.name, parameters
        else:
            yield from addresses(each, parameters)


def requests(things):
    """Yield a GET of each address, and a POST with data that would change something."""
    for name, parameters in addresses():
        row = TABLE[name]
        address = reverse(f"portal:{name}", kwargs={each: things[row.names.get(each, each)] for each in parameters})
        if name in ("staff-new-visit", "staff-new-block", "staff-group"):
            address += f"?schedule={things['schedule_id']}&start={things['start']}"
        posted = {key: value.format(**things) if "_id}" in value else value for key, value in row.post.items()}
        yield name, row, address, None
        yield name, row, address, posted
