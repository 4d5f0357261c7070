"""Every cell of the tables of docs/access.md is true."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from clinic.fhir.resources import RESOURCES
from tests.api.access.world import OPERATIONS, ROLES, Rights, World, possible

PAGE = (Path(settings.BASE_DIR) / "docs" / "access.md").read_text()


def table(heading: str) -> dict[tuple[str, str], dict[str, str]]:
    """Return the cells of each row, by resource or operation and by owner, for each role."""
    lines = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    (_, _, *roles), _, *cells = rows
    return {
        (name, whose): dict(zip(roles, may, strict=True)) for names, whose, *may in cells for name in names.split(", ")
    }


def differing(role: str, world: World) -> Iterator[str]:
    """Yield the cells of the page that differ from the server's behaviour."""
    api = world.comes(role)
    resources, operations = table("Resources"), table("Operations")
    rights = Rights(api, world.rows.values())
    for (kind, whose), row in world.rows.items():
        documented, found = resources[kind, whose][role], rights.of(row)
        if found != documented:
            yield f"{kind}, {whose}: {found!r}, not {documented!r}"
    for (operation, whose), may in operations.items():
        documented, found = may[role], "yes" if possible(world, api, operation, whose) else ""
        if found != documented:
            yield f"{operation}, {whose}: {found!r}, not {documented!r}"


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_is_as_the_page_says(role, world):
    assert list(differing(role, world)) == []


def test_the_page_leaves_nothing_out(world):
    resources, operations = table("Resources"), table("Operations")
    assert resources.keys() == world.rows.keys()
    assert {kind for kind, _ in resources} == set(RESOURCES)
    assert {operation for operation, _ in operations} == set(OPERATIONS)
    assert all(may.keys() == ROLES.keys() for may in [*resources.values(), *operations.values()])
