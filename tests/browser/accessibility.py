"""A page as axe sees it: the rules of WCAG 2.2 AA, and nothing wider than the screen."""

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def look_at(page: Page, address: str, *, without: Sequence[str] = ()) -> list[str]:
    """What axe finds serious on a page, and whether one has to scroll sideways.

    `without` names elements that axe leaves out: of hundreds of rows that are alike it need not read each.
    """
    page.goto(address)
    context = {"exclude": [[each] for each in without]} if without else None
    found = Axe().run(page, context=context, options=WCAG).response["violations"]
    problems = [
        f"{address}: {each['id']}: {each['nodes'][0]['html']}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        problems.append(f"{address}: wider than the screen")
    return problems
