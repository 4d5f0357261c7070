"""The project's own files: licence, version, changelog, and the links between them."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

from tests.test_docs import anchors

ROOT = Path(settings.BASE_DIR)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
PAPERS = ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
RELEASES = re.findall(r"^## \[(.+)\](?: - (\d{4}-\d\d-\d\d))?$", CHANGELOG, re.MULTILINE)
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_it_is_under_the_apache_licence():
    text = (ROOT / "LICENSE").read_text()
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert "END OF TERMS AND CONDITIONS" in text
    assert re.search(r"^ +Copyright \d{4} The clinic-scheduling contributors$", text, re.MULTILINE)
    assert (PROJECT["license"], PROJECT["license-files"]) == ("Apache-2.0", ["LICENSE"])
    assert "[Apache License 2.0](LICENSE)" in (ROOT / "README.md").read_text()


def test_the_version_is_written_in_one_place(client):
    version = PROJECT["version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert client.get("/fhir/R4/metadata").json()["software"]["version"] == version
    assert client.get("/fhir/R4/openapi.json").json()["info"]["version"] == version
    assert "version" not in json.loads((ROOT / "package.json").read_text())


def test_the_changelog_has_the_form_of_keep_a_changelog():
    assert re.findall(r"^## .*$", CHANGELOG, re.MULTILINE) == [
        f"## [{name}]" + (f" - {day}" if day else "") for name, day in RELEASES
    ]
    names, days = zip(*RELEASES, strict=True)
    assert names[0] == "Unreleased"
    assert days[0] == ""
    assert all(days[1:])
    assert list(days[1:]) == sorted(days[1:], reverse=True)
    assert set(re.findall(r"^### (.+)$", CHANGELOG, re.MULTILINE)) <= KINDS


def test_the_changelog_knows_the_version():
    """The version is the next to be released, or the last released."""
    unreleased = CHANGELOG.partition("## [Unreleased]")[2].partition("\n## ")[0]
    assert f"To be released as {PROJECT['version']}" in unreleased or PROJECT["version"] == RELEASES[1][0]


def test_the_security_policy_supports_the_version():
    minor = PROJECT["version"].rpartition(".")[0]
    assert re.search(rf"^\| {re.escape(minor)} \| yes \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize("paper", [*PAPERS, ".github/pull_request_template.md", ".github/ISSUE_TEMPLATE/bug_report.md"])
def test_links_lead_somewhere(paper):
    text = (ROOT / paper).read_text()
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, anchor = link.partition("#")
        assert (ROOT / path).exists(), link
        assert not anchor or anchor in anchors(ROOT / path), link


@pytest.mark.parametrize("paper", PAPERS)
def test_the_readme_leads_to_each_paper(paper):
    assert f"]({paper})" in (ROOT / "README.md").read_text()


def test_the_tests_run_on_the_versions_that_clinics_and_the_demo_run_on():
    clinics, demo, tests = (
        set(re.findall(r"^[\w.-]+==[\w.]+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt")
    )
    assert clinics < demo < tests
    embedded = " ".join(PROJECT["optional-dependencies"]["embedded"])
    assert all(name not in embedded for name in (each.partition("==")[0] for each in clinics))
