"""Show a page: one template environment a language, strict about what is missing, and escaping everything.

Rules kept here:
- Every value is escaped by the template engine; no template marks anything as safe (held by a test).
- A page names who is logged in, when that ends, and carries the token its forms need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from broker.oversight.hands import CONTROLLER, DPO, LEADER
from broker.view.phrases import DEMANDS, WEEKDAYS, Language
from broker.view.texts import need_text
from broker.web.login import CASEWORKER, CITIZEN, Logins
from broker.web.pages import dates
from broker.web.pages.language import language_of, remember, switched
from broker.web.pages.words import LANGUAGES, marked, words_of

WEB = Path(__file__).parents[1]
ROOMS = ("pages", "citizen", "case", "desk", "dpo", "log", "reference")
# The menu of a caseworker who keeps the citizens' desk.
DESK = "desk"
_TASKS = ("/dpo/tasks", marked("Waits for you"))
_REVIEWS = (("/dpo/samples", marked("Samples")), ("/dpo/break-glass", marked("Danger to life")))
_OF_THE_LOG = (
    ("/dpo", marked("The log")),
    _TASKS,
    ("/dpo/integrity", marked("Integrity")),
    *_REVIEWS,
    ("/dpo/breaches", marked("Breaches")),
    ("/dpo/figures", marked("Figures")),
)
# Officers have the menu of their role: it leads nobody to a page that is not theirs, and a role without pages has none.
MENUS = {
    CITIZEN: (
        ("/mine", marked("Start")),
        ("/mine/help", marked("Who helps me with what")),
        ("/mine/week", marked("My week")),
        ("/mine/accesses", marked("Who has looked")),
        ("/mine/blocks", marked("My standing noes")),
        ("/mine/rights", marked("My rights")),
    ),
    CASEWORKER: (("/case", marked("New look-up")),),
    DESK: (("/desk", marked("Find a citizen")),),
    DPO: _OF_THE_LOG,
    CONTROLLER: _OF_THE_LOG,
    LEADER: (_TASKS, *_REVIEWS),
}


class Named(Protocol):
    """What the registry has a Danish and an English name for."""

    @property
    def name_da(self) -> str:
        """The Danish name."""

    @property
    def name_en(self) -> str:
        """The English name."""


STAYS_AT = {"citizen": "/v1/me/session", "officer": "/v1/accesses/session", "caseworker": "/case/session"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in on a page: the kind of person, their name if we know it, the token, when the log-in ends.

    `room` names the menu, where it is not that of the kind.
    """

    kind: str
    csrf: str = field(repr=False)
    idle_at: datetime
    seconds_left: int
    name: str | None = field(default=None, repr=False)
    room: str = ""

    @property
    def stays_at(self) -> str:
        """Give the address that a page asks to stay logged in, and that says until when."""
        return STAYS_AT[self.kind]


async def visitor_of(
    logins: Logins, request: Request, kind: str, name: str | None = None, *, room: str = ""
) -> Visitor:
    """Describe who is logged in here. Raises `NotAuthenticated("login_required")`."""
    session = await logins.session(request, kind)
    return Visitor(kind, session.csrf, session.idle_at, logins.seconds_left(session), name, room)


class Pages:
    """Shows templates. `secure` tells whether our public address is https."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._environments = {language: environment(language) for language in LANGUAGES}

    def show(
        self, request: Request, template: str, status: int = 200, *,
        visitor: Visitor | None = None, start_over: str | None = None, **values: Any,
    ) -> Response:  # fmt: skip
        """Show one page in the reader's language.

        `start_over` is where the language switch leads when showing this page again would do something again.
        """
        language = language_of(request)
        other: Language = "en" if language == "da" else "da"
        body = (
            self._environments[language]
            .get_template(template)
            .render(
                other=other,
                switch=switched(request, other, start_over),
                starts_over=start_over is not None,
                here=request.url.path,
                visitor=visitor,
                **values,
            )
        )
        response = HTMLResponse(body, status, {"Cache-Control": "no-store", "Content-Language": language})
        response.headers["Vary"] = "Accept-Language, Cookie"
        # Still nothing to others; but with none at all, browsers call our own forms' origin "null" (Fetch, 4.6).
        response.headers["Referrer-Policy"] = "same-origin"
        remember(request, response, secure=self._secure)
        return response

    def written(self, template: str, language: Language, **values: Any) -> str:
        """Write a part that no browser is shown by itself, such as a picture for print."""
        return self._environments[language].get_template(template).render(**values)


def go_to(path: str) -> Response:
    """Send the browser on after a change, so that a reload changes nothing (post, redirect, get)."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def environment(language: Language) -> jinja2.Environment:
    """Build the templates of one language; a value that is missing is an error, not an empty place."""
    loader = jinja2.PrefixLoader({room: jinja2.FileSystemLoader(WEB / room / "templates") for room in ROOMS})
    made = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = words_of(language)
    made.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    made.globals |= {"language": language, "name": partial(_name, language=language), "menus": MENUS}
    filters: dict[str, Callable[..., str]] = {
        "day": dates.day_words,
        "weekday": dates.weekday_words,
        "moment": dates.moment_words,
        "time": dates.time_words,
        "clock": dates.clock_words,
        "need": need_text,
    }
    made.filters |= {name: partial(_late, filter_, language) for name, filter_ in filters.items()}
    made.filters["demand"] = partial(_demand, language=language)
    made.filters["weekday_name"] = partial(_weekday_name, language=language)
    return made


def _late(filter_: Callable[..., str], language: Language, value: Any) -> str:
    return filter_(value, language)


def _name(thing: Named, language: Language) -> str:
    return thing.name_da if language == "da" else thing.name_en


def _demand(code: str, language: Language) -> str:
    return DEMANDS[code][0 if language == "da" else 1] if code in DEMANDS else code


def _weekday_name(number: int, language: Language) -> str:
    return WEEKDAYS[number - 1][0 if language == "da" else 1]
