"""Users, patients, carers, coverage and care teams."""

from datetime import timedelta

import factory
from django.utils import timezone as clock
from factory.django import DjangoModelFactory

from clinic import models
from tests.factories.base import ResourceFactory, concept


class UserFactory(DjangoModelFactory):
    """A user with the password `secret-password` unless another is given."""

    class Meta:
        model = models.User

    email = factory.Sequence("user{}@example.com".format)
    password = "secret-password"

    @classmethod
    def _create(cls, model_class, *args, desk_locations=(), **fields):
        user = model_class.objects.create_user(*args, **fields)
        user.desk_locations.set(desk_locations)
        return user


class PatientFactory(ResourceFactory):
    class Meta:
        model = models.Patient

    given = "Ada"
    family = factory.Sequence("Quinn-{}".format)
    gender = models.Gender.FEMALE
    email = factory.Sequence("patient{}@example.com".format)


class RelatedPersonFactory(ResourceFactory):
    """A carer of `patient`; name `user` for one who signs in and books for them."""

    class Meta:
        model = models.RelatedPerson

    patient = factory.SubFactory(PatientFactory)
    given = "Grace"
    family = factory.Sequence("Quinn-{}".format)
    relationship = factory.LazyFunction(
        lambda: [concept("MTH", "mother", "http://terminology.hl7.org/CodeSystem/v3-RoleCode")]
    )


class CoverageFactory(ResourceFactory):
    """An active Coverage, without limits unless `start` or `end` are given."""

    class Meta:
        model = models.Coverage

    beneficiary = factory.SubFactory(PatientFactory)
    subscriber_id = factory.Sequence("M-{}".format)
    payor = factory.LazyFunction(lambda: [{"display": "Acme Health"}])


class ReferralFactory(ResourceFactory):
    """An active referral of `patient` for `service`, which ends in a month; without a service it gives no visit."""

    class Meta:
        model = models.ServiceRequest

    patient = factory.SubFactory(PatientFactory)
    patient_name = factory.LazyAttribute(lambda it: str(it.patient) if it.patient else "")
    service = None
    requester = factory.LazyFunction(lambda: {"display": "Dr Noor Grey, Harbour Practice"})
    reason = "A mole that has changed"
    authored = factory.LazyFunction(lambda: clock.now().replace(microsecond=0))
    valid_until = factory.LazyFunction(lambda: clock.now().replace(microsecond=0) + timedelta(days=30))


class RecallFactory(ResourceFactory):
    """An open recall after a visit of `patient`, who is to be seen again in a month."""

    class Meta:
        model = models.Task

    patient = factory.SubFactory(PatientFactory)
    appointment = factory.LazyAttribute(lambda it: _visit_of(it.patient))
    service = factory.LazyAttribute(lambda it: it.appointment.service)
    due = factory.LazyFunction(lambda: clock.now().date() + timedelta(days=30))
    authored = factory.LazyFunction(lambda: clock.now().replace(microsecond=0))
    next_message = factory.LazyFunction(lambda: clock.now().replace(microsecond=0) + timedelta(days=2))


def _visit_of(patient):
    from tests.factories.visits import AppointmentFactory  # it needs the people of this module

    return AppointmentFactory(patient=patient)


class CareTeamFactory(ResourceFactory):
    """An active CareTeam of `patient`; `members` are practitioners or other rows with a reference."""

    class Meta:
        model = models.CareTeam

    class Params:
        members = ()

    name = factory.Sequence("Care team {}".format)
    patient = factory.SubFactory(PatientFactory)
    participant = factory.LazyAttribute(
        lambda it: [{"member": {"reference": each.reference, "display": str(each)}} for each in it.members]
    )
