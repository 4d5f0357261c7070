"""Input of a guest who books a visit."""

import re

from playwright.sync_api import Page, expect

from clinic.models import Communication


def say_who(page: Page, **other: str) -> None:
    """Fill in the page that asks for a guest's details."""
    fields = {"Given names": "Eve", "Family name": "Stone", "Day": "27", "Month": "3", "Year": "1985"}
    for label, value in {**fields, "Email address": "eve@example.com", **other}.items():
        page.get_by_label(label).fill(value)


def prove_the_address(page: Page) -> None:
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    body = Communication.objects.get(event="proof").body
    page.get_by_label("Code").fill(re.search(r"\b\d{6}\b", body)[0])
    page.get_by_role("button", name="Continue").click()
