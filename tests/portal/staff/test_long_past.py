"""The staff's pages of a clinic with a long past: none reads a large part of its visits, messages or audit lines."""

import pytest

from benchmarks.page_costs import desk_pages, owner_pages
from tests.long_past import clinic_with_a_past, is_much, noon_of_today, rows_read

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("pages", [desk_pages, owner_pages])
def test_no_page_reads_a_large_part_of_the_past(pages):
    noon = noon_of_today()
    clinic = clinic_with_a_past(noon)
    much = {}
    for page in pages(clinic, noon):
        with rows_read() as read:
            assert page.ask().status_code == 200, page.name
        if is_much(read):
            much[page.name] = read
    assert much == {}
