"""Extra fields of the sign-up form. A module of its own because allauth's forms import it."""

from django.http import HttpRequest

from clinic.models import User
from portal.common.forms import PatientDetailsForm


class SignupDetailsForm(PatientDetailsForm):
    """The fields of sign-up besides allauth's email address and password."""

    def signup(self, request: HttpRequest, user: User) -> None:
        self.make_record(user, now=user.date_joined)
