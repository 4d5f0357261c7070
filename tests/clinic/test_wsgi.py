"""The WSGI application around Django."""

import gc
from io import BytesIO

import pytest
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory

from clinic.wsgi import WholeBodies, application, keep_what_is_loaded

MOST = 1000


def environ(sent, **named):
    made = RequestFactory().post("/fhir/R4/Location", content_type="application/fhir+json").environ
    return {**made, "wsgi.input": sent, "wsgi.input_terminated": True, **named}


def chunked(body):
    return environ(BytesIO(body), HTTP_TRANSFER_ENCODING="chunked", CONTENT_LENGTH="")


def reading(environ, start_response):
    """An application that reads a body as Django does."""
    return [WSGIRequest(environ).body]


def refusing(environ, start_response):
    return [b"No."]


def test_a_body_that_comes_in_chunks_is_read():
    assert WholeBodies(reading, MOST)(chunked(b'{"resourceType": "Location"}'), None) == [
        b'{"resourceType": "Location"}'
    ]


def test_a_body_in_chunks_has_a_limit_too(settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = MOST
    with pytest.raises(RequestDataTooBig):
        WholeBodies(reading, MOST)(chunked(b" " * (MOST + 2)), None)


@pytest.mark.parametrize("make", [chunked, lambda body: environ(BytesIO(body), CONTENT_LENGTH=str(len(body)))])
def test_an_unread_body_is_read_after_the_response(make):
    request = make(b" " * (MOST * 200))
    sent = request["wsgi.input"]
    assert WholeBodies(refusing, MOST)(request, None) == [b"No."]
    assert sent.read() == b""


def test_a_stream_that_may_have_no_end_is_left_alone():
    request = environ(BytesIO(b"one request, and the next"), CONTENT_LENGTH="11")
    del request["wsgi.input_terminated"]
    WholeBodies(reading, MOST)(request, None)
    assert request["wsgi.input"].read() == b", and the next"


def test_the_server_runs_django_like_this():
    assert isinstance(application, WholeBodies)


def test_the_garbage_collector_leaves_alone_what_was_loaded_before():
    loaded: list[object] = [[]]
    keep_what_is_loaded()
    assert not any(each is loaded for each in gc.get_objects())
