"""Hostile input to every route the application has, pages too: a clear answer each time, no echo, nothing half-written.

The routes are read from the application itself, so that a new one is attacked from its first day.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from broker.web.limits import HEADERS
from broker.web.problems import MEDIA_TYPE
from demo.postgres import PrivatePostgres
from docs.generate import described_app
from tests.actors import CLIENT_ASSERTION_TYPE
from tests.builders import CASE, CITIZEN, PURPOSE
from tests.served_house import Served, open_served

CANARY = "CANARY7f3a"
HTML = "text/html,application/xhtml+xml"
ROOMS = {"/mine": "citizen", "/case": "caseworker", "/desk": "desk", "/dpo": "officer"}
FACES = {"/v1/me": "citizen", "/v1/accesses": "officer", "/v1/logs": "officer", "/v1/deferrals": "officer",
         "/v1/inquiries": "officer", "/v1/samples": "officer", "/v1/searches": "officer",
         "/v1/breaches": "officer",
         "/v1/packages": "officer", "/v1/recipients": "officer", "/v1/record": "officer",
         "/v1/fact-sheets": "officer",
         "/v1/figures": "officer"}  # fmt: skip
FACES |= {"/v1/what-if-runs": "officer", "/v1/integrity": "officer", "/v1/evidence": "officer"}
FACES |= {"/v1/break-glass-cases": "officer", "/v1/tasks": "officer", "/v1/erasures": "officer"}
SYSTEMS = ("/v1/exchange", "/v1/views", "/v1/consent", "/v1/withdrawals", "/v1/break-glass", "/access/v1/")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "LOCK"}
DEEP, WIDE = 100_000, 10_000


def routes() -> list[tuple[str, frozenset[str]]]:
    """Read every address of the application with the methods that it takes; a folder stands for its files."""
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(described_app().routes):
        folder = isinstance(route.original_route, Mount)
        path = f"{route.path}/{{file}}" if folder else str(route.path)
        found.setdefault(path, set()).update({"GET", "HEAD"} if folder else route.methods or set())
    return [(path, frozenset(methods)) for path, methods in found.items()]


ROUTES = routes()
PATHS = [path for path, _ in ROUTES]
TAKES_BODIES = [path for path, methods in ROUTES if "POST" in methods]
ADDRESSED = [path for path in PATHS if "{" in path]


def caller_of(path: str) -> str | None:
    """Name who may enter a route."""
    for start, who in (ROOMS | FACES).items():
        if path.startswith(start):
            return who
    return "system" if path.startswith(SYSTEMS) else None


def is_page(path: str) -> bool:
    """Tell whether a route is for people."""
    return path in ("/", "/log/") or path.startswith((*ROOMS, "/reference", "/login", "/logout", "/leave"))


@pytest.fixture(scope="module")
def served(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one house to all tests of this file."""
    with open_served(postgres, tmp_path_factory.mktemp("routes")) as made:
        yield made


@pytest.fixture(scope="module")
def http(served: Served) -> Iterator[httpx2.Client]:
    """Open one client for all."""
    with httpx2.Client(base_url=served.address, timeout=60) as client:
        yield client


def filled(path: str, value: str = "x") -> str:
    """Put a value into every place of an address."""
    return re.sub(r"\{[^}]+\}", lambda _: value, path)


def send(
    served: Served, http: httpx2.Client, method: str, path: str, *, query: str = "", **more: Any
) -> httpx2.Response:
    """Send one request as whoever may enter, from a browser where the route is a page."""
    known = served.credentials(caller_of(path), method, path)
    accept = {"accept": HTML if is_page(path) else "application/json"}
    headers = [*(accept | known).items(), *more.pop("headers", [])]
    return http.request(method, path + query, headers=headers, **more)


def faults(answer: httpx2.Response, path: str, *statuses: int) -> list[str]:
    """Say what is wrong with the answer to hostile input: its status, its form, its headers, an echo."""
    echo = answer.text + str([(name, value) for name, value in answer.headers.items() if name != "location"])
    kinds = ("text/html; charset=utf-8",) if is_page(path) else (MEDIA_TYPE, "application/json")
    refused = answer.status_code >= 400
    # A head that is too large is refused before anybody knows who asks for what.
    kinds = (MEDIA_TYPE,) if answer.status_code == 431 else kinds
    found = {
        f"status {answer.status_code}": answer.status_code >= 500
        or bool(statuses and answer.status_code not in statuses),
        f"form {answer.status_code} {answer.headers.get('content-type')}": refused
        and bool(answer.content)
        and answer.headers.get("content-type") not in kinds,
        "echo": refused and (CANARY in echo or CITIZEN.disclose() in echo),
        "headers": any(name not in answer.headers for name in (*HEADERS, "content-security-policy", "cache-control")),
    }
    return [what for what, wrong in found.items() if wrong]


