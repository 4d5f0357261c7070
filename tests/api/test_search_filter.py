"""Filters: https://hl7.org/fhir/R4/search_filter.html"""

from datetime import date

import pytest

from tests.api.conftest import Api, api_with, codes, ids, texts
from tests.factories import (
    AppointmentFactory,
    CareTeamFactory,
    CoverageFactory,
    PatientFactory,
    PractitionerFactory,
    QuestionnaireFactory,
    RelatedPersonFactory,
    ScheduleFactory,
)

MRN = "urn:oid:1.2.3"


@pytest.fixture
def people(db):
    gp = PractitionerFactory(fhir_id="gp", family="Chen", gender="female")
    cared = {"generalPractitioner": [{"reference": gp.reference}]}
    PatientFactory(
        fhir_id="peter",
        family="Müller",
        given="Peter James",
        gender="male",
        birth_date=date(2014, 10, 10),
        identifier=[{"system": MRN, "value": "7"}],
        extra=cared,
    )
    PatientFactory(fhir_id="petra", family="Muller-Lund", given="Petra", gender="female", birth_date=date(2015, 3, 1))
    PatientFactory(fhir_id="other", family="", given="", gender="", extra={"name": [{"text": "Peter Smuller"}]})


def found(api, text, kind="Patient"):
    response = api.get(kind, {"_filter": text})
    assert response.status_code == 200, texts(response)
    return set(ids(response))


EVERYONE = {"peter", "petra", "other"}
FILTERS = {
    'given eq "peter"': {"peter"},
    'given eq "peter james"': {"peter"},
    "given eq pete": set(),
    'given eq "peter" and birthdate ge 2014-10-10': {"peter"},
    "family eq muller": {"peter"},
    'family ne "muller"': {"petra"},
    "family sw mull": {"peter", "petra"},
    "family ew lund": {"petra"},
    "family co er-l": {"petra"},
    "name co muller": EVERYONE,
    "name sw smuller": set(),
    "name ew smuller": {"other"},
    'name eq "peter smuller"': {"other"},
    "family pr true": {"peter", "petra"},
    "family pr false": {"other"},
    "birthdate eq 2014": {"peter"},
    "birthdate ne 2014": {"petra"},
    "birthdate gt 2014-10-10": {"petra"},
    "birthdate lt 2015": {"peter"},
    "birthdate le 2015-03-01": {"peter", "petra"},
    "birthdate sa 2014": {"petra"},
    "birthdate eb 2015": {"peter"},
    "birthdate ap 2014-10-11": {"peter"},
    "birthdate po 2015": {"petra"},
    "gender eq male": {"peter"},
    "gender ne male": {"petra"},
    "gender pr false": {"other"},
    f"identifier eq {MRN}|7": {"peter"},
    f'identifier eq "{MRN}|7"': {"peter"},
    "identifier ne 7": set(),
    "general-practitioner re Practitioner/gp": {"peter"},
    "general-practitioner eq Practitioner/gp": {"peter"},
    "general-practitioner.family sw ch": {"peter"},
    "general-practitioner[gender eq female].family eq chen": {"peter"},
    "general-practitioner[gender eq male].family eq chen": set(),
    "not (gender eq male)": {"petra", "other"},
    "NOT(gender eq male) AND family pr true": {"petra"},
    "gender eq male or gender eq female and family ew lund": {"petra"},
    "gender eq male or (gender eq female and family ew lund)": {"peter", "petra"},
    "((gender eq male))": {"peter"},
    "_id eq other": {"other"},
    "_lastUpdated gt 2000": EVERYONE,
    '_content eq "james"': {"peter"},
    'family eq "a\\\\b"': set(),
    'family eq "a,b"': set(),
}


@pytest.mark.parametrize(("text", "expected"), FILTERS.items())
def test_a_filter_finds_what_it_says(api, people, text, expected):
    assert found(api, text) == expected


def test_a_comma_or_a_backslash_in_a_value_is_no_more_than_that(api):
    PatientFactory(fhir_id="odd", family="A,B\\C$D|E")
    PatientFactory(family="A")
    assert found(api, r'family eq "a,b\\c$d|e"') == {"odd"}
    assert found(api, 'family eq "A,B"') == set()


def test_a_filter_holds_with_the_other_parameters_and_repeated(api, people):
    query = [("_filter", "given eq peter"), ("gender", "male")]
    assert ids(api.get("Patient", dict(query))) == ["peter"]
    assert ids(api.get("Patient?_filter=family sw mu&_filter=gender eq female")) == ["petra"]


def test_periods_overlap_or_do_not(api):
    ScheduleFactory(fhir_id="spring", planning_start="2026-03-01T00:00Z", planning_end="2026-06-01T00:00Z")
    for text, expected in (
        ("date po 2026-05", {"spring"}),
        ("date po 2026-06-15", set()),
        ("date po 2026", {"spring"}),
    ):
        assert found(api, text, "Schedule") == expected


