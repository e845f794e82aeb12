"""What keeps people from using a page, as axe-core sees it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def barriers(page: Page) -> list[tuple[str, list[str]]]:
    """The serious and critical violations of WCAG 2.2 AA: the rule, and the first elements that break it."""
    page.wait_for_timeout(250)  # until nothing moves any more
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    bad = [one for one in found.response["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], [node["html"][:200] for node in one["nodes"][:2]]) for one in bad]
