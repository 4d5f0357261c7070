"""The language of the pages: chosen in this browser, else from the patient's record, else the browser's own."""

from typing import Any

from allauth.account.signals import user_logged_in
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from clinic.models import Patient, User
from portal.common.callers import caller_of


def names() -> list[tuple[str, str]]:
    """Return the code of each language and its own name for itself."""
    return [(code, OWN_NAMES[code]) for code, _name in settings.LANGUAGES]


# Never translated: people look for their language by its own name.
OWN_NAMES = {"en": "English", "de": "Deutsch", "es": "Español"}


def remember(response: HttpResponse, language: str) -> None:
    """Set the language cookie."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )


def switch(request: HttpRequest, language: str, response: HttpResponse) -> HttpResponse:
    """Return the response with the language cookie, and store the language in the patient's record.

    A language that is not one of LANGUAGES changes nothing.
    """
    if language in dict(settings.LANGUAGES):
        remember(response, language)
        patient = caller_of(request).patient
        if patient:
            keep(patient, language)
    return response


def keep(patient: Patient, language: str) -> None:
    """Store the language in the patient's record, so that messages are written in it too."""
    Patient.objects.filter(pk=patient.pk).exclude(language=language).update(language=language)


@receiver(user_logged_in, dispatch_uid="patients_language")
def greet(request: HttpRequest, user: User, response: HttpResponse | None = None, **_kwargs: Any) -> None:
    """Take the language from the patient's record on sign-in, if this browser has chosen none."""
    if response is None or settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return
    language = Patient.objects.filter(user=user, deleted_at=None).values_list("language", flat=True).first()
    if language in dict(settings.LANGUAGES):
        remember(response, str(language))
