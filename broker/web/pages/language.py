"""Which language a page is shown in: chosen in the address, remembered in a cookie, else as the browser says."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from broker.view.phrases import Language
from broker.web.login import LANGUAGE

COOKIE = LANGUAGE
CHOICE = "lang"
_YEAR_SECONDS = 365 * 24 * 3600
_CODES: dict[str, Language] = {"da": "da", "en": "en"}


def language_of(request: Request) -> Language:
    """Choose the language of an answer. Danish unless the reader chose English or their browser asks for it first."""
    for told in (request.query_params.get(CHOICE), request.cookies.get(COOKIE)):
        if told in _CODES:
            return _CODES[told]
    return _first_understood(request.headers.get("accept-language", ""))


def remember(request: Request, response: Response, *, secure: bool) -> None:
    """Keep a choice that was made in the address, for this browser."""
    chosen = request.query_params.get(CHOICE)
    if chosen in _CODES:
        response.set_cookie(
            COOKIE, chosen, max_age=_YEAR_SECONDS, path="/", httponly=True, samesite="lax", secure=secure
        )


def switched(request: Request, language: Language, path: str | None = None) -> str:
    """Give the address of the same page in a language; `path` instead for what may not be asked for twice."""
    if path is not None:
        return f"{path}?{urlencode({CHOICE: language})}"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != CHOICE]
    return f"{request.url.path}?{urlencode([*kept, (CHOICE, language)])}"


def _first_understood(header: str) -> Language:
    wishes: list[tuple[float, int, Language]] = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, weight = part.strip().partition(";q=")
        language = _CODES.get(tag.split("-")[0].strip().lower())
        if language is not None:
            wishes.append((-_weight(weight), place, language))
    return min(wishes)[2] if wishes else "da"


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
