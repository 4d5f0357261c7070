"""The models of SMART App Launch, beside those of django-oauth-toolkit: https://hl7.org/fhir/smart-app-launch/"""

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext
from oauth2_provider.models import revoke_access_token


def _address(name: str | None = None, *, help_text: str = "", plain: bool = False) -> "models.CharField[str, str]":
    schemes = ("https", "http") if plain else ("https",)
    return models.CharField(name, max_length=500, blank=True, validators=[URLValidator(schemes)], help_text=help_text)


class AppRegistration(models.Model):
    """The publisher, addresses, scopes and public keys of a registered Application."""

    application = models.OneToOneField(
        "oauth2_provider.Application", models.CASCADE, related_name="registration", editable=False
    )
    publisher = models.CharField(max_length=200, blank=True, help_text="Who makes it, as people know them.")
    homepage = _address(plain=True)
    logo_url = _address("logo", help_text="An image, at an https address.")
    scopes = models.TextField(
        blank=True,
        help_text="What it may ask for at most, divided by spaces, such as patient/*.rs patient/Appointment.cu openid.",
    )
    jwks_url = _address(
        "key set address",
        plain=True,
        help_text="Where its public keys are (a JWK Set), for software that signs in with a key.",
    )
    jwks = models.JSONField(
        "key set", null=True, blank=True, help_text="Its public keys themselves (a JWK Set), instead of an address."
    )

    class Meta:
        verbose_name = "registration"

    def __str__(self) -> str:
        return gettext("registration of %(application)s") % {"application": self.application}

    @property
    def has_keys(self) -> bool:
        """True if the software signs in with a key."""
        return bool(self.jwks_url or self.jwks)


class Launch(models.Model):
    """A person's consent to an app, for one patient if the app asked for one. It lasts as long as its tokens.

    `code_digest` is a digest of the authorization code. A code that is sent twice was stolen.
    """

    application = models.ForeignKey("oauth2_provider.Application", models.CASCADE, related_name="launches")
    user = models.ForeignKey("clinic.User", models.CASCADE, related_name="launches")
    patient = models.ForeignKey("clinic.Patient", models.CASCADE, null=True, related_name="launches")
    scope = models.TextField()
    code_digest = models.CharField(max_length=64, unique=True)
    access_token = models.OneToOneField(
        "oauth2_provider.AccessToken", models.SET_NULL, null=True, related_name="launch"
    )
    created = models.DateTimeField()
    last_used = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "application"], name="launch_of_user")]

    def __str__(self) -> str:
        return f"{self.application}, let in on {self.created:%Y-%m-%d}"

    def revoke(self) -> None:
        """Revoke the tokens, and the authorization code if it has not been exchanged yet."""
        if self.access_token is not None:
            revoke_access_token(self.access_token)
        self.delete()


class UsedAssertion(models.Model):
    """A signed assertion that software has signed in with. It is kept until it expires, so that it works only once."""

    application = models.ForeignKey("oauth2_provider.Application", models.CASCADE)
    digest = models.CharField(max_length=64)
    expires = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "digest"], name="assertion_once")]

    def __str__(self) -> str:
        return f"{self.application}, until {self.expires:%Y-%m-%d %H:%M:%S} UTC"
