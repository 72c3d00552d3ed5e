"""Every page for people is looked at in a real browser: read from the application's own routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.test_every_route import ROUTES, is_page
from tests.browser.test_other_pages_in_browser import PAGES

BROWSER = Path(__file__).parents[3] / "browser"
# Route → what the browser's tests write where they look at it.
LOOKED_AT = {
    "/": '("/", "start")',
    "/accessibility": '("/accessibility", "accessibility")',
    "/reference": '("/reference", "reference")',
    "/log/": 'f"logs-{locale}"',
    "/case": '"/case"',
    "/case/requests/{request_id}": 'f"case-request-{language}"',
    "/desk": 'f"desk-{locale}"',
    "/dpo": '"/dpo"',
    "/dpo/breaches": '"/dpo/breaches"',
    "/dpo/breaches/{breach}": 'f"breach-{language}"',
    "/dpo/breaches/{breach}/counts/{number}": 'f"breach-citizens-{language}"',
    "/dpo/employee": '"/dpo/employee"',
    "/dpo/erasures": '"/dpo/erasures"',
    "/dpo/figures": '"/dpo/figures"',
    "/dpo/evidence/{municipality}/{year}/{index}": 'f"evidence-{language}"',
    "/dpo/integrity": 'f"integrity-{language}"',
    "/dpo/integrity/checks": 'f"checks-{language}"',
    "/dpo/what-if": 'f"what-if-{language}"',
    "/dpo/what-if/{run}": 'f"what-if-result-{language}"',
    "/dpo/inquiries": '"/dpo/inquiries"',
    "/dpo/inquiries/{inquiry}": 'f"dpo-wish-{locale}"',
    "/dpo/package": '"/dpo/package"',
    "/dpo/package/recipients": 'f"receivers-{language}"',
    "/dpo/record": '"/dpo/record"',
    "/dpo/fact-sheet": '"/dpo/fact-sheet"',
    "/dpo/lines/{municipality}/{year}/{index}": 'f"dpo-line-{locale}"',
    "/dpo/break-glass/{after_check}": 'f"after-check-{language}"',
    "/dpo/samples": '"/dpo/samples"',
    "/dpo/samples/{sample}": 'f"sample-{language}"',
    "/dpo/break-glass": '"/dpo/break-glass"',
    "/dpo/tasks": '"/dpo/tasks"',
    "/mine": '"/mine"',
    "/mine/accesses": '"/mine/accesses"',
    "/mine/accesses/{municipality}/{year}/{index}/ask": '"english-ask"',
    "/mine/breaches": '"/mine/breaches"',
    "/mine/blocks": '"/mine/blocks"',
    "/mine/consents/{consent_id}/pause": 'f"pause-{language}"',
    "/mine/consents/{consent_id}/resume": 'f"resume-{language}"',
    "/mine/consents/{consent_id}/stop": 'f"stop-{language}"',
    "/mine/help": 'f"help-{locale}"',
    "/mine/inquiries": '"/mine/inquiries"',
    "/mine/notices": '"/mine/notices"',
    "/mine/notices/{municipality}": '"/mine/notices/korsbaek"',
    "/mine/notices/{municipality}/code": '"/mine/notices/korsbaek/code"',
    "/mine/others": 'f"others-{locale}"',
    "/mine/receipts/{municipality}/{year}/{index}": 'f"receipt-paused-{language}"',
    "/mine/requests/{request_id}": 'f"request-{language}"',
    "/mine/requests/{request_id}/often": 'f"often-{language}"',
    "/mine/requests/{request_id}/some": 'f"some-once-{language}"',
    "/mine/rights": '"/mine/rights"',
    "/mine/rights/recipients": '"/mine/rights/recipients"',
    "/mine/week": 'f"week-{locale}"',
    "/mine/whole": '"/mine/whole"',
}
# What is looked at in Danish under one name and in English under another.
IN_TWO = {
    "/": '("/", "start")',
    "/reference": '("/reference", "reference")',
    "/accessibility": 'f"english{path.replace',
    "/mine/accesses/{municipality}/{year}/{index}/ask": '"ask-about-a-line"',
    "/mine/inquiries": '"question-answered"',
    "/mine/rights": '("/mine/rights", "rights")',
    "/mine/rights/recipients": '("/mine/rights/recipients", "recipients")',
}
# Routes of a room that give a file, or lead on.
NO_PAGES = {
    "/case/session",
    "/dpo/figures/{name}.csv",
    "/dpo/fact-sheet.pdf",
    "/dpo/report.csv",
    "/dpo/report.pdf",
    "/mine/accesses/list.csv",
    "/mine/accesses/list.json",
    "/mine/accesses/list.pdf",
    "/mine/receipts/{municipality}/{year}/{index}/record",
}


def test_every_page_has_its_look() -> None:
    """A page that is added is looked at in a browser."""
    pages = {
        path
        for path, methods in ROUTES
        if "GET" in methods and is_page(path) and not path.startswith(("/login", "/logout", "/leave"))
    }
    assert pages - NO_PAGES == set(LOOKED_AT) - {"/accessibility"}


@pytest.mark.parametrize("path", LOOKED_AT)
def test_the_look_is_there(path: str) -> None:
    """What is said to be looked at stands in a browser's test."""
    texts = [file.read_text("utf-8") for file in BROWSER.glob("test_*.py")]
    assert any(LOOKED_AT[path] in text for text in texts)
    assert any(IN_TWO.get(path, "") in text for text in texts)


@pytest.mark.parametrize("path", sorted(LOOKED_AT.keys() - IN_TWO.keys()))
def test_the_look_is_in_both_languages(path: str) -> None:
    """A page is looked at in Danish and English: its look names the language, or is a row gone through in both."""
    rows = {f'"{row}"' for _, _, paths in PAGES for row in paths}
    name = LOOKED_AT[path]
    assert name in rows or "{language}" in name or "{locale}" in name
