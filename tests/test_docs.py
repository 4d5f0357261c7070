"""The documentation is true: settings, addresses, links, placeholders and its own example."""

import ast
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve

from clinic.admin.fields import ElementsField
from clinic.fhir.codes import RED_FLAG
from clinic.placeholders import PLACEHOLDERS
from scheduling import questionnaires

ROOT = Path(settings.BASE_DIR)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAPERS = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "benchmarks" / "README.md"]
ROOMS = (
    "api",
    "benchmarks",
    "clinic",
    "demo",
    "docs",
    "examples",
    "locale",
    "portal",
    "scheduling",
    "static",
    "templates",
    "tests",
)
SETTINGS = [ROOT / "clinic" / name for name in ("settings.py", "branding.py", "message_settings.py")]
OPERATE = (ROOT / "docs" / "operate.md").read_text()
PATIENTS = (ROOT / "docs" / "patients.md").read_text()
ONLY_WITH_A_PROVIDER = "/anymail/"  # its webhooks, which tests/scheduling covers
OF_THE_SERVER_FOR_AGENTS = ("/mcp", "/.well-known/oauth-protected-resource/mcp")


def variables() -> dict[str, object]:
    """Each environment variable that the settings read, with its default if the settings have one."""
    found: dict[str, object] = {}
    for file in SETTINGS:
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    ast.Attribute(ast.Name("env" | "environment")), [ast.Constant(str(name)), *others], keywords
                ):
                    given = [*others, *(each.value for each in keywords if each.arg == "default")]
                    default = given[0].value if given and isinstance(given[0], ast.Constant) else None
                    found[name] = found.get(name) or default
                case ast.Compare(ast.Constant(str(name)), _, [ast.Attribute(attr="environ")]):
                    found.setdefault(name, None)
    return found


def table() -> dict[str, str]:
    """The rows of the tables of settings: variable and default."""
    found = {}
    for line in OPERATE.partition("\n## Installing")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            found.update(dict.fromkeys(re.findall(r"`([A-Z_]+)`", cells[0]), cells[1]))
    return found


def anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def each_of(pattern: str, files: list[Path] = PAGES) -> list[tuple[Path, str]]:
    return [(file, found) for file in files for found in re.findall(pattern, file.read_text())]


def test_the_settings_are_found():
    assert {"DATABASE_URL", "EMAIL_URL", "QUIET_HOURS", "CLINIC_ACCENT_DARK", "PORT"} <= set(variables())


@pytest.mark.parametrize("name", sorted(variables()))
def test_each_environment_variable_is_in_the_table_with_its_default(name):
    default = variables()[name]
    assert name in table()
    if isinstance(default, str | int) and not isinstance(default, bool) and default:
        assert str(default) in table()[name]


@pytest.mark.parametrize("name", sorted(table()))
def test_each_setting_of_the_table_is_read(name):
    assert name in variables()


# Those below /etc, /opt, /tmp and /var are files of a server.
@pytest.mark.parametrize(("file", "address"), each_of(r"`(/(?!(?:etc|opt|tmp|var)\b)[^`\s]*)`"))
def test_each_address_leads_to_a_page(file, address):
    if address not in OF_THE_SERVER_FOR_AGENTS and not address.startswith(ONLY_WITH_A_PROVIDER):
        page = re.sub(r"^/embed/(<options>/)?", "/", address.partition("?")[0])  # a frame shows the same pages
        resolve(re.sub(r"<\w+>", "a-1", page))


@pytest.mark.parametrize(("file", "link"), each_of(r"\]\((?!https?:)([^)]+)\)"))
def test_each_link_between_files_leads_somewhere(file, link):
    path, _, anchor = link.partition("#")
    target = file.parent / path if path else file
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize(("file", "path"), each_of(rf"`((?:{'|'.join(ROOMS)})/[^`\s<*]*)`", PAGES + PAPERS))
def test_each_file_that_is_named_exists(file, path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", [file.name for file in PAGES[1:]])
def test_the_readme_leads_to_each_page(name):
    assert f"docs/{name}" in PAGES[0].read_text()


def test_the_placeholders_are_those_that_are_filled_in():
    assert set(re.findall(r"\{\{ (\w+) \}\}", PATIENTS)) == set(PLACEHOLDERS)


def test_the_questionnaire_of_the_documentation_stops_whom_it_says():
    items = json.loads(re.search(r"```json\n(.+?)```", PATIENTS, re.DOTALL)[1])

    ElementsField(element="QuestionnaireItem").clean(json.dumps(items))
    assert RED_FLAG in PATIENTS
    read = questionnaires.read_items(items)
    alarm = questionnaires.entries_of(
        read, [{"linkId": "pain", "answer": [{"valueString": "Yes, now"}]}], questionnaires.UTC
    )
    assert [node.red_flag for node in questionnaires.fill(read, alarm, questionnaires.UTC).red_flags] == [
        "Call 911 now. Do not wait for a visit."
    ]
