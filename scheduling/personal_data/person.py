"""A person about whom the clinic keeps data: all their records, their account, carers and visits."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from clinic import phones
from clinic.models import Appointment, Patient, PatientMerge, RelatedPerson, User
from scheduling import booking
from scheduling.access import Caller
from scheduling.participants import PATIENT, references_of


@dataclass(frozen=True)
class Person:
    """A patient with the records that were merged into theirs. What was read once is kept."""

    patient: Patient

    @cached_property
    def records(self) -> list[Patient]:
        """The patient's record and those that were merged into it, also by several steps."""
        found, last = [self.patient], [self.patient]
        while last:
            merges = PatientMerge.objects.filter(target__in=last, undone_at=None).select_related("source")
            known = {record.pk for record in found}
            last = [merge.source for merge in merges if merge.source_id not in known]
            found += last
        return found

    @cached_property
    def keys(self) -> list[int]:
        return [record.pk for record in self.records]

    @cached_property
    def account(self) -> User | None:
        return next((record.user for record in self.records if record.user is not None), None)

    @cached_property
    def own_account(self) -> User | None:
        """The account, unless it is also that of a member of staff or of a referrer."""
        caller = Caller(user=self.account)
        return None if caller.is_staff or caller.is_referrer else self.account

    @cached_property
    def carers(self) -> list[RelatedPerson]:
        """Carers of this person, also former ones."""
        return list(RelatedPerson.objects.filter(patient__in=self.keys).order_by("pk"))

    @cached_property
    def caring(self) -> list[RelatedPerson]:
        """RelatedPersons as which this person cares for others, by an account of nothing but that."""
        if self.own_account is None:
            return []
        rows = RelatedPerson.objects.filter(user=self.own_account).exclude(patient__in=self.keys)
        return list(rows.select_related("patient").order_by("pk"))

    @property
    def cared_for(self) -> list[int]:
        """The primary keys of the other patients for whom this person cares."""
        return [carer.patient_id for carer in self.caring]

    @cached_property
    def references(self) -> frozenset[str]:
        """The FHIR references of the records, of the carers, and of this person as a carer."""
        return frozenset(row.reference for row in (*self.records, *self.carers, *self.caring))

    @cached_property
    def visits(self) -> list[Appointment]:
        """Visits, requests, holds and entries of the waiting list, also those to which others come too."""
        return list(Appointment.objects.filter(booking.naming_patients(self.records)).order_by("pk"))

    @cached_property
    def own_visits(self) -> list[int]:
        """The primary keys of the visits to which nobody else comes."""
        return [visit.pk for visit in self.visits if self._is_alone_at(visit)]

    def _is_alone_at(self, visit: Appointment) -> bool:
        return self.references.issuperset(references_of(visit.participant, PATIENT))

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The person's email addresses and telephone numbers, as messages have them."""
        return frozenset(filter(None, self._addresses()))

    def _addresses(self) -> Iterator[str]:
        for row in (*self.records, *self.caring):
            yield from (row.email, row.email.lower(), row.phone)
            if row.phone:
                yield from (phones.dialled(row.phone), phones.text_to(row.phone))
        if self.own_account is not None:
            yield self.own_account.email
