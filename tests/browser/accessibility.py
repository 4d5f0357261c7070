"""Accessibility checks of a page with axe: the rules of WCAG 2.2 AA, and no sideways scrolling."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# Rules whose result can differ at another size or in another colour scheme: visibility, sizes, colours.
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
# All rules at each size, since each size shows other elements. The colours of a scheme are the same at each size.
EVERYWHERE = ((PHONE, "light"), (DESK, "dark"))
# Only failures are returned to the test: to transfer the whole result takes longer than to compute it.
# Nothing is preloaded: no enabled rule reads style sheets, and no page plays a sound.
RUN = """
([without, rules]) => axe.run({exclude: without}, {...rules, preload: false, resultTypes: ["violations"]}).then(
    found => found.violations.map(each => [each.impact, `${each.id}: ${each.nodes[0].html}`]))
"""


def found_by_axe(page: Page, rules: dict[str, Any] = WCAG, without: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Return the impact and the text of each rule that the page breaks now."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE)
    return [(impact, text) for impact, text in page.evaluate(RUN, [[[each] for each in without], rules])]


def serious(page: Page, rules: dict[str, Any] = WCAG) -> list[str]:
    """Return the serious findings of axe on the page as it is now."""
    return [text for impact, text in found_by_axe(page, rules) if impact in ("serious", "critical")]


def look_at(page: Page, address: str) -> list[str]:
    """Return the serious findings of axe on a page, and whether it scrolls sideways."""
    page.goto(address)
    return [f"{address}: {each}" for each in (*serious(page), *too_wide(page))]


def look_everywhere(page: Page, name: str, *, every_impact: bool = False, without: Sequence[str] = ()) -> list[str]:
    """Return the serious findings of axe on the page as it is now, on a phone in the light and on a desk in the dark.

    The page is loaded once and ends on a desk, in the light. Nothing moves, so that no colour is halfway to another.
    `without` names elements that axe leaves out: of hundreds of rows that are alike it need not read each.
    """
    page.wait_for_load_state()
    problems: list[str] = []
    for size, scheme in EVERYWHERE:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = [
            text
            for impact, text in found_by_axe(page, without=without)
            if every_impact or impact in ("serious", "critical")
        ]
        problems += [f"{name} ({scheme}, {size['width']} px): {text}" for text in (*found, *too_wide(page))]
    page.emulate_media(color_scheme="light")
    return problems


def too_wide(page: Page) -> list[str]:
    is_wider = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    return ["wider than the screen"] if is_wider else []
