"""A page as axe sees it: the rules of WCAG 2.2 AA, and nothing wider than the screen."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What another size or another colour scheme of the same page can break: what is shown only there, sizes, colours.
SHOWN_ONLY_THERE = [
    "aria-hidden-focus",
    "aria-input-field-name",
    "button-name",
    "color-contrast",
    "image-alt",
    "label",
    "link-in-text-block",
    "link-name",
    "scrollable-region-focusable",
    "select-name",
    "target-size",
]
LOOKS = {"runOnly": {"type": "rule", "values": SHOWN_ONLY_THERE}}
# Only what fails is brought to the test: the whole answer of axe takes longer than to ask for it.
RUN = """
([without, rules]) => axe.run({exclude: without}, {...rules, resultTypes: ["violations"]}).then(
    found => found.violations.map(each => [each.impact, `${each.id}: ${each.nodes[0].html}`]))
"""


def found_by_axe(page: Page, rules: dict[str, Any] = WCAG, without: Sequence[str] = ()) -> list[tuple[str, str]]:
    """The impact and the text of each rule that the page breaks as it is now."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    return [(impact, text) for impact, text in page.evaluate(RUN, [[[each] for each in without], rules])]


def serious(page: Page, rules: dict[str, Any] = WCAG, without: Sequence[str] = ()) -> list[str]:
    """The serious findings of axe on the page as it is now."""
    return [text for impact, text in found_by_axe(page, rules, without) if impact in ("serious", "critical")]


def look_at(page: Page, address: str, *, without: Sequence[str] = ()) -> list[str]:
    """The serious findings of axe on a page, and whether one has to scroll sideways.

    `without` names elements that axe leaves out: of hundreds of rows that are alike it need not read each.
    """
    page.goto(address)
    problems = [f"{address}: {each}" for each in serious(page, without=without)]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        problems.append(f"{address}: wider than the screen")
    return problems
