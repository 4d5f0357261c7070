"""The clinic: its organization, sites, rooms and devices, and the people who work there."""

import factory

from clinic import models
from tests.factories.base import NEW_YORK, ResourceFactory


class OrganizationFactory(ResourceFactory):
    class Meta:
        model = models.Organization

    name = factory.Sequence("Organization {}".format)


class LocationFactory(ResourceFactory):
    """A site."""

    class Meta:
        model = models.Location

    name = factory.Sequence("Site {}".format)
    timezone = NEW_YORK


class RoomFactory(LocationFactory):
    """A room; its site is `part_of`."""

    name = factory.Sequence("Room {}".format)
    part_of = factory.SubFactory(LocationFactory)


class PractitionerFactory(ResourceFactory):
    class Meta:
        model = models.Practitioner

    given = "Mei"
    family = factory.Sequence("Chen-{}".format)
    prefix = "Dr."
    timezone = NEW_YORK


class RoleFactory(ResourceFactory):
    class Meta:
        model = models.PractitionerRole

    practitioner = factory.SubFactory(PractitionerFactory)
    organization = factory.SubFactory(OrganizationFactory)


class InsurancePlanFactory(ResourceFactory):
    class Meta:
        model = models.InsurancePlan
        skip_postgeneration_save = True

    name = factory.Sequence("Plan {}".format)
    payer = factory.SubFactory(OrganizationFactory)

    @factory.post_generation
    def services(self, create, services):
        if create and services:
            self.services.set(services)

    @factory.post_generation
    def locations(self, create, locations):
        if create and locations:
            self.locations.set(locations)


class DeviceFactory(ResourceFactory):
    class Meta:
        model = models.Device

    name = factory.Sequence("Ultrasound {}".format)
    location = factory.SubFactory(LocationFactory)
