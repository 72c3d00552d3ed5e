"""The door `Policy`: what every engine keeps, and how an OPA server that fails in any way means no."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from broker.adapters.policy_embedded import EmbeddedPolicy
from broker.adapters.policy_opa import OpaPolicy
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from broker.domain.errors import PolicyBroken, PolicyUnavailable
from broker.policy_tables import PolicyFaults, Rules, load_rules
from broker.ports import Policy
from tests.model.engines import ENGINES, RULES, TABLES, PlainPolicy, opa_on_path
from tests.model.questions import POLICIES, key, line, question, tables

ASKED = question(key("socialcenter", "S01"), key("jobcenter", "B01"), consents=[line("socialcenter", "S01")])
NO_TABLES = [
    {"purposes": {}},
    {"categories": {}},
    {"sources": {}},
    {"units": {}},
    {"statutes": {}},
    {"reasons": {}},
    {"settings": None},
    {"purposes": {"p": {"basis": "wish", "categories": [], "consent_bases": [], "statutes": []}}},
    {"purposes": {"p": {"basis": "consent", "categories": ["F04"], "consent_bases": [], "statutes": []}}},
    {"purposes": {"p": {"basis": "consent", "categories": ["X99"], "consent_bases": [], "statutes": []}}},
    {"purposes": {"p": {"basis": "statute", "categories": [], "consent_bases": [], "statutes": ["RSL-11c"]}}},
    {"sources": {"s": {"unit": "nowhere", "municipality": "korsbaek", "categories": []}}},
    {"sources": {"s": {"unit": "skole", "municipality": "korsbaek", "categories": ["X99"]}}},
]


@asynccontextmanager
async def opened(engine: str) -> AsyncIterator[Policy]:
    """Open one engine for one test."""
    if engine == "plain":
        policy: Any = PlainPolicy(TABLES)
    elif engine == "embedded":
        policy = await EmbeddedPolicy.open(RULES, TABLES)
    else:
        policy = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES)
    try:
        yield policy
    finally:
        await policy.close()


@asynccontextmanager
async def answering(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """Stand in for an OPA server; give its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def ask(url: str, **settings: Any) -> Any:
    """Ask the server at this address once."""
    policy = await OpaPolicy.open(url, RULES, TABLES, **settings)
    try:
        return await policy.decide(ASKED)
    finally:
        await policy.close()


@pytest.mark.parametrize("engine", ENGINES)
async def test_answers(engine: str) -> None:
    """Every engine answers each key once, and says who answered and by which rules."""
    async with opened(engine) as policy:
        decision = await policy.decide(ASKED)

    assert [verdict.outcome for verdict in decision.verdicts] == ["release", "release"]
    assert engine in decision.mark.engine
    assert decision.mark.revision.startswith("sha256:")


async def test_one_revision_for_all() -> None:
    """Every engine answers for the same revision of rules and tables."""
    revisions = set()
    for engine in ENGINES:
        async with opened(engine) as policy:
            revisions.add((await policy.decide(ASKED)).mark.revision)

    assert len(revisions) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "damage",
    [{"keys": []}, {"today": "20190304"}, {"blocks": None}, {"related": None}, {"consents": [{}]}, {"extra": 1}],
)
async def test_a_malformed_question_is_no_question(engine: str, damage: dict[str, Any]) -> None:
    """A question of another shape never reaches an engine."""
    async with opened(engine) as policy:
        with pytest.raises(PolicyBroken):
            await policy.decide(ASKED | damage)


@pytest.mark.parametrize("damage", NO_TABLES)
def test_bad_tables_refuse_to_load(damage: dict[str, Any]) -> None:
    """Empty or contradictory tables open nothing."""
    with pytest.raises(PolicyFaults):
        EmbeddedPolicy(RULES, tables(**damage))


