"""Views of messages and message preferences, sending again, and delivery reports of providers."""

from typing import Any

from anymail.signals import tracking
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import Communication
from portal.common import form_drafts, languages
from portal.common.callers import caller_of, patient_required, sign_in_required, staff_required
from portal.messages import inbox
from portal.messages import preferences as choices
from portal.messages.forms import PreferencesForm
from scheduling import access, booking, notifications
from scheduling.notifications import links, sms
from scheduling.notifications.failure_text import TEXT_NOT_DELIVERED

A_PAGE = 20


@sign_in_required
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """List the user's messages, latest first."""
    rows = inbox.messages_of(caller_of(request)).select_related("patient", "appointment__site", "appointment__service")
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    entries = inbox.entries_of(page.object_list)
    context = {"page": page, "entries": entries, "any_new": any(entry.is_new for entry in entries)}
    return render(request, "portal/messages/index.html", context)


@sign_in_required
@require_POST
def read(request: HttpRequest) -> HttpResponse:
    """Mark the named message as read; without a name, all of them."""
    inbox.mark_read(caller_of(request), request.POST.get("message") or None, now=timezone.now())
    return redirect("portal:messages")


@patient_required
@require_http_methods(["GET", "POST"])
@form_drafts.page
def preferences(request: HttpRequest, patient_id: str | None = None) -> HttpResponse:
    """Show and save the message preferences of the user, or of a person they care for."""
    caller = caller_of(request)
    everyone = caller.confided_patients
    patient = next((each for each in everyone if patient_id in (None, each.fhir_id)), None)
    if patient is None:
        raise Http404
    is_self = patient == caller_of(request).patient
    form = form_drafts.form(request, PreferencesForm, initial=choices.of(patient))
    if request.method == "POST" and form.is_valid():
        form_drafts.done(request)
        choices.save(patient, form.cleaned_data, now=timezone.now())
        messages.success(request, _("Your settings are saved."))
        response = redirect(request.path)
        if is_self:
            languages.remember(response, form.cleaned_data["language"])
        return response
    context = {"form": form, "patient": patient, "is_self": is_self, "everyone": everyone}
    return render(request, "portal/messages/preferences.html", context)


@csrf_exempt  # the token is the proof, and a mail program's one click carries nothing else (RFC 8058)
@never_cache
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Turn off reminders without signing in. A GET asks first, because mail programs open links by themselves."""
    named = links.read_unsubscribe_link(token)
    if named is None:
        raise Http404
    done = request.method == "POST"
    if done and not choices.stop_reminders(named[0]):
        raise Http404
    return render(request, "portal/messages/unsubscribe.html", {"done": done})


@staff_required
@require_POST
def send_again(request: HttpRequest, message_id: str) -> HttpResponse:
    """Send a message again, for staff who work with the visit."""
    message = get_object_or_404(
        Communication.objects.select_related("appointment"), fhir_id=message_id, appointment__isnull=False
    )
    assert message.appointment is not None
    visits = access.staff_appointments(caller_of(request).worker)
    if not visits.filter(pk=message.appointment.pk, deleted_at=None).exists():
        raise Http404
    notifications.send_again(message, now=timezone.now())
    messages.success(request, _("The message is being sent again."))
    return redirect(_next_page(request) or reverse("portal:start"))


@csrf_exempt  # the provider signs its requests
@require_POST
def text_status(request: HttpRequest, message_id: str) -> HttpResponse:
    """Record the delivery status of a text message, as Twilio reports it."""
    address = links.absolute(request.get_full_path())
    if not sms.is_signed(address, request.POST.dict(), request.headers.get("X-Twilio-Signature", "")):
        raise PermissionDenied
    status = request.POST.get("MessageStatus", "")
    known = True
    if status in sms.DELIVERED:
        known = notifications.arrived(message=message_id, now=timezone.now())
    elif status in sms.FAILED:
        code = "".join(filter(str.isdigit, request.POST.get("ErrorCode", "")))[:10]
        why = TEXT_NOT_DELIVERED % {"code": code} if code else gettext_noop("The text could not be delivered.")
        known = notifications.bounced(why, message=message_id, now=timezone.now())
    return HttpResponse(status=204 if known else 404)


@csrf_exempt  # the service signs its requests
@require_POST
def text_reply(request: HttpRequest) -> HttpResponse:
    """Receive a text message that somebody sent to the clinic's number: Twilio's form, or signed JSON."""
    if request.content_type == "application/json":
        is_signed = sms.is_signed_body(request.body, request.headers.get("X-Signature", ""))
        text = sms.json_of_reply(request.body)
    else:
        address, form = links.absolute(request.get_full_path()), request.POST.dict()
        is_signed = sms.is_signed(address, form, request.headers.get("X-Twilio-Signature", ""))
        text = sms.form_of_reply(form)
    if not is_signed:
        raise PermissionDenied
    if text is None:
        return HttpResponse(status=400)
    booking.receive_text(text, now=timezone.now())
    return HttpResponse(status=204)


@staff_required
@require_POST
def text_read(request: HttpRequest, message_id: str) -> HttpResponse:
    """Mark a text message from a patient as dealt with, for staff who may read it."""
    message = get_object_or_404(access.replies_to_staff(caller_of(request).worker), fhir_id=message_id)
    notifications.dealt_with(message, now=timezone.now())
    messages.success(request, _("The text is marked as dealt with."))
    return redirect(_next_page(request) or reverse("portal:worklist"))


def _next_page(request: HttpRequest) -> str:
    """Return the address that the form names, if it is on this site; else nothing."""
    address = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if safe else ""


@receiver(tracking, dispatch_uid="messages_tracking")
def follow(event: Any, **_kwargs: Any) -> None:
    """Record the delivery status of an email, as its provider reports it."""
    notifications.follow(event, event.timestamp or timezone.now())
