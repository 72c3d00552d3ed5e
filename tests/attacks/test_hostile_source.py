"""A source that was taken over gets nothing from us and gives us nothing but what was asked (P4, P5, P12)."""

from __future__ import annotations

import asyncio
import gzip
import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from broker.domain.errors import SourceFailed
from broker.domain.items import Item
from broker.domain.personal import Personal
from connectors import Connector, Dropped, Limits, SettingsUnusable, build
from connectors.guard import Errand
from connectors.mapping import Read
from connectors.rest_json import RestJson
from connectors.sql_view import statement
from tests.fakes.hostile import Answer, HostileServer, hostile
from tests.fakes.systems import reads_of

CPR = "7102740022"
OTHER = "8009064011"
NOW = datetime(2019, 3, 4, 9, 0, tzinfo=UTC)
LIMITS = Limits(deadline_seconds=1.0, most_bytes=20_000, most_failures=100)
SECRETS = {"api_key": "key-c"}

FIND = {"path": "/find", "body": {"cpr": "{cpr}"}, "id": "id"}
ITEM = {"kind": {"value": "plan"}, "id": "id", "unit": {"value": "Enheden"}, "title": "titel"}
REST_READS = {
    "B01": [
        {
            "ask": {"method": "POST", "path": "/plans", "body": {"cpr": "{cpr}"}, "pages": {"next": "next"}},
            "records": "data",
            "person": "cpr",
            "keep": "art == 'plan'",
            "item": ITEM,
        }
    ]
}
KINDS: dict[str, Any] = {
    "rest_json": (REST_READS, "B01"),
    "odata": (reads_of("family_centre"), "F01"),
    "fhir": (reads_of("health"), "H01"),
}
MARK = "slidgigt i venstre hofte"


def connect(
    kind: str, server: HostileServer, dropped: list[Dropped] | None = None, limits: Limits = LIMITS
) -> Connector:
    """Make a connector of a kind that leads to the hostile server."""
    reads, _ = KINDS[kind]
    return build(
        kind, "jobcentre", {"base_url": f"{server.address}/api"}, reads, SECRETS, limits,
        now=lambda: NOW, report=None if dropped is None else dropped.append,
    )  # fmt: skip


async def read(source: Connector, *categories: str, cpr: str = CPR) -> tuple[Item, ...]:
    """Read once over an opened connector."""
    async with source:
        return await source.read(Personal(cpr), "person-1", frozenset(categories))


async def why(source: Connector, *categories: str, cpr: str = CPR) -> str:
    """Read, expect the failure, and see that nothing of the source's text hangs on it."""
    with pytest.raises(SourceFailed) as caught:
        await read(source, *categories, cpr=cpr)
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.args)
    assert MARK not in told
    assert CPR not in told
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return caught.value.why


async def outcome(source: Connector, category: str) -> str:
    """Read, and give the word of the failure, or how much came."""
    try:
        items = await read(source, category)
    except SourceFailed as failed:
        return failed.why
    return "items" if items else "nothing"


