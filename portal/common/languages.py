"""The language somebody reads in: what they chose in this browser, else what their record says, else the browser's."""

from typing import Any

from allauth.account.signals import user_logged_in
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from clinic.models import Patient, User
from portal.common.callers import caller_of


def names() -> list[tuple[str, str]]:
    """Each language's code and its name in itself."""
    return [(code, OWN_NAMES[code]) for code, _name in settings.LANGUAGES]


# Never translated: who looks for their language knows it by its own name.
OWN_NAMES = {"en": "English", "es": "Español"}


def remember(response: HttpResponse, language: str) -> None:
    """Have the browser ask for this language from now on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )


def read_in(request: HttpRequest, language: str, response: HttpResponse) -> HttpResponse:
    """The response, after which the browser and the patient's record read in this language, if it is one of ours."""
    if language in dict(settings.LANGUAGES):
        remember(response, language)
        patient = caller_of(request).patient
        if patient:
            keep(patient, language)
    return response


def keep(patient: Patient, language: str) -> None:
    """Write to the patient in this language too."""
    Patient.objects.filter(pk=patient.pk).exclude(language=language).update(language=language)


@receiver(user_logged_in, dispatch_uid="patients_language")
def greet(request: HttpRequest, user: User, response: HttpResponse | None = None, **_kwargs: Any) -> None:
    """Whoever signs in on a browser that knows no language yet reads in the one of their record."""
    if response is None or settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return
    language = Patient.objects.filter(user=user, deleted_at=None).values_list("language", flat=True).first()
    if language in dict(settings.LANGUAGES):
        remember(response, str(language))
