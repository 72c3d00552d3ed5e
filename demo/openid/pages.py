"""The two pages of the provider: choose who you are, and you are logged out. Plain HTML, no script."""

from __future__ import annotations

import secrets
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from demo.systems.records import Row

STYLE = """
body{font:1.125rem/1.5 system-ui,sans-serif;max-width:36rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;
background:#fff}
button{display:block;width:100%;text-align:left;font:inherit;padding:.75rem 1rem;margin:.5rem 0;
border:2px solid #0059b3;border-radius:.25rem;background:#fff;color:#00366b;cursor:pointer}
button:hover,button:focus-visible{background:#e5f0fb;outline:3px solid #ffbf47}
h1,h2{overflow-wrap:anywhere;hyphens:auto}
.note{background:#fff4d6;padding:.75rem 1rem;border-left:.5rem solid #b37400}
small{display:block;color:#4a4a4a}
"""
TEXTS = {
    "da": {
        "title": "Vælg en testperson",
        "note": "Dette er en demo. Alle personer er opdigtede, og ingen kode er nødvendig.",
        "citizen": "Borgere",
        "officer": "Databeskyttelsesrådgivere og tilsyn",
        "caseworker": "Sagsbehandlere",
        "cancel": "Fortryd",
        "nobody": "Ingen testpersoner passer til dette log-in.",
        "out": "Du er logget ud",
        "wrong": "Log-in kan ikke begynde",
    },
    "en": {
        "title": "Choose a test person",
        "note": "This is a demo. All people are invented, and no code is needed.",
        "citizen": "Citizens",
        "officer": "Data protection officers and oversight",
        "caseworker": "Caseworkers",
        "cancel": "Cancel",
        "nobody": "No test person fits this log-in.",
        "out": "You are logged out",
        "wrong": "The log-in cannot begin",
    },
}


def choose_page(ticket: str, persons: list[Row], redirect_uri: str, locales: str) -> HTMLResponse:
    """Show one button a person, by kind; each button alone is enough to log in."""
    language = _language(locales)
    texts = TEXTS[language]
    groups = [
        f"<h2>{texts[kind]}</h2>" + "".join(_button(person) for person in persons if person["kind"] == kind)
        for kind in ("citizen", "caseworker", "officer")
        if any(person["kind"] == kind for person in persons)
    ]
    people = "".join(groups) or f"<p>{texts['nobody']}</p>"
    body = (
        f'<p class="note">{texts["note"]}</p><form method="post" action="/authorize">'
        f'<input type="hidden" name="ticket" value="{escape(ticket)}">'
        f'{people}<button name="cancel" value="1">{texts["cancel"]}</button></form>'
    )
    # The form's answer leads back to the client, and browsers hold that against `form-action` too.
    client = urlsplit(redirect_uri)
    return _page(language, texts["title"], body, 200, f"'self' {client.scheme}://{client.netloc}")


def logged_out_page(locales: str) -> HTMLResponse:
    """Say that the log-out is done."""
    language = _language(locales)
    return _page(language, TEXTS[language]["out"], "", 200, "'none'")


def error_page(reason: str) -> HTMLResponse:
    """Say why a log-in cannot begin; `reason` is our own text."""
    return _page("da", TEXTS["da"]["wrong"], f"<p>{escape(reason)}</p>", 400, "'none'")


def _button(person: Row) -> str:
    about = f"<small>{escape(person['about'])}</small>" if "about" in person else ""
    return f'<button name="person" value="{escape(person["id"])}">{escape(person["name"])}{about}</button>'


def _language(locales: str) -> str:
    return "en" if locales.lower().startswith("en") else "da"


def _page(language: str, title: str, body: str, status: int, form_action: str) -> HTMLResponse:
    nonce = secrets.token_urlsafe(12)
    text = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<style nonce="{nonce}">{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>'
    )
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {form_action}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HTMLResponse(text, status, headers)