def saying(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """Answer always the same."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=raw, status=status, headers=headers, content_type="application/json")

    return answer


def page(kind: str, records: list[Any], following: str | None) -> dict[str, Any]:
    """Write one page of an answer as each kind writes it."""
    match kind:
        case "odata":
            return {"value": records} | ({"@odata.nextLink": following} if following else {})
        case "fhir":
            links = [{"relation": "next", "url": following}] if following else []
            return {"resourceType": "Bundle", "link": links, "entry": [{"resource": one} for one in records]}
    return {"data": records, "next": following}


def patient_then(kind: str, answer: Answer) -> Answer:
    """Let FHIR's first search find the patient, so that the attack meets the search for records."""

    async def both(request: web.Request) -> web.StreamResponse:
        if kind == "fhir" and request.path.endswith("/Patient/_search"):
            return web.json_response(page("fhir", [{"resourceType": "Patient", "id": "p1"}], None))
        return await answer(request)

    return both


every_kind = pytest.mark.parametrize("kind", list(KINDS))


@every_kind
async def test_a_next_link_to_another_host_is_not_followed(kind: str) -> None:
    """A link that leads elsewhere fails the read, and nobody there hears of it (SSRF)."""
    async with hostile(saying({})) as elsewhere:
        for link in (
            f"{elsewhere.address}/api/x",
            f"//{elsewhere.address.removeprefix('http://')}/api/x",
            "http://169.254.169.254/api/meta",
            "file:///etc/passwd",
            "http://user:pass@HOST/api/x",
            "HOST/other/x",
            "HOST/api/../other",
            "HOST/api/%2e%2e/other",
            "HOST/api/%252e%252e/other",
            "HOST/apix",
            "http://[",
        ):
            hosted: list[str] = []

            async def answer(_: web.Request, link: str = link, hosted: list[str] = hosted) -> web.StreamResponse:
                return web.json_response(
                    page(kind, [], link.replace("http://user:pass@HOST", hosted[1]).replace("HOST", hosted[0]))
                )

            async with hostile(patient_then(kind, answer)) as server:
                hosted += [server.address, server.address.replace("http://", "http://user:pass@")]
                assert await why(connect(kind, server), KINDS[kind][1]) in {"refused", "unreadable"}
                asked = len(server.seen)
        assert asked <= 2
        assert elsewhere.seen == []


@every_kind
@pytest.mark.parametrize("form", [CPR, "710274-0022", "%37102740022", "%2537102740022", "710274%2D0022"])
async def test_a_link_with_the_number_in_it_is_not_followed(kind: str, form: str) -> None:
    """A source cannot make us put the number into a URL, however it is written."""
    hosted: list[str] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(page(kind, [], f"{hosted[0]}/api/x?cpr={form}"))

    async with hostile(patient_then(kind, answer)) as server:
        hosted.append(server.address)
        assert await why(connect(kind, server), KINDS[kind][1]) == "refused"
    assert all(CPR not in path and "710274-0022" not in path for _, path, _ in server.seen)


@every_kind
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(kind: str, status: int) -> None:
    """A redirect is a refusal; the number is not sent on."""
    async with hostile(saying({})) as elsewhere:
        async with hostile(saying(b"", status, {"Location": f"{elsewhere.address}/api/x"})) as server:
            assert await why(connect(kind, server), KINDS[kind][1]) == "refused"
        assert (len(server.seen), elsewhere.seen) == (1, [])


@every_kind
async def test_pages_without_end_are_stopped(kind: str) -> None:
    """A source whose next page is always there is stopped by the number of answers."""
    hosted: list[str] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(page(kind, [], f"{hosted[0]}/api/again"))

    async with hostile(patient_then(kind, answer)) as server:
        hosted.append(server.address)
        limits = Limits(deadline_seconds=5.0, most_answers=7)
        assert await why(connect(kind, server, limits=limits), KINDS[kind][1]) == "too_much"
        assert len(server.seen) == 7


@every_kind
async def test_an_answer_without_end_is_stopped(kind: str) -> None:
    """A body that streams for ever is cut at the limit of bytes: it is too much, and not too late."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * 4096)
        except ConnectionError:
            return response

    async with hostile(patient_then(kind, answer)) as server:
        limits = Limits(deadline_seconds=20.0, most_bytes=100_000)
        assert await why(connect(kind, server, limits=limits), KINDS[kind][1]) == "too_much"


@every_kind
async def test_a_body_that_drips_is_stopped_by_the_deadline(kind: str) -> None:
    """One byte at a time does not keep the read alive past its deadline."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" ")
                await asyncio.sleep(0.02)
        except (ConnectionError, asyncio.CancelledError):
            return response

    async with hostile(patient_then(kind, answer)) as server, asyncio.timeout(20):
        assert await why(connect(kind, server, limits=Limits(deadline_seconds=0.3)), KINDS[kind][1]) == "timeout"


BROKEN = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"\xff\xfe",
    b"<html>slidgigt i venstre hofte</html>",
    b"[" * 9000,
    b'{"a":' * 5000,
    b'{"data": {"id": "x"}}',
    b'{"data": 7, "value": 7, "entry": 7, "resourceType": "Bundle"}',
    b'{"resourceType": "Bundle", "entry": [7, null, {"resource": 7}], "value": "x", "data": "x"}',
    b'{"data": [], "value": [], "next": {}, "@odata.nextLink": 7, "link": [7], "resourceType": "Bundle"}',
    b'{"resourceType": "Bundle", "link": {"relation": "next"}, "value": {}, "data": {}}',
]


@every_kind
@pytest.mark.parametrize("raw", BROKEN)
async def test_a_broken_answer_is_nothing_or_a_failure(kind: str, raw: bytes) -> None:
    """Whatever is no answer of the kind gives no items, or fails in our words; never an error of another name."""
    async with hostile(patient_then(kind, saying(raw))) as server:
        assert await outcome(connect(kind, server), KINDS[kind][1]) in {"nothing", "unreadable", "refused", "too_much"}