def wrong_ones(answers: list[tuple[str, httpx2.Response]], path: str, *statuses: int) -> dict[str, list[str]]:
    """Name the inputs whose answer is wrong, and how."""
    told = {what: faults(answer, path, *statuses) for what, answer in answers}
    return {what: found for what, found in told.items() if found}


@pytest.mark.parametrize(("path", "methods"), ROUTES, ids=PATHS)
def test_another_method_is_refused_and_told_which_are_taken(
    served: Served, http: httpx2.Client, path: str, methods: frozenset[str]
) -> None:
    """A method that an address does not take is 405 with all that it takes, as problem or page, and does nothing."""
    place = filled(path, "app.css" if path.startswith("/static") else "x")
    before = served.run(served.rows())
    answers = [(method, send(served, http, method, place)) for method in sorted(METHODS - methods)]

    assert wrong_ones(answers, place, 405) == {}
    assert {frozenset(answer.headers["allow"].split(", ")) for _, answer in answers} == {methods}
    assert served.run(served.rows()) == before


QUERIES = {
    "a null byte": "?cursor=%00&lang=%00&next=%00&kind=%00&limit=%00&line=%00",
    "bytes that are no letters": "?cursor=%ff%fe&lang=%c3%28&line=%ff&kind=%ff&since=%ff&answered=%ff",
    "half a pair": "?cursor=%ED%A0%80&line=%ED%A0%80&unit=%ED%A0%80&code=%ED%A0%80&state=%ED%A0%80",
    "the same again": "?" + "&".join(["limit=1", "cursor=1", "lang=en", "kind=ask", "line=x", "code=1", "state=2"] * 9),
    "far too many": "?" + "&".join(["answered=x"] * 600),
    "far too long": f"?cursor={CANARY * 800}",
    "numbers that are none": "?limit=NaN&year=1e999&index=-1&cursor=9" + "9" * 90,
    "a script": f"?kind=<script>{CANARY}</script>&since='--&until=%0d%0aSet-Cookie:{CANARY}",
    "days that are none": "?since=2019-02-30&until=9999-12-31",
    "the ends of time": "?since=0001-01-01&until=0001-01-01",
    "nothing at all": "?&&&=&==&%",
}


@pytest.mark.parametrize("path", [path for path, methods in ROUTES if "GET" in methods])
def test_a_hostile_query_breaks_nothing(served: Served, http: httpx2.Client, path: str) -> None:
    """Whatever stands after the question mark, the answer is a good one, or a refusal that repeats none of it."""
    place = filled(path)
    answers = [(what, send(served, http, "GET", place, query=query)) for what, query in QUERIES.items()]

    assert wrong_ones(answers, place) == {}


PLACES = {
    "a null byte": "%00",
    "a way up": "..%2f..%2f..%2fetc%2fpasswd",
    "a way up twice packed": "%252e%252e%252f",
    "bytes that are no letters": "%ff%fe",
    "half a pair": "%ED%A0%80",
    "a semicolon": f"x;{CANARY}=1",
    "a line break": f"%0d%0aSet-Cookie:%20{CANARY}",
    "far too long": CANARY * 300,
    "a number beyond all": "9" * 400,
    "a number below all": "-" + "9" * 30,
    "a wildcard": "%25_*",
    "a quotation mark": f"'%20OR%201=1--{CANARY}",
    "foreign digits": quote("٢٠١٩"),
    "braces": quote("{{7*7}}${7*7}"),
}


@pytest.mark.parametrize("path", ADDRESSED)
def test_a_hostile_place_is_not_found(served: Served, http: httpx2.Client, path: str) -> None:
    """Whatever stands in the place of an id, there is no such thing, and nothing of it comes back."""
    method = "GET" if path not in TAKES_BODIES or "/stop" in path else "POST"
    before = served.run(served.rows())
    sent: dict[str, Any] = {"data": {"csrf": "x"}} if is_page(path) else {}
    answers = [(what, send(served, http, method, filled(path, value), **sent)) for what, value in PLACES.items()]

    assert wrong_ones(answers, filled(path), 400, 404) == {}
    assert served.run(served.rows()) == before


