"""Views of the accounts of staff: who works here, invitations, roles, and the page that an invitation leads to."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic.models import SecondFactorRule, User
from portal.appointments.refusals import refusal_text
from portal.common import csv_lists
from portal.common.account_sessions import sessions_of
from portal.common.callers import P, View, caller_of, sign_in_for
from portal.staff.people.downloads import ACCOUNTS
from portal.staff.people.forms import AcceptForm, InviteForm, RolesForm, SecondStepForm
from portal.staff.people.listing import accounts
from scheduling import access, second_factors, staff_accounts
from scheduling.access import Caller, Role
from scheduling.errors import Forbidden, NotFound, SchedulingError
from scheduling.notifications import links
from scheduling.staff_accounts import NewPerson

INVITATION = "account/email/staff_invitation"
NEW_ROLES = "account/email/staff_roles"
SECOND_STEP_RESET = "account/email/second_step_reset"


def people_required(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> View[P]:
    """Decorator that lets only those see the view who may change the accounts of staff: others get 403."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if caller_of(request).user is None:
            return sign_in_for(request.get_full_path())
        try:
            access.may_see_people(caller_of(request))
        except Forbidden as refusal:
            raise PermissionDenied from refusal
        return view(request, *args, **kwargs)

    return guarded


@people_required
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """List the accounts of staff."""
    found = accounts(now=timezone.now())
    if csv_lists.is_wanted(request):
        return csv_lists.download(request, ACCOUNTS, found, now=timezone.now())
    return render(request, "portal/staff/people/index.html", {"accounts": found})


