"""Traces of requests, SQL statements and tasks for an OpenTelemetry collector. Imported only where TRACES_URL is set.

Spans leave this server with a few attributes that tell nothing about a patient: no address, no query, no parameter.
"""

from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace import Status

from clinic import request_id
from clinic.version import version

REQUEST_ID = "clinic.request_id"
SECONDS = 5  # that the collector may take
# By the names of both semantic conventions, the former and the stable one.
KEPT = frozenset(
    {
        REQUEST_ID,
        *("http.method", "http.request.method", "http.route", "http.status_code", "http.response.status_code"),
        *("db.system", "db.system.name", "db.statement", "db.query.text"),
        *("celery.action", "celery.state", "messaging.destination", "messaging.destination.name"),
    }
)


def start(exporter: SpanExporter | None = None) -> TracerProvider:
    """Trace this process from now on, for the collector at TRACES_URL or another exporter."""
    provider = TracerProvider(
        sampler=TraceIdRatioBased(settings.TRACES_PERCENT / 100),  # whatever the client of a request says
        resource=Resource.create({"service.name": "clinic-scheduling", "service.version": version()}),
    )
    provider.add_span_processor(_RequestIds())
    provider.add_span_processor(
        BatchSpanProcessor(_WithoutPatients(exporter or OTLPSpanExporter(settings.TRACES_URL, timeout=SECONDS)))
    )
    DjangoInstrumentor().instrument(tracer_provider=provider, response_hook=_describe)
    PsycopgInstrumentor().instrument(tracer_provider=provider)
    CeleryInstrumentor().instrument(tracer_provider=provider)  # type: ignore[no-untyped-call]
    return provider


def _describe(span: Span, request: HttpRequest, response: HttpResponse) -> None:
    """Name the span of a request by its route, which requests with a bearer token have only now, and give it its id."""
    span.set_attribute(REQUEST_ID, response.headers.get(request_id.HEADER, ""))
    if match := request.resolver_match:
        span.set_attribute("http.route", match.route)
        span.update_name(f"{request.method} {match.route}")


class _RequestIds(SpanProcessor):
    """Gives the spans of a request or task its id."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        span.set_attribute(REQUEST_ID, request_id.current.get())


class _WithoutPatients(SpanExporter):
    """An exporter that passes on spans with the attributes in KEPT, and without events, which quote exceptions."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_reduced(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _reduced(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: value for name, value in (span.attributes or {}).items() if name in KEPT},
        kind=span.kind,
        status=Status(span.status.status_code),  # its description quotes an exception
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
