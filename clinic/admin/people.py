"""Administration of practitioners, roles, patients, related persons and users."""

from typing import Any

from allauth.mfa.admin import Authenticator
from allauth.socialaccount.admin import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.admin import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as AuthUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from clinic import patient_text, people_search
from clinic.admin.base import ModelForm, OnceForm, ResourceAdmin, StackedInline, element_field
from clinic.admin.fields import BornField, QualificationsField
from clinic.models import (
    AccessNeed,
    MessagePreferences,
    Patient,
    Practitioner,
    PractitionerRole,
    RelatedPerson,
    StaffRole,
    User,
)
from clinic.named_concepts import relationship_name, specialty_name
from clinic.phone_field import PhoneField

NAME = ("prefix", "given", "family")
INTEGRATORS = _("Only for those who connect other systems.")
OTHER_SYSTEMS: tuple[Any, Any] = (
    _("For other systems"),
    {"fields": ("identifier",), "classes": ("collapse",), "description": INTEGRATORS},
)


class PersonForm(ModelForm):
    """The form of a person, whose birth date may be only a month or a year."""

    born = BornField()

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.initial["born"] = self.instance.born

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "born" in self.cleaned_data:
            self.instance.write_born(self.cleaned_data["born"])
        is_named = self.cleaned_data.get("given") or self.cleaned_data.get("family")
        if self.instance.pk is None and not is_named and not {"given", "family"} & self.errors.keys():
            self.add_error("family", _("Enter a given name or a family name."))
        return cleaned