ODD_HEADERS: dict[str, list[tuple[str, bytes]]] = {
    "an endless wish": [("accept", b"text/html;q=0." + b"9" * 3000)],
    "a wish that is none": [("accept", b"\xff\xfe/\xff"), ("accept-language", b"\xff;q=nan,da;q=inf,en;q=-1e999")],
    "other letters": [("accept-charset", b"utf-7"), ("accept-encoding", b"CANARY7f3a;q=x")],
    "another's words": [
        ("x-forwarded-host", b"CANARY7f3a"),
        ("x-forwarded-for", b"127.0.0.1"),
        ("host", b"CANARY7f3a"),
    ],
    "another method": [("x-http-method-override", b"DELETE"), ("x-method", b"PUT"), ("x-original-url", b"/metrics")],
    "a broken trace": [("traceparent", b"00-" + b"\xff" * 32 + b"-0-0"), ("tracestate", b"CANARY7f3a=1")],
    "many cookies": [("cookie", b"; ".join(b"a%d=CANARY7f3a" % n for n in range(300)))],
    "cookies that are none": [("cookie", b'\xff=\xfe; "; =; __Host-citizen="\\000"; lang=\xff')],
    "a range": [("range", b"bytes=0-0,-1,99999999999999999999-"), ("if-range", b"CANARY7f3a")],
    "a condition": [("if-none-match", b"*"), ("if-modified-since", b"CANARY7f3a"), ("if-match", b"\xff")],
    "an upgrade": [("connection", b"upgrade"), ("upgrade", b"websocket")],
}


@pytest.mark.parametrize("path", [path for path, methods in ROUTES if "GET" in methods])
def test_hostile_headers_break_nothing(served: Served, http: httpx2.Client, path: str) -> None:
    """Headers a proxy or an attacker adds change no answer into an error, and none of their words come back."""
    place = filled(path)
    answers = []
    for what, headers in ODD_HEADERS.items():
        answer = send(served, http, "GET", place, headers=headers)
        answers.append((what, answer))
        assert CANARY not in answer.text + str(answer.headers), what

    told = {what: found for what, answer in answers if (found := faults(answer, place)) and "form" not in found[0]}
    assert told == {}


