"""Checks of one page for accessibility, its frame and its width."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

from tests.browser.accessibility import LOOKS, WCAG, serious, too_wide
from tests.browser.conftest import DESK, PHONE


class Looker:
    """Checks pages and collects their findings. Animations are off meanwhile."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))

    def open(self, address: str, status: int = 200) -> None:
        """Check the page on a phone, and on a desk in the dark theme by the rules that can differ there."""
        self.page.set_viewport_size(PHONE)
        answer = self.page.goto(address)
        if answer is None or answer.status != status:
            self.problems.append(f"{address}: {answer and answer.status} {self.page.url}")
        self.look()
        self.page.set_viewport_size(DESK)
        self.page.emulate_media(color_scheme="dark")
        self.look(LOOKS)
        self.page.emulate_media(color_scheme="light")

    def look(self, rules: dict[str, Any] = WCAG) -> None:
        """Check the page as it is now."""
        self.page.wait_for_load_state()
        where = f"{self.page.url} ({self.page.viewport_size})"
        self.problems += [f"{where}: {each}" for each in (*self._frame(), *serious(self.page, rules))]

    def _frame(self) -> Iterator[str]:
        if self.page.locator("h1").count() != 1:
            yield "not one h1"
        if not self.page.title().removesuffix("Riverside Clinic").strip(" \N{EN DASH}"):
            yield "no title"
        for landmark in ("banner", "main", "contentinfo"):
            if self.page.get_by_role(landmark).count() != 1:
                yield f"not one {landmark}"
        yield from too_wide(self.page)