def test_quantities_and_pairs_are_compared(api):
    context = {"code": {"code": "age"}, "valueQuantity": {"value": 5.4}}
    QuestionnaireFactory(fhir_id="form", url="http://forms.example/pain", extra={"useContext": [context]})
    for text in ("context-quantity gt 5", "context-type-quantity eq age$5.4", "url sw http://forms", "url ne x"):
        assert found(api, text, "Questionnaire") == {"form"}, text
    assert found(api, "context-quantity lt 5", "Questionnaire") == set()


def test_longer_paths_follow_each_reference(api):
    patient = PatientFactory(fhir_id="ada", family="Quinn")
    visit = AppointmentFactory(patient=patient, schedules=[ScheduleFactory(actor=PractitionerFactory(family="Chen"))])
    CoverageFactory(fhir_id="cover", beneficiary=patient)
    assert found(api, "actor.family eq chen", "Appointment") == {visit.fhir_id}
    assert found(api, "slot.schedule.actor.family eq chen", "Appointment") == {visit.fhir_id}
    assert found(api, "beneficiary[_id eq ada].family eq quinn", "Coverage") == {"cover"}


def test_a_short_name_for_longer_chains_is_compared(api):
    chen = PractitionerFactory()
    schedule = ScheduleFactory(actor=chen)
    ScheduleFactory()
    CareTeamFactory(fhir_id="team", members=[chen])
    assert found(api, "care-team re CareTeam/team", "Schedule") == {schedule.fhir_id}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "_filter has no value"),
        ("family", "ends too early"),
        ("family co", "ends too early: there should be a value"),
        ("family xx chen", "At character 8: xx cannot be asked of family here, but eq, ne, co, sw, ew, pr."),
        ("gender in http://codes.example", "At character 8: in cannot be asked of gender here, but eq, ne, pr."),
        ("identifier ss 7", "At character 12: ss cannot"),
        ("birthdate co 2014", "At character 11: co cannot"),
        ("colour eq blue", "At character 8: 'colour' is no search parameter of Patient"),
        ("birthdate eq yesterday", "At character 11: 'yesterday' is not a date"),
        ("birthdate gt ge2014", "At character 11: "),
        ("family pr perhaps", "At character 8: 'perhaps' is neither true nor false"),
        ("gender eq male and", "ends too early"),
        ("(gender eq male", "ends too early"),
        ("gender eq male female", "At character 16: 'female' cannot stand there, but and, or"),
        ('family eq "chen', "At character 11: "),
        ('family eq "\\ud800"', "At character 11: "),
        ("gender.code eq x", "At character 13: gender is no reference"),
        ("general-practitioner.colour eq x", "At character 29: 'colour' is no search parameter"),
        ("link.link.link.link.link.link.family eq x", "A chain follows 4 references at most."),
        ("(" * 40 + "family eq x" + ")" * 40, "brackets"),
        (" and ".join(["family eq x"] * 60), "parts"),
    ],
)
def test_an_invalid_filter_is_refused_with_its_place_and_the_right_form(api, text, message):
    response = api.get("Patient", {"_filter": text})
    assert (response.status_code, codes(response)) == (400, ["invalid"])
    assert message in texts(response)
    assert response.fhir["issue"][0]["expression"] == ["_filter"]


def test_a_filter_is_not_made_wider_where_a_part_of_it_is_unknown(api, people):
    response = api.get("Patient", {"_filter": "gender eq male or colour eq blue"}, prefer="handling=lenient")
    assert response.status_code == 400


def test_as_much_as_may_be_asked_is_answered(api):
    text = "family eq x"
    for joined in (" and ".join([text] * 37), " or ".join([text, "gender eq male"] * 18), "(" * 30 + text + ")" * 30):
        assert found(api, joined) == set()
    assert found(api, "not (" * 29 + text + ")" * 29) == set()


def test_paths_lead_only_over_rows_that_the_caller_may_see(db, ada, bo):
    """A filter finds hidden rows neither by a condition nor by its negation."""
    seen = PractitionerFactory(fhir_id="gp")
    for patient in (ada, bo):
        RelatedPersonFactory(patient=patient, fhir_id=f"of-{patient.fhir_id}", family="Stone")
        patient.extra = {"link": [{"type": "refer", "other": {"reference": f"RelatedPerson/of-{bo.fhir_id}"}}]}
        patient.save()
    mine = Api(user=ada.user)
    assert found(mine, "link.family eq stone") == set()
    assert found(mine, "link[family eq stone].family pr true") == set()
    assert found(mine, "not (link.family eq stone)") == {ada.fhir_id}
    assert found(mine, f"_id eq {bo.fhir_id}") == set()
    assert found(mine, "family pr true", "Practitioner") == {seen.fhir_id}
    narrow = api_with("system/Patient.rs")
    assert found(narrow, "link.family eq stone") == set()


def test_a_scope_is_not_narrowed_by_a_filter(db, people):
    """Its paths would depend on the scopes that are being read: such a scope grants nothing."""
    for text in ("gender eq male", "not(link.family eq x)"):
        assert found(api_with(f"system/Patient.rs?_filter={text.replace(' ', '+')}"), "_id pr true") == set()


def test_a_filter_is_one_statement(api, people, django_assert_num_queries):
    with django_assert_num_queries(4):  # token, total, page, disclosures
        api.get("Patient", {"_filter": "general-practitioner.family sw ch or not (family co a) and given pr true"})
