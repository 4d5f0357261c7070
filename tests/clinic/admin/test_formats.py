"""Django's formats in the administration, by language and country."""

from datetime import datetime

import pytest
from django.utils import formats
from django.utils.translation import override

NOON = datetime(2026, 3, 4, 14, 5)  # noqa: DTZ001  # local, as the administration shows it


@pytest.mark.parametrize(
    ("language", "country", "day", "moment", "typed", "first", "number"),
    [
        ("en", "US", "March 4, 2026", "3/4/2026, 2:05 PM", "03/04/2026 02:05:00 PM", 0, "3.5"),
        ("es", "US", "4 de marzo de 2026", "4/3/2026, 2:05 PM", "04/03/2026 02:05:00 PM", 0, "3.5"),
        ("en", "GB", "4 March 2026", "04/03/2026, 14:05", "04/03/2026 14:05:00", 1, "3.5"),
        ("es", "GB", "4 de marzo de 2026", "4/3/2026, 14:05", "04/03/2026 14:05:00", 1, "3,5"),
        ("de", "DE", "4. März 2026", "04.03.2026, 14:05", "04.03.2026 14:05:00", 1, "3,5"),
        ("es", "MX", "4 de marzo de 2026", "04/03/2026, 2:05 PM", "04/03/2026 02:05:00 PM", 0, "3.5"),
    ],
)
def test_administration_writes_as_the_country_does(
    settings, fresh_formats, language, country, day, moment, typed, first, number
):
    settings.CLINIC_COUNTRY = country
    with override(language):
        assert formats.date_format(NOON) == day
        assert formats.date_format(NOON, "SHORT_DATETIME_FORMAT") == moment
        assert formats.localize_input(NOON) == typed
        assert formats.get_format("FIRST_DAY_OF_WEEK") == first
        assert formats.localize(3.5) == number
        assert "%Y-%m-%d" in formats.get_format("DATE_INPUT_FORMATS")
        assert {"%H:%M", "%I:%M %p"} <= set(formats.get_format("TIME_INPUT_FORMATS"))