def test_a_purpose_beside_ours_may_not_name_what_is_never_shared() -> None:
    """Tables that are sound but for one purpose's one category do not load, and say which it is."""
    row = TABLES["consent_bases"]["RSL-11a-1"] | {"purposes": {"p": ["S01"]}}
    laws = {**TABLES["consent_bases"], "LOV": row}
    plain = {"categories": ["S01"], "consent_bases": ["LOV"], "statutes": [], "basis": "consent"}
    sound = TABLES["purposes"]["helhedsorienteret_plan"] | plain
    EmbeddedPolicy(RULES, tables(purposes={**TABLES["purposes"], "p": sound}, consent_bases=laws))

    wider = {**TABLES["purposes"], "p": sound | {"categories": ["S01", "F04"]}}
    with pytest.raises(PolicyFaults) as caught:
        EmbeddedPolicy(RULES, tables(purposes=wider, consent_bases=laws))

    assert caught.value.faults == ["purposes/p: F04 is never shared"]


@pytest.mark.parametrize(
    "body", ["decision := {", "decision := nothing_of_the_kind", "decision := other\n\nother := decision"]
)
async def test_rules_that_do_not_compile(tmp_path: Path, body: str) -> None:
    """Rules that cannot be read or run open nothing, in the embedded engine and in OPA."""
    rules = written(tmp_path, body)

    with pytest.raises(PolicyFaults):
        EmbeddedPolicy(rules, TABLES)
    with pytest.raises(PolicyUnavailable):
        await SpawnedOpaPolicy.open(opa_on_path(), rules, TABLES)


def test_no_rules_no_policy(tmp_path: Path) -> None:
    """A folder without the entry point opens nothing."""
    with pytest.raises(PolicyFaults):
        load_rules(tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        "broken := 1",
        'decision := {"schema": "borgerbro/decision/1", "verdicts": []}',
        'decision := {"schema": "borgerbro/decision/2", "verdicts": []}',
        "decision := {key | some key in input.keys}",
        "decision := floor(input.ask.id)",
    ],
)
async def test_rules_that_give_no_decision(tmp_path: Path, body: str) -> None:
    """An undefined, an empty, a foreign and a failing decision are all `PolicyBroken` in the embedded engine."""
    try:
        policy = EmbeddedPolicy(written(tmp_path, body), TABLES)
    except PolicyFaults:
        assert body.startswith("broken")  # Where the entry point is missing, the engine does not even open.
        return

    with pytest.raises(PolicyBroken):
        await policy.decide(ASKED)


def written(folder: Path, body: str) -> Rules:
    """Write rules of one line, with the schemas of ours beside them."""
    (folder / "decision.rego").write_text(f"package broker.share\n\n{body}\n")
    for name in ("question.schema.json", "decision.schema.json", ".manifest"):
        (folder / name).write_text((POLICIES / name).read_text())
    return load_rules(folder)


def test_embedded_in_many_threads() -> None:
    """The embedded engine answers alike from any thread, each with an engine of its own."""
    policy = EmbeddedPolicy(RULES, TABLES)

    with ThreadPoolExecutor(4) as threads:
        answers = {threads.submit(asyncio.run, policy.decide(ASKED)) for _ in range(16)}

    assert len({answer.result() for answer in answers}) == 1


async def _hang(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


async def _fail(_: web.Request) -> web.StreamResponse:
    return web.json_response({"code": "internal_error"}, status=500)


def _says(body: Any) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text=body if isinstance(body, str) else json.dumps(body), content_type="application/json")

    return answer


OURS = {"version": "1.21.3", "bundles": {"b": {"revision": EmbeddedPolicy(RULES, TABLES).mark.revision}}}
EMPTY = {"schema": "borgerbro/decision/1", "verdicts": []}
FAILING = {
    "hangs": (_hang, PolicyUnavailable),
    "says 500": (_fail, PolicyUnavailable),
    "says no JSON": (_says("<html>"), PolicyBroken),
    "says a list": (_says([]), PolicyBroken),
    "says nothing": (_says({}), PolicyBroken),
    "undefined": (_says({"provenance": OURS}), PolicyBroken),
    "no verdicts": (_says({"provenance": OURS, "result": EMPTY}), PolicyBroken),
    "a foreign schema": (_says({"provenance": OURS, "result": {"allow": True}}), PolicyBroken),
    "another revision": (_says({"provenance": {"version": "1", "bundles": {"b": {}}}, "result": EMPTY}), PolicyBroken),
    "no provenance": (_says({"result": EMPTY}), PolicyBroken),
}