class Unforeseen(RestJson):
    """A source whose records are like nothing anybody foresaw."""

    async def _read(self, errand: Errand, own_id: str, read: Read) -> list[Any]:
        return [_Thorn()]


class _Thorn(dict[str, Any]):
    """A record that fails whoever looks into it, with words of its own."""

    def get(self, *_: Any) -> Any:
        """Fail as no record should."""
        raise ArithmeticError(MARK)

    __getitem__ = get


async def test_a_record_nobody_foresaw_is_this_sources_trouble_alone() -> None:
    """Whatever a record does to the mapping, the read fails in our words and the ask goes on without the source."""
    source = Unforeseen("jobcentre", {"base_url": "http://127.0.0.1:9"}, REST_READS, {}, LIMITS, now=lambda: NOW)
    assert await why(source, "B01") == "unreadable"
    assert source.condition.reads["unreadable"] == 1


async def test_a_compressed_bomb_is_not_unpacked() -> None:
    """A small answer that would unpack to much is not unpacked at all."""
    bomb = gzip.compress(b" " * 50_000_000)
    limits = Limits(deadline_seconds=5.0, most_bytes=200_000)
    async with hostile(saying(bomb, headers={"Content-Encoding": "gzip"})) as server:
        assert await why(connect("rest_json", server, limits=limits), "B01") == "unreadable"
    assert server.headers[0]["accept-encoding"] == "identity"


async def test_records_of_somebody_else_are_dropped_and_counted() -> None:
    """A record about another person, of another category or misshapen is dropped; the rest stands as without it."""
    good = {"cpr": "710274-0022", "id": "1", "titel": MARK, "art": "plan"}
    bad = [
        {**good, "cpr": OTHER},
        {**good, "cpr": None},
        {**good, "cpr": {"x": CPR}},
        {**good, "art": "underretning"},
        {**good, "id": None},
        {**good, "id": {"deep": "x"}},
        {**good, "titel": ["x"]},
        7,
        None,
        "x",
    ]
    dropped: list[Dropped] = []
    async with hostile(saying({"data": [bad[0], good, *bad[1:]]})) as server:
        items = await read(connect("rest_json", server, dropped), "B01")
    async with hostile(saying({"data": [good]})) as honest:
        same = await read(connect("rest_json", honest), "B01")

    assert items == same
    assert [item.id.disclose() for item in items] == ["1"]
    assert {(one.category, one.why, one.count) for one in dropped} == {
        ("B01", "other_person", 6),
        ("B01", "other_category", 1),
        ("B01", "malformed", 3),
    }
    assert MARK not in repr(dropped) + repr(items)


async def test_a_patient_of_another_number_gives_nothing() -> None:
    """FHIR resources that refer to another patient than the one found are dropped."""
    dropped: list[Dropped] = []
    records = [
        {"resourceType": "Observation", "id": "x", "subject": {"reference": f"Patient/{one}"}} for one in ("p2", "p11")
    ]
    async with hostile(patient_then("fhir", saying(page("fhir", records, None)))) as server:
        assert await read(connect("fhir", server, dropped), "H01") == ()
    assert [(one.why, one.count) for one in dropped] == [("other_person", 2)]


async def test_two_patients_with_one_number_fail() -> None:
    """Whose records they are cannot be told, so none are taken."""
    two = page("fhir", [{"resourceType": "Patient", "id": "p1"}, {"resourceType": "Patient", "id": "p2"}], None)
    async with hostile(saying(two)) as server:
        assert await why(connect("fhir", server), "H01") == "unreadable"


@pytest.mark.parametrize(
    "own_id", ["../x", "a/b", "a?b=1", "a#b", "", " ", ".", "..", "x" * 200, {"a": 1}, CPR, "710274-0022"]
)
async def test_an_id_that_would_bend_the_path_is_refused(own_id: Any) -> None:
    """What a source calls a person goes into a path only when it is a plain id, and never when it is the number."""
    reads = {
        "B01": [{"ask": {"method": "GET", "path": "/c/{id}/plans"}, "records": "data", "person": False, "item": ITEM}]
    }
    async with hostile(saying({"id": own_id, "data": []})) as server:
        source = build(
            "rest_json", "jobcentre", {"base_url": server.address, "find": FIND}, reads, {}, LIMITS, now=lambda: NOW
        )
        assert await why(source, "B01") in {"unreadable", "refused"}
    assert [method for method, _, _ in server.seen] == ["POST"]


