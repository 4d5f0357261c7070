"""The example of a decision service: who is not insured on the day of the visit does not book it."""

import sys
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from clinic.models import CdsService
from scheduling.errors import RuleBroken
from tests.factories import CoverageFactory
from tests.plugins import EXAMPLES
from tests.scheduling.situations import book, monday, wish

pytestmark = pytest.mark.django_db(transaction=True)


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Log nothing, to keep the output of the tests clean."""


@pytest.fixture
def example(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES / "cds-coverage-service")
    import coverage_service

    yield coverage_service
    monkeypatch.delitem(sys.modules, "coverage_service")


@pytest.fixture
def registered(example, settings):
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with make_server("127.0.0.1", 0, example.application, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/cds-services/coverage"
        yield CdsService.objects.create(name="Coverage", url=url, stops=True, sends_records=True)
        server.shutdown()
        thread.join()


def test_insurance_that_is_active_is_verified_and_without_it_nothing_is_booked(service, chen, ada, registered):
    request = wish(service, chen, at=monday(10), patient=ada)
    with pytest.raises(RuleBroken, match="Coverage check: No insurance is active on the day of the visit"):
        book(request)
    CoverageFactory(beneficiary=ada, payor=[{"display": "Acme Health"}], verification="verified")
    booked = book(request)
    verified = "Coverage check: Insurance is active and verified: Acme Health"
    assert (booked.status, booked.cards) == ("booked", (verified,))


def test_it_describes_itself_and_knows_no_other_address(example):
    answers = []
    for path in ("/cds-services", "/elsewhere"):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path}
        example.application(environ, lambda status, headers: answers.append(status))
    assert answers == ["200 OK", "404 Not Found"]
    assert [each["hook"] for each in example.SERVICES["services"]] == ["appointment-book"]