@pytest.mark.parametrize("name", FAILING)
async def test_a_server_that_fails_means_no(name: str) -> None:
    """Whatever a server does wrong, the answer is no: after one request, and whatever a slow one says later."""
    answer, error = FAILING[name]
    requests = []

    async def counted(request: web.Request) -> web.StreamResponse:
        requests.append(request.path)
        return await answer(request)

    async with answering(counted) as url:
        with pytest.raises(error):
            await ask(url)

    assert requests == ["/v1/data/broker/share/decision"]


async def test_no_server_means_no() -> None:
    """Where nothing listens, the answer is no."""
    with pytest.raises(PolicyUnavailable):
        await ask("http://127.0.0.1:9")


@pytest.mark.parametrize("url", ["ftp://opa", "opa:8181", "http://", "http://opa/v1"])
def test_an_address_that_is_none(url: str) -> None:
    """An address that is not a server's root is refused when the house opens."""
    with pytest.raises(ValueError, match="address"):
        OpaPolicy(url, RULES, TABLES)


async def test_opa_answers_the_broker_alone() -> None:
    """Our OPA answers nobody without the token, and nothing but the decision and its health."""
    policy = await SpawnedOpaPolicy.open(opa_on_path(), RULES, TABLES)
    try:
        token = {"Authorization": policy.client._courier._headers["authorization"]}
        wrong = {"Authorization": f"Bearer {'x' * 43}"}
        root = policy.client.url
        seen = {}
        async with aiohttp.ClientSession() as session:
            for name, method, path, headers in (
                ("health", "GET", "/health", {}),
                ("decision without token", "POST", "/v1/data/broker/share/decision", {}),
                ("decision with another's token", "POST", "/v1/data/broker/share/decision", wrong),
                ("ad-hoc query", "POST", "/v1/query", token),
                ("other data", "POST", "/v1/data/tables", token),
                ("read policies", "GET", "/v1/policies", token),
                ("write policy", "PUT", "/v1/policies/x", token),
                ("write data", "PUT", "/v1/data/tables", token),
            ):
                async with session.request(method, root + path, json={}, headers=headers) as answer:
                    seen[name] = answer.status
    finally:
        await policy.close()

    assert seen.pop("health") == 200
    assert set(seen.values()) == {401}


async def test_a_dead_opa_means_no() -> None:
    """When our OPA is gone, the next answer is no; closing then still works."""
    async with opened("opa") as policy:
        assert isinstance(policy, SpawnedOpaPolicy)
        assert policy.server.stdin is not None
        policy.server.stdin.close()
        await policy.server.wait()

        with pytest.raises(PolicyUnavailable):
            await policy.decide(ASKED)


def test_opa_ends_with_the_broker(tmp_path: Path) -> None:
    """When the broker is killed outright, its OPA goes too."""
    told = tmp_path / "url"
    # Who is killed takes nothing away: what it leaves shall lie with the test's own files.
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", BROKER, str(opa_on_path()), str(told)]
    broker = subprocess.Popen(command, cwd=POLICIES.parent, env=environment)
    while not (told.exists() and told.read_text()):
        assert broker.poll() is None
        time.sleep(0.02)
    port = int(told.read_text())
    assert _listens(port)

    broker.kill()
    broker.wait()

    give_up = time.monotonic() + 30
    while _listens(port):
        assert time.monotonic() < give_up
        time.sleep(0.02)


BROKER = """
import asyncio, pathlib, sys
from broker.adapters.policy_opa_spawned import SpawnedOpaPolicy
from tests.model.engines import RULES, TABLES

async def main():
    policy = await SpawnedOpaPolicy.open(pathlib.Path(sys.argv[1]), RULES, TABLES)
    pathlib.Path(sys.argv[2]).write_text(str(policy.client.url.rpartition(":")[2]))
    await asyncio.sleep(60)

asyncio.run(main())
"""


def _listens(port: int) -> bool:
    """Tell whether anything listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