ASK: dict[str, Any] = {"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE}
BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "words": CANARY.encode(),
    "a list": b"[]",
    "null": b"null",
    "lists in lists": b"[" * DEEP,
    "closed lists in lists": b"[" * 30_000 + b"]" * 30_000,
    "objects in objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep in a field": b'{"citizen":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep in a list": b'{"lines":' + b'[{"source":' * 5_000 + b"1" + b"}]" * 5_000 + b"}",
    "invalid UTF-8": b'{"citizen":"\xff\xfe' + CANARY.encode() + b'"}',
    "another's letters": json.dumps(ASK).encode("utf-16"),
    "a mark before it": b"\xef\xbb\xbf" + json.dumps(ASK | {CANARY: 1}).encode(),
    "not a number": b'{"citizen":NaN,"lines":[NaN],"limit":NaN}',
    "without end": b'{"citizen":Infinity,"limit":-Infinity,"lines":[1e999]}',
    "a huge number": b'{"citizen":' + b"9" * 30_000 + b',"limit":1' + b"0" * 5_000 + b"}",
    "a fine number": b'{"citizen":0.' + b"1" * 30_000 + b"}",
    "fields of one's own": json.dumps({f"{CANARY}{n}": n for n in range(2_000)}).encode(),
    "the same field again": b"{" + b",".join([b'"citizen":"7102740022"'] * 1_000) + b',"CANARY7f3a":1}',
    "ten thousand lines": json.dumps(ASK | {"lines": ["x"] * WIDE, "categories": ["S01"] * 99}).encode()[:60_000],
    "a comment": b'{/* CANARY7f3a */"citizen":"7102740022"}',
    "two at once": b'{"citizen":"7102740022"}{"citizen":"CANARY7f3a"}',
}
LISTS = ("categories", "sources", "lines", "weeks")


@pytest.mark.parametrize("path", TAKES_BODIES)
def test_a_broken_body_is_refused_and_leaves_nothing(served: Served, http: httpx2.Client, path: str) -> None:
    """However JSON can be broken, deep, wide or huge, it is refused everywhere, and no table has a row more."""
    if path.endswith(
        ("/refuse", "/lift", "/acknowledgement", "/employee", "/release", "/withdrawal", "/removal")
    ) or is_page(path):
        pytest.skip("reads no JSON: what stands in its body is not looked at")
    place = filled(path)
    json_ = [("content-type", b"application/json")]
    before = served.run(served.rows())
    answers = [(what, send(served, http, "POST", place, content=body, headers=json_)) for what, body in BROKEN.items()]

    assert wrong_ones(answers, place, 400, 413) == {}
    assert served.run(served.rows()) == before


@pytest.mark.parametrize("field", LISTS)
@pytest.mark.parametrize("path", ["/v1/exchange", "/v1/views", "/v1/consent-requests", "/v1/consents"])
def test_ten_thousand_of_anything_are_refused(served: Served, http: httpx2.Client, path: str, field: str) -> None:
    """A list of ten thousand, good as each may be, is refused before anything is asked or written."""
    good = {"categories": "S01", "sources": "a", "lines": 1, "weeks": 1}[field]
    body = json.dumps(ASK | {"to": "2020-02-29", field: [good] * WIDE}, separators=(",", ":"))
    before = served.run(served.rows())
    answer = send(served, http, "POST", path, content=body, headers=[("content-type", b"application/json")])

    assert faults(answer, path, 400, 413) == []
    assert served.run(served.rows()) == before


KINDS = [
    b"", b"text/plain", b"application/xml", b"text/xml", b"application/json; charset=utf-7", b"application/json, x/y",
    b"application/x-www-form-urlencoded", b"multipart/form-data", b"multipart/form-data; boundary=" + b"x" * 300,
    b"application/octet-stream", b"application/CANARY7f3a", b"\xff/\xff", b"application/json;" + b"a=b;" * 500,
]  # fmt: skip


@pytest.mark.parametrize("path", TAKES_BODIES)
def test_another_kind_of_body_breaks_nothing(served: Served, http: httpx2.Client, path: str) -> None:
    """Whatever a body says it is, the answer is never an error of ours, and repeats none of it."""
    place = filled(path)
    body = f"--x\r\n{CANARY}=%ff&citizen=%00{CANARY}&csrf=%ff\r\n".encode()
    answers = [
        (str(kind), send(served, http, "POST", place, content=body, headers=[("content-type", kind)])) for kind in KINDS
    ]

    assert wrong_ones(answers, place) == {}


VALUES = {
    "a null byte": "\0" + CANARY,
    "a script": f"<script>{CANARY}</script>{{{{7*7}}}}",
    "brackets": "[" * 50_000,
    "far too long": CANARY * 5_000,
    "other digits": "٧١٠٢٧٤-٠٠٢٢",
    "a number of a person": "710274-002",
    "a line break": f"{CANARY}\r\nSet-Cookie: {CANARY}",
    "an invisible letter": f"\u200b\u202e{CANARY}",
    "letters beyond the first plane": "\U0001f4a3" * 99,
}
FIELDS = (
    "citizen", "purpose", "case", "request_id", "made", "line", "offered", "lasts", "why", "digest", "source", "unit",
    "category", "cursor", "language",
)  # fmt: skip
# Their forms are a button: nothing of what is sent with it is read.
BUTTONS = ("/mine/help", "/mine/others/children", "/mine/week")
# Nothing chosen is a search too: it leads to the whole list.
NOTHING_CHOSEN = {"/dpo/find": 303}
PAGE_FORMS = [path for path in TAKES_BODIES if is_page(path) and not path.startswith("/log")]


@pytest.mark.parametrize("path", PAGE_FORMS)
def test_a_hostile_form_gets_a_page_that_says_so(served: Served, http: httpx2.Client, path: str) -> None:
    """Whatever a logged-in person's form holds, they get a page that says what is wrong, without what they wrote."""
    place = filled(path)
    before = served.run(served.rows())
    answers = [
        (what, send(served, http, "POST", place, data=dict.fromkeys(FIELDS, value))) for what, value in VALUES.items()
    ]
    if path not in BUTTONS:
        assert wrong_ones(answers, place, 400, 404, 413) == {}
        assert served.run(served.rows()) == before
    assert all("<h1" in answer.text and CANARY not in answer.text for _, answer in answers)


FLOODS: dict[str, tuple[str, bytes]] = {
    "ten thousand fields": ("application/x-www-form-urlencoded", b"&".join([b"line=a"] * 9_000)),
    "names without end": ("application/x-www-form-urlencoded", CANARY.encode() * 5_000),
    "bytes that are no letters": ("application/x-www-form-urlencoded", b"citizen=%ff%fe&purpose=\xff&case=%"),
    "no boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "parts without end": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 900,
    ),
    "a file": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="citizen"; filename="CANARY7f3a"\r\n\r\nCANARY7f3a\r\n--x--\r\n',
    ),
    "a part cut off": ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; na"),
    "a head without end": ("multipart/form-data; boundary=x", b"--x\r\nX: " + b"y" * 40_000),
    "a part in foreign letters": (
        "multipart/form-data; boundary=x; charset=CANARY7f3a",
        b'--x\r\nContent-Disposition: form-data; name="case"\r\nContent-Type: a; charset=utf-7\r\n\r\n\xff\r\n--x\r\n',
    ),
}


@pytest.mark.parametrize("path", PAGE_FORMS)
def test_a_flood_of_a_form_gets_a_page(served: Served, http: httpx2.Client, path: str) -> None:
    """A form that is broken, cut off or far too wide is refused with a page, and nothing is kept of it."""
    place = filled(path)
    before = served.run(served.rows())
    answers = [
        (what, send(served, http, "POST", place, content=body, headers=[("content-type", kind.encode())]))
        for what, (kind, body) in FLOODS.items()
    ]
    if path not in BUTTONS:
        assert wrong_ones(answers, place, 400, 403, 404, NOTHING_CHOSEN.get(path, 400)) == {}
        assert served.run(served.rows()) == before


def deep_token(levels: int) -> str:
    """Write a token whose header or claims are lists in lists."""
    deep = urlsafe_b64encode(b'{"alg":"ES256","a":' + b"[" * levels + b"]" * levels + b"}").rstrip(b"=").decode()
    return f"{deep}.{deep}.AAAA"


TOKENS = {
    "deep": deep_token(2_900),
    "a little deep": deep_token(900),
    "far too deep": deep_token(DEEP),
    "dots": "." * 9_000,
    "not of letters": "\xff.\xfe.\xfd",
    "a null byte": "\0.\0.\0",
    "nothing": "..",
    "no object": ".".join([urlsafe_b64encode(b"[]").decode().rstrip("=")] * 3),
    "not a number": ".".join([urlsafe_b64encode(b'{"alg":"ES256","iat":NaN,"exp":1e999}').decode().rstrip("=")] * 3),
}


@pytest.mark.parametrize("what", TOKENS)
def test_a_hostile_token_is_only_a_bad_one(served: Served, http: httpx2.Client, what: str) -> None:
    """A token, a proof or an assertion of nested or broken JSON is refused like any bad one, wherever it stands."""
    token, before = TOKENS[what], served.run(served.rows())
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "client_assertion_type": CLIENT_ASSERTION_TYPE,
        "client_assertion": token,
        "subject_token": token,
    }
    sendable = token.encode("latin-1") if len(token) < 12_000 and "\0" not in token else b"x.y.z"
    asked = http.post("/oauth2/token", data=form, headers=[("dpop", sendable)])
    good = served.credentials("system", "POST", "/v1/exchange")
    for headers in ([("authorization", b"DPoP " + sendable), ("dpop", good["DPoP"].encode())],
                    [("authorization", good["Authorization"].encode()), ("dpop", sendable)]):  # fmt: skip
        answer = http.post("/v1/exchange", json=ASK, headers=headers)
        assert faults(answer, "/v1/exchange", 401) == []

    assert asked.status_code == 413 or (asked.status_code in {400, 401} and asked.json().keys() == {"error"})
    assert served.run(served.rows()) == before


@pytest.mark.parametrize("fields", [WIDE, 40])
def test_a_token_form_of_many_fields_is_refused(http: httpx2.Client, fields: int) -> None:
    """A form of ten thousand fields, or of some too many, is no token request."""
    answer = http.post(
        "/oauth2/token",
        content=urlencode([("a", CANARY)] * fields if fields < WIDE else [("a", "")] * 10_000),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert answer.status_code == 400
    assert answer.json() == {"error": "invalid_request"}
