"""Software clients in the admin, each with the widest scopes that it may request."""

import json
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms.models import fields_for_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from jwcrypto.common import JWException
from jwcrypto.jwk import JWKSet
from oauth2_provider.generators import generate_client_secret
from oauth2_provider.models import Application

from clinic import http_client
from clinic.admin.base import ModelAdmin, ModelForm
from clinic.models import AppRegistration
from scheduling.access import CONTEXT, read_scope

PUBLIC, CONFIDENTIAL, BACKEND = "public", "confidential", "backend"
KINDS = (
    (PUBLIC, _("An app that people sign in to, on their phone or in their browser: it can keep no secret")),
    (CONFIDENTIAL, _("An app that people sign in to, on a server of its own: it has a secret or a key")),
    (BACKEND, _("Software that acts for itself, without anybody: it has a secret or a key")),
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
REGISTERED = ("publisher", "homepage", "logo_url", "scopes", "jwks_url", "jwks")
MOST_KEYS = 20


class AppForm(ModelForm):
    """An OAuth Application together with its registration."""

    kind = forms.ChoiceField(label=_("Kind"), choices=KINDS, widget=forms.RadioSelect)
    publisher, homepage, logo_url, scopes, jwks_url, jwks = fields_for_model(AppRegistration, REGISTERED).values()

    class Meta:
        model = Application
        fields = ("name", "redirect_uris")
        help_texts: ClassVar[dict[str, Any]] = {
            "redirect_uris": _(
                "Where people go back to, exactly, divided by spaces: https addresses, or of the person's"
                " own device: http ones such as http://127.0.0.1/callback, where any port will do, or an app's own such"
                " as com.example.app:/callback."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = True
        known = registration_of(self.instance)
        for name in REGISTERED:
            self.initial[name] = getattr(known, name)
        self.fields["scopes"].widget = forms.Textarea(attrs={"rows": 3, "cols": 80})
        if self.instance.pk:
            self.initial["kind"] = kind_of(self.instance)

    def clean_scopes(self) -> str:
        scopes = str(self.cleaned_data["scopes"]).split()
        unknown = [each for each in scopes if each not in CONTEXT and read_scope(each) is None]
        if unknown:
            raise ValidationError(
                _(
                    "%(unknown)s: a scope is such as patient/Appointment.rs, system/*.rs or launch/patient; the letters"
                    " are of c r u d s, in that order."
                )
                % {"unknown": ", ".join(unknown)}
            )
        return " ".join(dict.fromkeys(scopes))

    def clean_redirect_uris(self) -> str:
        addresses = str(self.cleaned_data["redirect_uris"]).split()
        for address in addresses:
            if not _is_safe(address) or "#" in address or "*" in address:
                raise ValidationError(
                    _(
                        "%(address)s: an https address in full, an http one of the person's own device, or an app's own"
                        " such as com.example.app:/callback, without # and *."
                    )
                    % {"address": address}
                )
        return " ".join(addresses)

    def clean_jwks_url(self) -> str:
        address = str(self.cleaned_data["jwks_url"])
        try:
            if address:
                http_client.check_url(address)
        except http_client.NotAllowed as refusal:
            raise ValidationError(str(refusal)) from refusal
        return address

    def clean_jwks(self) -> Any:
        keys = self.cleaned_data["jwks"]
        if not keys:
            return None
        try:
            read = JWKSet.from_json(json.dumps(keys))
        except (JWException, ValueError, TypeError, KeyError):
            raise ValidationError(_('A JWK Set is such as {"keys": [{"kty": "EC", "kid": "1", ...}]}.')) from None
        found = list(read["keys"])
        if not 0 < len(found) <= MOST_KEYS or not all(key.has_public and key.get("kid") for key in found):
            raise ValidationError(_("Each key is a public RSA or EC key with a name (kid)."))
        if any(key.has_private for key in found):
            raise ValidationError(_("These are private keys: nobody else may have them. Register the public ones."))
        return keys

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        kind, levels = data.get("kind"), {scope.level for each in self._scopes() if (scope := read_scope(each))}
        if kind == BACKEND and (levels - {"system"} or set(self._scopes()) & set(CONTEXT)):
            self.add_error("scopes", _("Software that acts for itself has system/ scopes only."))
        if kind in (PUBLIC, CONFIDENTIAL) and "system" in levels:
            self.add_error("scopes", _("An app for people has patient/ and user/ scopes, not system/."))
        if kind in (PUBLIC, CONFIDENTIAL) and not data.get("redirect_uris") and "redirect_uris" not in self.errors:
            self.add_error("redirect_uris", _("Say where people go back to once they have decided."))
        if kind == PUBLIC and (data.get("jwks_url") or data.get("jwks")):
            self.add_error("kind", _("Who signs in with a key keeps a secret: choose one of the others."))
        try:
            AppRegistration(**{name: data[name] for name in REGISTERED if name in data}).clean_fields(["application"])
        except ValidationError as error:
            self.add_error(None, error)
        if data.get("jwks_url") and data.get("jwks"):
            self.add_error("jwks", _("Give the keys or their address, not both."))
        return data

    def _scopes(self) -> list[str]:
        return str(self.cleaned_data.get("scopes", "")).split()

    def _post_clean(self) -> None:
        """Set the columns that depend on the kind of client before Django validates the row."""
        kind = self.cleaned_data.get("kind")
        self.instance.client_type = Application.CLIENT_PUBLIC if kind == PUBLIC else Application.CLIENT_CONFIDENTIAL
        self.instance.authorization_grant_type = (
            Application.GRANT_CLIENT_CREDENTIALS if kind == BACKEND else Application.GRANT_AUTHORIZATION_CODE
        )
        # clean_redirect_uris decides which schemes are safe: the toolkit has a fixed list.
        self.instance.get_allowed_schemes = lambda: {
            urlsplit(each).scheme for each in self.instance.redirect_uris.split()
        }
        super()._post_clean()  # type: ignore[misc]

    def write_registration(self) -> None:
        values = {name: self.cleaned_data[name] for name in REGISTERED}
        AppRegistration.objects.update_or_create(application=self.instance, defaults=values)


class AppAdmin(ModelAdmin):
    section = "Software"
    place_in_section = 1
    form = AppForm
    list_display = ("name", "kind", "publisher", "client_id")
    list_filter = ("client_type", "authorization_grant_type")
    list_select_related = ("registration",)
    search_fields = ("name", "client_id", "registration__publisher")
    readonly_fields = ("client_id", "created")
    change_form_template = "admin/app_change_form.html"
    fieldsets = (
        (None, {"fields": ("name", "kind", "client_id", "created")}),
        (_("What people see when they are asked"), {"fields": ("publisher", "homepage", "logo_url")}),
        (_("What it may ask for"), {"fields": ("scopes",)}),
        (_("Where people go back to"), {"fields": ("redirect_uris",)}),
        (_("Signing in with a key instead of a secret"), {"fields": ("jwks_url", "jwks")}),
    )

    @admin.display(description=_("kind"))
    def kind(self, application: Any) -> str:
        return dict(KINDS)[kind_of(application)].partition(",")[0].partition(":")[0]

    @admin.display(description=_("publisher"))
    def publisher(self, application: Any) -> str:
        return registration_of(application).publisher

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the client. A new one that can keep a secret gets one, shown only now: only its digest is stored.

        A client that changes to keys gets a random secret that nobody knows.
        """
        secret = "" if change or not _wants_secret(form) else generate_client_secret()
        if not change or _has_keys(form):
            obj.client_secret = secret or generate_client_secret()
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            form.write_registration()
        if secret:
            self._show(request, obj, secret)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if "_new_secret" not in request.POST:
            return super().response_change(request, obj)
        secret = generate_client_secret()
        obj.client_secret = secret
        obj.save(update_fields=["client_secret", "updated"])
        self._show(request, obj, secret)
        return redirect(request.path)

    def _show(self, request: HttpRequest, application: Any, secret: str) -> None:
        text = gettext("The secret of {} is {}. Copy it now: it is not shown again. Its client id is {}.")
        message = format_html(text, application.name, format_html("<code>{}</code>", secret), application.client_id)
        messages.warning(request, message)


def registration_of(application: Any) -> AppRegistration:
    """The client's registration, or an empty one."""
    return getattr(application, "registration", None) or AppRegistration(application=application)


def kind_of(application: Any) -> str:
    if application.authorization_grant_type == Application.GRANT_CLIENT_CREDENTIALS:
        return BACKEND
    return PUBLIC if application.client_type == Application.CLIENT_PUBLIC else CONFIDENTIAL


def _is_safe(address: str) -> bool:
    """True if only the app receives this redirect: https://www.rfc-editor.org/rfc/rfc8252#section-7"""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme in ("https", "http"):
        return bool(parts.hostname) and (parts.scheme == "https" or parts.hostname in LOOPBACK)
    return "." in parts.scheme and not parts.netloc and parts.path.startswith("/")


def _wants_secret(form: AppForm) -> bool:
    return form.cleaned_data["kind"] != PUBLIC and not _has_keys(form)


def _has_keys(form: Any) -> bool:
    return bool(form.cleaned_data["jwks_url"] or form.cleaned_data["jwks"])