@pytest.mark.parametrize(
    "cpr",
    [
        "' or 1 eq 1 or Cpr eq '",
        "7102740022' --",
        "710274002",
        "71027400222",
        "７１０２７４００２２",
        "7102740022\n",
        "",
    ],
)
@every_kind
async def test_a_subject_that_is_no_number_is_never_sent(kind: str, cpr: str) -> None:
    """OData, SQL or FHIR syntax in place of a number reaches no source."""
    async with hostile(saying({})) as server:
        source = connect(kind, server)
        async with source:
            with pytest.raises(SourceFailed):
                await source.read(Personal(cpr), "person-1", frozenset({KINDS[kind][1]}))
        assert server.seen == []


@pytest.mark.parametrize("name", ['x"; DROP TABLE y; --', "X", "a.b.c", "a b", "", "1a"])
def test_a_name_with_sql_in_it_is_no_setting(name: str) -> None:
    """Names of views and columns are words, whoever wrote the registry."""
    ask = {"view": "udveksling.s01", "columns": ["a"], "person_column": "cpr"}
    for spoiled in ({**ask, "view": name}, {**ask, "columns": [name]}, {**ask, "person_column": name}):
        with pytest.raises(SettingsUnusable):
            build(
                "sql_view", "x", {}, {"S01": [{"ask": spoiled, "person": "cpr", "item": ITEM}]},
                {"dsn": "postgresql://a:b@localhost/c"}, LIMITS, now=lambda: NOW,
            )  # fmt: skip


def test_every_statement_only_selects() -> None:
    """The one statement we can write is a SELECT with its three values bound."""
    sql = statement({"view": "udveksling.s01_indsatser", "columns": ["cpr", "kle"], "person_column": "cpr"})
    assert '"udveksling"."s01_indsatser"' in sql
    assert all(f"${number}" in sql for number in (1, 2, 3))
    assert not any(word in sql.upper() for word in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "COPY", ";"))


@every_kind
async def test_only_questions_are_sent(kind: str) -> None:
    """Nothing but GET and POST to query paths goes out: no connector has another verb (decision 12)."""
    hosted: list[str] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        following = f"{hosted[0]}/api/more" if len(server.seen) < 4 else None
        return web.json_response(page(kind, [], following))

    async with hostile(patient_then(kind, answer)) as server:
        hosted.append(server.address)
        assert await read(connect(kind, server), KINDS[kind][1]) == ()
    posts = {path for method, path, _ in server.seen if method == "POST"}
    assert {method for method, _, _ in server.seen} <= {"GET", "POST"}
    assert posts <= {"/api/plans", "/api/Indsats/$query", "/api/Patient/_search", "/api/Observation/_search"}


async def test_cookies_are_not_kept() -> None:
    """A source cannot mark us: what it sets is not sent back."""
    async with hostile(saying({"data": []}, headers={"Set-Cookie": "who=us"})) as server:
        source = connect("rest_json", server)
        async with source:
            for _ in range(2):
                await source.read(Personal(CPR), "person-1", frozenset({"B01"}))
    assert all("cookie" not in headers for headers in server.headers)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment cannot lead our questions to somebody else."""
    async with hostile(saying({"data": []})) as elsewhere, hostile(saying({"data": []})) as server:
        monkeypatch.setenv("HTTP_PROXY", elsewhere.address)
        monkeypatch.setenv("http_proxy", elsewhere.address)
        assert await read(connect("rest_json", server), "B01") == ()
        assert (len(server.seen), elsewhere.seen) == (1, [])


async def test_a_source_that_hangs_up_is_unreachable() -> None:
    """A connection closed without a word fails the read, after one more try."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async with hostile(answer) as server:
        assert await why(connect("rest_json", server), "B01") == "unreachable"
        assert len(server.seen) <= 2


async def test_nobody_there_is_unreachable() -> None:
    """A port where nobody listens fails the read at once."""
    async with hostile(saying({})) as server:
        gone = server.address
    assert await why(connect("rest_json", HostileServer(gone)), "B01") == "unreachable"


