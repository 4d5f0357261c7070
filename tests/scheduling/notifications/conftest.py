from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from tests.factories import AppointmentFactory, LocationFactory, PatientFactory, UserFactory


@pytest.fixture
def texts_are_recorded(settings):
    settings.SMS_ENABLED, settings.SMS_URL, settings.QUIET_HOURS = True, "", None


@pytest.fixture
def ada(db):
    return PatientFactory(given="Ada", phone="+1 212 555 0123", user=UserFactory(email="ada@example.com"))


@pytest.fixture
def visit(ada):
    """A booked visit tomorrow."""
    site = LocationFactory(name="Main Street")
    return AppointmentFactory(patient=ada, site=site, start=timezone.now() + timedelta(days=1))


@pytest.fixture
def text_service(settings) -> Iterator[SimpleNamespace]:
    """A text service on this machine, with the requests it got and the responses it gives."""
    state = SimpleNamespace(asked=[], status=201, answer=b'{"sid": "SM1", "status": "queued"}')

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            state.asked.append(
                (self.path, self.headers["Authorization"], {key: value[0] for key, value in form.items()})
            )
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(state.answer)

        def do_HEAD(self):
            self.send_response(state.status)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    settings.SMS_URL = f"http://AC1:secret@127.0.0.1:{server.server_port}/2010-04-01/Accounts/AC1/Messages.json"
    settings.SMS_FROM, settings.SMS_ENABLED, settings.QUIET_HOURS = "+12125550100", True, None
    yield state
    server.shutdown()
    server.server_close()
    thread.join()
