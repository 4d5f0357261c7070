"""Files to import, and what becomes of them."""

from datetime import UTC, datetime

import pytest

from clinic.models import ImportFile, StaffRole
from scheduling import imports
from scheduling.access import Caller
from tests.factories import UserFactory

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Importer:
    """Sends files as a manager, and does their steps."""

    def __init__(self, caller):
        self.caller = caller

    def send(self, kind, text, columns=None):
        data = text if isinstance(text, bytes) else text.encode()
        file = imports.send(data, kind=kind, name=f"{kind}.csv", caller=self.caller, now=NOW)
        imports.check(file.pk, columns or file.columns, version=file.version, caller=self.caller)
        return file

    def work(self, file):
        while imports.work_on(file.pk, caller=self.caller, now=NOW):
            pass
        return ImportFile.objects.get(pk=file.pk)

    def check(self, kind, text, columns=None):
        return self.work(self.send(kind, text, columns))

    def start(self, file, *, only_good=False):
        return imports.start(file.pk, only_good=only_good, version=file.version, caller=self.caller)

    def run(self, kind, text, *, only_good=False):
        return self.work(self.start(self.check(kind, text), only_good=only_good))

    def refusals(self, kind, text):
        return {each.line: each.reason for each in self.check(kind, text).refused.all()}


@pytest.fixture
def importer(db):
    manager = UserFactory()
    StaffRole.objects.create(user=manager, role="manager")
    return Importer(Caller(user=manager))
