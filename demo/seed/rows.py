"""The rows of the demo's tables: places, services, people, calendars. Nobody's time is taken yet."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from oauth2_provider.models import get_application_model

from clinic import photos
from clinic.models import (
    AppRegistration,
    Bookable,
    Closure,
    Device,
    HealthcareService,
    InsurancePlan,
    Location,
    Organization,
    Practitioner,
    PractitionerRole,
    Questionnaire,
    Resource,
    Schedule,
    SchedulingParameters,
    StaffRole,
    Subscription,
    User,
)
from demo.seed import organization, people, portraits, practitioners
from demo.seed.other_languages import translate_questions, translate_row
from demo.seed.patients import make_patients
from demo.seed.practitioners import Calendar
from scheduling import opening

R = TypeVar("R", bound=Resource)


class DemoRows:
    """Makes the rows, as they are at `now`, and keeps them by FHIR id."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.organization = self._new(Organization, organization.ORGANIZATION[0], name=organization.ORGANIZATION[1])
        self.sites: dict[str, Location] = {}
        self.services: dict[str, HealthcareService] = {}
        self.schedules: dict[str, Schedule] = {}
        self.users: dict[str, User] = {}
        self._make_all()

    def _make_all(self) -> None:
        self._questionnaires()
        self._sites()
        self._services()
        self._rooms_and_devices()
        self._holidays()
        self._insurance_plans()
        self._users()
        self._practitioners()
        make_patients(self.users, self.now)
        self._software()

    def _questionnaires(self) -> None:
        for fhir_id, title, items in organization.QUESTIONNAIRES:
            url = f"https://riverside.example/Questionnaire/{fhir_id}"
            status = Questionnaire.Status.ACTIVE
            self._new(Questionnaire, fhir_id, title=title, status=status, url=url, item=translate_questions(items))

    def _sites(self) -> None:
        for fhir_id, name, line, (city, state, postal_code), phone, position, timezone in organization.SITES:
            latitude, longitude = position
            self.sites[fhir_id] = self._new(
                Location,
                fhir_id,
                organization=self.organization,
                identifier=[organization.VACCINATORS[fhir_id]] if fhir_id in organization.VACCINATORS else [],
                name=name,
                line=line,
                city=city,
                state=state,
                postal_code=postal_code,
                country="US",
                phone=phone,
                description=organization.DIRECTIONS.get(fhir_id, ""),
                timezone=timezone,
                latitude=latitude,
                longitude=longitude,
            )

    def _services(self) -> None:
        for service_data in organization.SERVICES:
            service = self._new(
                HealthcareService,
                service_data.id,
                organization=self.organization,
                name=service_data.name,
                comment=service_data.comment,
                preparation=service_data.preparation,
                **organization.price_columns(service_data.price),
                **organization.course_columns(service_data.course),
                **service_data.payment,
                type=[
                    organization.concept(organization.CODES, service_data.id, service_data.name),
                    *({"coding": [coding]} for coding in service_data.codings),
                ],
                requires=list(service_data.requires),
                telehealth=service_data.telehealth,
                eligibility=service_data.eligibility,
                minimum_age=service_data.minimum_age,
                bookable_by=service_data.bookable_by,
                **{f"requires_{need}": True for need in service_data.needs},
                minimum_notice=service_data.notice,
                booking_horizon_days=service_data.horizon_days,
                cancellation_notice=service_data.cancellation,
            )
            SchedulingParameters.objects.create(service=service, **service_data.parameters)
            service.questionnaires.set(Questionnaire.objects.filter(fhir_id=service_data.questionnaire))
            self.services[service_data.id] = service

    def _rooms_and_devices(self) -> None:
        for fhir_id, site, name, services, features in organization.ROOMS:
            room = self._new(
                Location,
                fhir_id,
                organization=self.organization,
                part_of=self.sites[site],
                name=name,
                features=list(features),
            )
            self._schedule(fhir_id, Bookable.objects.create(location=room), self.sites[site], services)
        for fhir_id, location, site, name, services in organization.DEVICES:
            device = self._new(Device, fhir_id, name=name, location=Location.objects.get(fhir_id=location))
            self._schedule(fhir_id, Bookable.objects.create(device=device), self.sites[site], services)

    def _holidays(self) -> None:
        """Close the clinic on some public holidays of last year, this year and the next."""
        for year in range(self.now.year - 1, self.now.year + 2):
            holidays = opening.holidays_of("US", "", year)
            chosen = [holiday for holiday in holidays if holiday.key in organization.HOLIDAYS]
            Closure.objects.bulk_create(opening.closures_for(chosen, "US", "", None))

    def _insurance_plans(self) -> None:
        for fhir_id, payer, name, services, sites in organization.INSURANCE_PLANS:
            owner, _made = Organization.objects.get_or_create(name=payer, defaults={"last_updated": self.now})
            plan = self._new(InsurancePlan, fhir_id, payer=owner, name=name)
            plan.services.set([self.services[each] for each in services])
            plan.locations.set([self.sites[each] for each in sites])

    def _users(self) -> None:
        password = make_password(people.PASSWORD)  # once: it is slow on purpose
        refers_for = dict([people.REFERRER])
        for email, given, family in people.USERS:
            administrator = email == people.ADMINISTRATOR
            self.users[email] = User.objects.create(
                email=email,
                first_name=given,
                last_name=family,
                password=password,
                is_demo=True,
                is_staff=administrator,
                is_superuser=administrator,
                refers_for=refers_for.get(email, ""),
            )
            EmailAddress.objects.create(user=self.users[email], email=email, verified=True, primary=True)
        email, site = people.FRONT_DESK
        self.users[email].desk_locations.set([self.sites[site]])
        for email, role in people.ROLES:
            StaffRole.objects.create(user=self.users[email], role=role)

    def _practitioners(self) -> None:
        users = {practitioner: self.users[email] for email, practitioner in [people.PRACTITIONER]}
        for person in practitioners.PRACTITIONERS:
            prefix, given, family = person.name
            practitioner = self._new(
                Practitioner,
                person.id,
                prefix=prefix,
                given=given,
                family=family,
                gender=person.gender,
                communication=list(person.languages),
                about=person.about,
                extra={"qualification": [{"code": each} for each in person.qualifications]}
                if person.qualifications
                else {},
                email=f"{person.id}@example.com",
                user=users.get(person.id),
                identifier=[{"system": f"{organization.IDENTIFIERS}/staff", "value": person.id}],
            )
            if person.about:
                photos.store_photo(practitioner, portraits.drawn(given[0] + family[0]))
            bookable = Bookable.objects.create(practitioner=practitioner)
            for calendar in person.calendars:
                role = self._role(practitioner, person.specialty, calendar)
                self._calendar(calendar, bookable, role if calendar.role else None)

    def _role(self, practitioner: Practitioner, specialty: organization.Json, calendar: Calendar) -> PractitionerRole:
        role = self._new(
            PractitionerRole,
            calendar.id,
            practitioner=practitioner,
            organization=self.organization,
            specialty=[specialty],
        )
        role.locations.set([self.sites[calendar.site]])
        role.services.set([self.services[each] for each in calendar.services])
        return role

    def _calendar(self, calendar: Calendar, bookable: Bookable, role: PractitionerRole | None) -> None:
        site = self.sites[calendar.site]
        schedule = self._schedule(calendar.id, bookable, site, calendar.services, role)
        for service in calendar.services:
            own = calendar.own.get(service, {})
            hours = {"availability": self._hours(calendar)} if calendar.hours else {}
            if own or hours:
                schedule.scheduling_parameters.create(service=self.services[service], **hours, **own)

    def _hours(self, calendar: Calendar) -> list[organization.Json]:
        """Return the weekly hours. With `later` ones, each counts until the others begin: a Monday in three weeks."""
        if not calendar.later:
            return list(calendar.hours)
        ahead = self.now.date() + timedelta(weeks=3)
        change = ahead + timedelta(days=-ahead.weekday() % 7)
        return [
            *(organization.during(each, end=change - timedelta(days=1)) for each in calendar.hours),
            *(organization.during(each, start=change) for each in calendar.later),
        ]

    def _schedule(
        self,
        fhir_id: str,
        bookable: Bookable,
        site: Location,
        services: Iterable[str],
        role: PractitionerRole | None = None,
    ) -> Schedule:
        rows = [self.services[each] for each in services]
        by_video = any(each.telehealth for each in rows)
        room = f"{organization.VIDEO_ROOMS}/{fhir_id}" if by_video else ""
        schedule = self._new(Schedule, fhir_id, bookable=bookable, site=site, practitioner_role=role, meeting_url=room)
        schedule.services.set(rows)
        site.services.add(*rows)
        self.schedules[fhir_id] = schedule
        return schedule

    def _software(self) -> None:
        self._app(
            people.CLIENT_ID,
            "Demo system",
            {"scopes": "system/*.cruds"},
            client_secret=people.CLIENT_SECRET,
            client_type="confidential",
            authorization_grant_type="client-credentials",
        )
        self._app(
            people.BACKEND_ID,
            "Demo backend",
            {"scopes": people.BACKEND_SCOPES, "jwks_url": people.BACKEND_KEYS},
            client_type="confidential",
            authorization_grant_type="client-credentials",
        )
        self._app(
            people.APP_ID,
            "Visit Buddy",
            {"scopes": people.APP_SCOPES, "publisher": "Example Apps", "homepage": "https://example.org"},
            client_type="public",
            authorization_grant_type="authorization-code",
            redirect_uris=people.APP_REDIRECT,
        )

        self._new(
            Subscription,
            "demo-subscription",
            status=Subscription.Status.OFF,  # nobody listens until somebody says where
            reason="To keep a copy of free times fresh",
            criteria="Slot?location=Location/nyc",
            endpoint="http://127.0.0.1:9000/hook",
            payload="application/fhir+json",
            client=people.CLIENT_ID,
        )

    def _app(self, client_id: str, name: str, registration: dict[str, str], **fields: str) -> None:
        """Owned by a user of the demo, so that it is refused wherever they are."""
        owner = self.users[people.ADMINISTRATOR]
        app = get_application_model().objects.create(client_id=client_id, name=name, user=owner, **fields)
        AppRegistration.objects.create(application=app, **registration)

    def _new(self, model: type[R], fhir_id: str, **fields: Any) -> R:
        row = model(fhir_id=fhir_id, last_updated=self.now, **fields)
        translate_row(row)
        row.save(force_insert=True)
        return row