@people_required
@require_http_methods(["GET", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody to work here, with the roles that they are given."""
    caller, now = caller_of(request), timezone.now()
    data = request.POST if request.method == "POST" else None
    form = InviteForm(data, grantable=access.grantable_roles(caller))
    if form.is_valid():
        typed = form.cleaned_data
        invited = NewPerson(typed["email"], typed["given"], typed["family"], form.held)
        try:
            user, token = staff_accounts.invite(invited, caller=caller, now=now)
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            _send(user, token)
            messages.success(request, _("%(email)s is invited. The link lasts for seven days.") % {"email": user.email})
            return redirect("portal:people")
    status = 422 if form.errors else 200
    return render(request, "portal/staff/people/invite.html", {"form": form}, status=status)


@people_required
@require_http_methods(["GET", "POST"])
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show one account, and change its roles."""
    caller, now = caller_of(request), timezone.now()
    user = get_object_or_404(User.objects.filter(staff_accounts.staff()), pk=user_id)
    grantable = access.grantable_roles(caller)
    held = Caller(user=user).roles
    data = request.POST if request.method == "POST" else None
    form = RolesForm(data, initial=RolesForm.initial_of(held), grantable=grantable, user=user)
    version = staff_accounts.version_of(user) if data is None else data.get("version", "")
    if form.is_valid():
        try:
            staff_accounts.set_roles(user_id, form.held, version=version, caller=caller, now=now)
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect("portal:people")
    [account] = accounts(User.objects.filter(pk=user_id), now=now)
    may_change = grantable.issuperset(each.role for each in held)
    context: dict[str, Any] = {
        "form": form,
        "account": account,
        "version": version,
        "may_change": may_change,
        "is_own": caller.user == user,
        "sessions": sessions_of(user_id, this=request.session.session_key, now=now) if may_change else [],
    }
    return render(request, "portal/staff/people/person.html", context, status=422 if form.errors else 200)


@people_required
@require_POST
def invite_again(request: HttpRequest, user_id: int) -> HttpResponse:
    """Send a new link; the earlier one ends."""

    def send() -> str:
        user, token = staff_accounts.invite_again(user_id, caller=caller_of(request), now=timezone.now())
        _send(user, token)
        return _("A new link is on its way. It lasts for seven days.")

    return _done(request, send)


@people_required
@require_POST
def withdraw(request: HttpRequest, user_id: int) -> HttpResponse:
    """Withdraw an invitation."""

    def end() -> str:
        staff_accounts.withdraw(user_id, caller=caller_of(request), now=timezone.now())
        return _("The invitation is withdrawn.")

    return _done(request, end)


@people_required
@require_POST
def set_active(request: HttpRequest, user_id: int) -> HttpResponse:
    """Deactivate an account, or activate it again."""
    is_active = request.POST.get("active") == "yes"

    def change() -> str:
        staff_accounts.set_active(user_id, is_active=is_active, caller=caller_of(request), now=timezone.now())
        if is_active:
            return _("The account is active again.")
        return _("The account is deactivated. Its sessions have ended; its past changes stay on record.")

    return _done(request, change)


@people_required
@require_POST
def end_sessions(request: HttpRequest, user_id: int) -> HttpResponse:
    """End all sessions of an account."""

    def end() -> str:
        staff_accounts.end_sessions(user_id, caller=caller_of(request), now=timezone.now())
        return _("All sessions have ended. They have to sign in again.")

    return _done(request, end)


@people_required
@require_POST
def end_session(request: HttpRequest, user_id: int, session_id: int) -> HttpResponse:
    """End one session of an account."""

    def end() -> str:
        staff_accounts.end_session(user_id, session_id, caller=caller_of(request), now=timezone.now())
        return _("That session has ended.")

    answer = _done(request, end)
    is_listed = User.objects.filter(staff_accounts.staff(), pk=user_id).exists()
    return redirect(f"{reverse('portal:people-person', args=[user_id])}#sessions") if is_listed else answer


@people_required
@require_POST
def reset_second_step(request: HttpRequest, user_id: int) -> HttpResponse:
    """Reset the second step of somebody who lost it, and tell them."""

    def reset() -> str:
        user = staff_accounts.reset_second_step(user_id, caller=caller_of(request), now=timezone.now())
        get_adapter().send_notification_mail(SECOND_STEP_RESET, user)
        return _("Their second step is reset. They sign in with the password, and add it again.")

    return _done(request, reset)


@people_required
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """Choose the roles that must sign in in two steps."""
    caller, now = caller_of(request), timezone.now()
    grantable, rules = access.grantable_roles(caller), SecondFactorRule.objects.all()
    data = request.POST if request.method == "POST" else None
    form = SecondStepForm(data, initial={"roles": [rule.role for rule in rules]}, grantable=grantable)
    version = second_factors.version_of(rules) if data is None else data.get("version", "")
    if form.is_valid():
        kept = {Role(rule.role) for rule in rules} - grantable
        try:
            second_factors.require_of(form.chosen | kept, grace=form.time_left, version=version, caller=caller, now=now)
        except SchedulingError as refusal:
            form.add_error(None, refusal_text(refusal))
        else:
            messages.success(request, _("Saved."))
            return redirect("portal:people")
    context = {"form": form, "rules": rules, "version": version, "now": now}
    return render(request, "portal/staff/people/second_step.html", context, status=422 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Let an invited person choose a password; the link works once."""
    now = timezone.now()
    user = staff_accounts.invited(token, now=now)
    if user is None:
        return render(request, "portal/staff/people/invitation_over.html", status=410)
    form = AcceptForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        try:
            staff_accounts.accept(token, form.cleaned_data["password"], now=now)
        except SchedulingError:
            return render(request, "portal/staff/people/invitation_over.html", status=410)
        messages.success(request, _("Your account is ready. Sign in."))
        return redirect("account_login")
    context = {"form": form, "invited": user}
    return render(request, "portal/staff/people/invitation.html", context, status=422 if form.errors else 200)


def _done(request: HttpRequest, change: Callable[[], str]) -> HttpResponse:
    """Make the change, and return to the list with a message about the result."""
    try:
        messages.success(request, change())
    except NotFound:
        messages.error(request, _("This account no longer exists."))
    except SchedulingError as refusal:
        messages.error(request, refusal_text(refusal))
    return redirect("portal:people")


def _send(user: User, token: str) -> None:
    """Send the invitation, or the notice to somebody who has an account already."""
    path = reverse("portal:staff-invitation", args=[token]) if token else reverse("portal:start")
    context = {"link": links.absolute(path), "user": user}
    get_adapter().send_mail(INVITATION if token else NEW_ROLES, user.email, context)