async def test_one_broken_source_is_left_alone_and_tried_again() -> None:
    """After failures in a row the source is not asked for a while; then one read tries, and its success opens again."""
    healthy: list[bool] = []

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"data": []}, status=200 if healthy else 500)

    limits = Limits(deadline_seconds=1.0, most_failures=3, rest_seconds=0.3)
    async with hostile(answer) as server, connect("rest_json", server, limits=limits) as source:

        async def one() -> str:
            try:
                await source.read(Personal(CPR), "person-1", frozenset({"B01"}))
            except SourceFailed as failed:
                return failed.why
            return "answered"

        assert [await one() for _ in range(5)] == ["refused"] * 3 + ["unreachable"] * 2
        assert len(server.seen) == 3
        healthy.append(True)
        await asyncio.sleep(0.35)
        assert [await one() for _ in range(2)] == ["answered"] * 2


async def test_a_slow_source_takes_no_more_than_its_places() -> None:
    """Reads beyond the places wait, within their own deadline; the source never sees more at once."""
    at_once: list[int] = [0, 0]

    async def answer(_: web.Request) -> web.StreamResponse:
        at_once[0] += 1
        at_once[1] = max(at_once)
        await asyncio.sleep(0.1)
        at_once[0] -= 1
        return web.json_response({"data": []})

    limits = Limits(deadline_seconds=0.35, most_at_once=2, most_failures=100)
    async with hostile(answer) as server, connect("rest_json", server, limits=limits) as source:
        asked = [source.read(Personal(CPR), "person-1", frozenset({"B01"})) for _ in range(12)]
        answers = await asyncio.gather(*asked, return_exceptions=True)

    failed = [one for one in answers if isinstance(one, SourceFailed)]
    assert at_once[1] <= 2
    assert {one.why for one in failed} == {"timeout"}
    assert 4 <= len(answers) - len(failed) <= 8


async def test_a_source_that_hangs_takes_no_place_of_another() -> None:
    """While as many reads hang as one source has places, and more wait, every read of another source is answered."""
    gone = asyncio.Event()

    async def never(_: web.Request) -> web.StreamResponse:
        await gone.wait()
        return web.json_response({"data": []})

    limits = Limits(deadline_seconds=60.0, most_at_once=2, most_failures=100)
    async with hostile(never) as ill, hostile(saying({"data": []})) as well:
        async with connect("rest_json", ill, limits=limits) as sick, connect("rest_json", well, limits=limits) as other:
            hanging = [asyncio.create_task(_ask(sick)) for _ in range(6)]
            while len(ill.seen) < 2:
                await asyncio.sleep(0.01)
            assert [await _ask(other) for _ in range(6)] == [()] * 6
            # Nobody gave up meanwhile: the six were answered beside reads that hang and reads that wait.
            assert [one.done() for one in hanging] == [False] * 6
            assert (sick.condition.under_way, len(ill.seen)) == (2, 2)
            for one in hanging:
                one.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            assert sick.condition.under_way == 0
        gone.set()


async def _ask(source: Connector) -> tuple[Item, ...]:
    return await source.read(Personal(CPR), "person-1", frozenset({"B01"}))


def test_plain_http_to_another_machine_is_no_setting() -> None:
    """A number is not sent in the clear over a network unless the registry says so in so many words."""
    for settings in ({"base_url": "http://jobcenter.example"}, {"base_url": "ftp://jobcenter.example"}):
        with pytest.raises(SettingsUnusable):
            build("rest_json", "x", settings, REST_READS, {}, LIMITS, now=lambda: NOW)
    with pytest.raises(SettingsUnusable, match="tls"):
        build(
            "sql_view",
            "x",
            {},
            reads_of("social_centre"),
            {"dsn": "postgresql://a:b@db.example/c"},
            LIMITS,
            now=lambda: NOW,
        )


@pytest.mark.parametrize("place", ["path", "query"])
def test_a_number_in_a_url_is_no_setting(place: str) -> None:
    """A mapping cannot put the number into a path or a query."""
    spoiled: dict[str, Any] = {"path": "/plans/{cpr}"} if place == "path" else {"query": {"cpr": "{cpr}"}}
    ask = {"method": "GET", "path": "/plans"} | spoiled
    reads = {"B01": [{"ask": ask, "records": "data", "person": False, "item": ITEM}]}
    with pytest.raises(SettingsUnusable):
        build("rest_json", "x", {"base_url": "https://a.example"}, reads, {}, LIMITS, now=lambda: NOW)
