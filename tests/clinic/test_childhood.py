"""The end of childhood: from which day a record is the patient's own."""

from datetime import UTC, date, datetime

import pytest

from clinic import childhood

PARENT = [{"coding": [{"code": "MTH"}]}]
NEW_YEAR = datetime(2026, 1, 1, 4, 59, tzinfo=UTC)  # one minute before midnight in New York


@pytest.fixture(autouse=True)
def clinic(settings):
    settings.CLINIC_TIME_ZONE = "America/New_York"
    settings.ADULT_AGE, settings.YOUNG_ACCESS_AGE, settings.PARENTS_KEEP_ACCESS = 18, 16, True


@pytest.mark.parametrize(("born", "now", "is_over"), [
    (date(2008, 1, 1), NEW_YEAR, False),
    (date(2008, 1, 1), NEW_YEAR.replace(hour=5, minute=0), True),
    (date(2008, 2, 29), datetime(2026, 3, 1, 4, 59, tzinfo=UTC), False),
    (date(2008, 2, 29), datetime(2026, 3, 1, 5, 0, tzinfo=UTC), True),
    (date(2010, 1, 1), NEW_YEAR, False),
    (None, NEW_YEAR, False),
])  # fmt: skip
def test_it_is_over_on_the_birthday_by_the_clinics_clock(born, now, is_over):
    assert childhood.is_over(born, now, has_account=False) == is_over
    if born:
        assert (childhood.of_age_on(born) <= now.astimezone(childhood.clinic_zone()).date()) == is_over


@pytest.mark.parametrize(("keeps", "has_account", "is_over"), [
    (True, True, False),
    (False, False, False),
    (False, True, True),
])  # fmt: skip
def test_an_account_of_a_young_person_ends_it_where_the_clinic_says_so(settings, keeps, has_account, is_over):
    settings.PARENTS_KEEP_ACCESS = keeps
    assert childhood.is_over(date(2009, 6, 1), NEW_YEAR, has_account=has_account) == is_over


@pytest.mark.parametrize(("born", "is_old_enough"), [
    (date(2010, 1, 1), False),
    (date(2009, 12, 31), True),
    (None, True),
])  # fmt: skip
def test_a_young_person_may_have_an_account(born, is_old_enough):
    assert childhood.is_old_enough(born, NEW_YEAR) == is_old_enough


@pytest.mark.parametrize(("relationship", "keeps", "ends"), [
    (PARENT, False, True),
    (PARENT, True, False),
    ([{"coding": [{"code": "CHILD"}]}, {"coding": [{"code": "GRPRN"}]}], False, True),
    ([{"coding": [{"code": "SPS"}]}], False, False),
    ([{"text": "mother"}], False, False),
    ([], False, False),
])  # fmt: skip
def test_it_ends_the_access_of_parents_only(relationship, keeps, ends):
    assert childhood.ends_access(relationship, keeps=keeps) == ends