class PractitionerForm(PersonForm):
    """The form of a practitioner, with what patients see of them: a photo, a few words and their qualifications."""

    new_photo = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("JPEG, PNG or WebP, 10 MB at most. It is cropped to a square."),
    )
    without_photo = forms.BooleanField(label=_("Remove the photo"), required=False)
    qualification = QualificationsField(
        label=_("Qualifications"),
        rows=4,
        help_text=_(
            "One per line. With a code before a colon, such as MD: Doctor of Medicine, other software finds them by it."
        ),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.initial["qualification"] = self.instance.extra.get("qualification") or []
        if not self.instance.photo_digest:
            del self.fields["without_photo"]

    def clean_new_photo(self) -> bytes | None:
        file = self.cleaned_data["new_photo"]
        from clinic import photos

        return photos.read_photo(file) if file else None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if "qualification" in self.changed_data and "qualification" in self.cleaned_data:
            others = {name: value for name, value in self.instance.extra.items() if name != "qualification"}
            entered = self.cleaned_data["qualification"]
            self.instance.extra = {**others, "qualification": entered} if entered else others
        return cleaned

    def store_photo(self) -> None:
        """Store or remove the photo of the saved practitioner."""
        image = self.cleaned_data.get("new_photo")
        if image or self.cleaned_data.get("without_photo"):
            from clinic import photos

            photos.store_photo(self.instance, image)


class PatientForm(PersonForm):
    needs = forms.MultipleChoiceField(
        label=_("Needs"), choices=AccessNeed.choices, widget=forms.CheckboxSelectMultiple, required=False
    )


class PersonAdmin(ResourceAdmin):
    """The administration of people. Its search is clinic.people_search, as at the front desk."""

    form = PersonForm

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term:
            return queryset, False
        found = Q(pk__in=people_search.find(queryset, search_term).order_by().values("pk")) | Q(fhir_id=search_term)
        return queryset.filter(found | self.further_matches(search_term)), False

    def further_matches(self, search_term: str) -> Q:
        """Return a condition for rows to find besides those whose own name or number matches."""
        return Q()


class RoleInline(StackedInline):
    model = PractitionerRole
    extra = 0
    show_change_link = True
    autocomplete_fields = ("organization", "locations", "services")
    fields = ("active", "organization", "locations", "services", "specialty", "timezone")
    verbose_name_plural = _("roles: what they do, and where")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        if (field := element_field(db_field)) is not None:
            return field
        return super().formfield_for_dbfield(db_field, request, **options)


@admin.register(Practitioner)
class PractitionerAdmin(PersonAdmin):
    section = "The clinic"
    place_in_section = 3
    list_display = ("__str__", "active", "email", "phone", "user")
    list_filter = ("active", "roles__locations")
    related = ("user",)
    search_fields = ("family", "given", "email", "fhir_id")
    autocomplete_fields = ("user",)
    inlines = (RoleInline,)
    form = PractitionerForm
    fieldsets = (
        (None, {"fields": ("active", NAME, "gender", "born")}),
        (_("What patients see"), {"fields": ("about", "qualification", "new_photo", "without_photo")}),
        (_("How to reach them"), {"fields": ("phone", "email")}),
        (_("Languages they speak"), {"fields": ("communication",)}),
        (_("Signing in"), {"fields": ("user",), "description": _("This user sees the practitioner's calendar.")}),
        (_("Time"), {"fields": ("timezone",)}),
        OTHER_SYSTEMS,
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the sections of the form. A photo can be removed only if there is one."""
        sections = super().get_fieldsets(request, obj)
        if obj is not None and obj.photo_digest:
            return sections
        return [
            (name, {**options, "fields": tuple(field for field in options["fields"] if field != "without_photo")})
            for name, options in sections
        ]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.store_photo()


@admin.register(PractitionerRole)
class PractitionerRoleAdmin(ResourceAdmin):
    section = "The clinic"
    place_in_section = 4
    list_display = ("practitioner", "specialties", "organization", "active")
    list_filter = ("active", "locations")
    related = ("practitioner", "organization")
    search_fields = ("practitioner__family", "practitioner__given", "fhir_id")
    autocomplete_fields = ("practitioner", "organization", "locations", "services")
    fieldsets = (
        (None, {"fields": ("active", "practitioner", "specialty")}),
        (_("Where, and for what"), {"fields": ("organization", "locations", "services")}),
        (_("Time"), {"fields": ("timezone",)}),
        OTHER_SYSTEMS,
    )

    @admin.display(description=_("specialty"))
    def specialties(self, role: PractitionerRole) -> str:
        return ", ".join(map(specialty_name, role.specialty))


class RelatedPersonInline(StackedInline):
    """The people who care for a patient, on the patient's page. Their own pages link and delete them."""

    model = RelatedPerson
    extra = 0
    can_delete = False
    show_change_link = True
    fields = ("active", "relationship", NAME, ("phone", "email"), "user")
    readonly_fields = ("user",)
    verbose_name = _("person who cares for the patient")
    verbose_name_plural = _("people who care for the patient")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(deleted_at=None).select_related("user")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        if (field := element_field(db_field)) is not None:
            return field
        if db_field.name == "phone":
            return PhoneField(label=_("Phone"), required=False)
        return super().formfield_for_dbfield(db_field, request, **options)


class MessagePreferencesInline(StackedInline):
    model = MessagePreferences
    extra = 0
    max_num = 1
    can_delete = False
    fields = (("by_email", "by_sms", "reminders"),)


@admin.register(Patient)
class PatientAdmin(PersonAdmin):
    form = PatientForm
    section = "Patients"
    place_in_section = 1
    list_display = ("__str__", "born", "gender", "phone", "email", "language", "active")
    list_filter = ("active", "gender", "language")
    search_fields = ("family", "given", "email", "phone", "fhir_id")
    date_hierarchy = "birth_date"
    autocomplete_fields = ("user",)
    inlines = (RelatedPersonInline, MessagePreferencesInline)
    fieldsets = (
        (None, {"fields": ("active", NAME, "gender", "born", "identity_verified", "returning")}),
        (_("How to reach them"), {"fields": ("phone", "email", "language")}),
        (
            _("Access and interpreter"),
            {"fields": (("interpreter_required", "interpreter_language"), "needs", "other_needs")},
        ),
        (_("For the staff"), {"fields": (("barred_online", "vip"), "barred_reason")}),
        (_("Signing in"), {"fields": ("user",), "description": _("This user sees and books this patient's visits.")}),
        OTHER_SYSTEMS,
    )

    @admin.display(description=_("birth date"), ordering="birth_date")
    def born(self, patient: Patient) -> str:
        return patient_text.birth_date_text(patient) or "-"


class RelatedPersonForm(OnceForm, PersonForm):
    once = ("user", "patient")
    once_field = "user"
    once_error = _("This user already cares for this patient. Change that record instead.")


@admin.register(RelatedPerson)
class RelatedPersonAdmin(PersonAdmin):
    section = "Patients"
    place_in_section = 2
    form = RelatedPersonForm
    list_display = ("__str__", "patient", "relationships", "phone", "email", "user", "access", "active")
    list_filter = ("active", "access")
    related = ("patient", "user")
    search_fields = ("family", "given", "email", "phone", "patient__family", "patient__given", "fhir_id")
    autocomplete_fields = ("patient", "user")
    fieldsets = (
        (None, {"fields": ("active", "patient", "relationship", NAME, "gender", "born")}),
        (_("What they may see"), {"fields": ("access", "keeps_access")}),
        (_("How to reach them"), {"fields": ("phone", "email")}),
        (_("Signing in"), {"fields": ("user",), "description": _("This user sees and books the patient's visits.")}),
        OTHER_SYSTEMS,
    )

    def further_matches(self, search_term: str) -> Q:
        patients = people_search.find(Patient.objects.filter(deleted_at=None), search_term)
        return Q(patient__in=patients.order_by().values("pk"))

    @admin.display(description=_("relationship"))
    def relationships(self, person: RelatedPerson) -> str:
        return ", ".join(map(relationship_name, person.relationship))


class EmailUserCreationForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email",)


class EmailUserChangeForm(UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}


# People manage their own passkeys and sessions. The library's pages for them show secrets, and in English alone; single
# sign-on is set up in the environment.
admin.site.unregister([Authenticator, UserSession, SocialAccount, SocialApp, SocialToken])


class StaffRoleInline(admin.TabularInline):  # type: ignore[type-arg]
    """The roles of an account, on its page."""

    model = StaffRole
    extra = 0
    autocomplete_fields = ("site", "practitioner")
    verbose_name = _("role at the clinic")
    verbose_name_plural = _("roles at the clinic")


@admin.register(User)
class UserAdmin(AuthUserAdmin):  # type: ignore[type-arg]
    """The administration of accounts. Their rights follow from the rows that they are linked to."""

    section = "Who signs in"
    place_in_section = 1
    form = EmailUserChangeForm
    add_form = EmailUserCreationForm
    list_display = ("email", "first_name", "last_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "desk_locations")
    search_fields = ("email", "first_name", "last_name")
    ordering = ("email",)
    autocomplete_fields = ("desk_locations",)
    inlines = (StaffRoleInline,)
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("patient_record", "practitioner_record", "last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "password", ("first_name", "last_name"))}),
        (
            _("Who this is at the clinic"),
            {
                "fields": ("desk_locations", "refers_for", "practitioner_record", "patient_record"),
                "description": _("Practitioners and patients are linked on their own pages."),
            },
        ),
        (
            _("What they may do"),
            {
                "fields": ("is_active", "is_superuser", "is_staff", "groups", "user_permissions"),
                "description": _("An administrator is a superuser; staff status alone opens these pages."),
            },
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined"), "classes": ("collapse",)}),
    )
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Roles are given to accounts that exist."""
        return self.inlines if obj is not None else ()

    @admin.display(description=_("patient"))
    def patient_record(self, user: User) -> Any:
        return getattr(user, "patient", None)

    @admin.display(description=_("practitioner"))
    def practitioner_record(self, user: User) -> Any:
        return getattr(user, "practitioner", None)
