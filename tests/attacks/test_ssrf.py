"""Addresses that lead elsewhere: in the registry, in a provider's metadata, in what sources answer."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from broker.adapters.cases_rest import CasesRest
from broker.adapters.people_rest import PeopleRest
from broker.adapters.register_line import RegisterUnusable
from broker.domain.addresses import address_fault
from broker.domain.errors import RegisterUnavailable
from broker.domain.personal import Personal
from broker.registry import RegistryFaults, read_registry
from connectors import SettingsUnusable, build
from tests.attacks.test_hostile_source import KINDS, LIMITS, NOW, connect, page, read, why
from tests.builders import POLICIES, REGISTRY
from tests.fakes.hostile import hostile
from tests.fakes.systems import reads_of
from tests.lobby import Lobby, open_lobby

CPR = "7102740022"
NOWHERE = [
    "", "jobcenter.example", "//jobcenter.example", "https://", "https:///x", "file:///etc/passwd", "ftp://a.example/",
    "gopher://a.example:70/_x", "unix:/run/docker.sock", "http+unix://%2frun%2fdocker.sock/", "data:text/plain,x",
    "javascript:alert(1)", "https://user:s3cret@a.example", "https://user@a.example", "https://:s3cret@a.example",
    "https://a.example@169.254.169.254", "https://a.example/?x=1", "https://a.example/#x", "https://a.example/?",
    "https://a.example\\@b.example/", "https://a.example\n", "https://a exa.example", "https://[::1", "https://a.example:x",
    "https://a.example:99999", "https://æ.example/", "https://a%2eexample/",
]  # fmt: skip
METADATA = [
    "https://169.254.169.254/latest", "http://169.254.169.254", "https://169.254.169.254.", "https://[fe80::1]",
    "https://[::ffff:169.254.169.254]", "https://[2002:a9fe:a9fe::1]", "https://2852039166", "https://0xa9fea9fe",
    "https://0251.0376.0251.0376", "https://169.254.43518", "https://0xa9.254.169.254", "https://0.0.0.0", "https://[::]",
    "https://0", "https://224.0.0.1", "https://255.255.255.255",
]  # fmt: skip
USUAL = ["https://jobcenter.example", "https://10.1.2.3:8443/api", "http://127.0.0.1:8080", "http://localhost", "https://[::1]/x",
         "https://192.168.4.5", "https://[fd00::5]", "https://a-b.c_d.example/odata/v4"]  # fmt: skip
every_address = pytest.mark.parametrize("address", NOWHERE + METADATA)


@pytest.mark.parametrize("address", USUAL)
def test_where_department_systems_live_is_usual(address: str) -> None:
    """Names, private addresses and loopback can be used."""
    assert address_fault(address) is None


@every_address
@pytest.mark.parametrize("kind", [*KINDS])
def test_no_source_has_such_an_address(kind: str, address: str) -> None:
    """A source is refused before it is asked, also when plain HTTP is allowed; no password is repeated."""
    reads, _ = KINDS[kind]
    for settings in ({"base_url": address}, {"base_url": address, "plain_http": True}):
        with pytest.raises(SettingsUnusable) as caught:
            build(kind, "x", settings, reads, {}, LIMITS, now=lambda: NOW)
        assert "s3cret" not in str(caught.value)


@every_address
def test_no_token_comes_from_such_an_address(address: str) -> None:
    """Nor is a source's token endpoint one of these."""
    settings = {"base_url": "https://a.example", "auth": {"oauth2": {"token_url": address}}, "plain_http": True}
    secrets = {"client_id": "a", "client_secret": "b"}
    with pytest.raises(SettingsUnusable):
        build("rest_json", "x", settings, KINDS["rest_json"][0], secrets, LIMITS, now=lambda: NOW)


@every_address
def test_no_register_has_such_an_address(address: str) -> None:
    """Neither register is asked at one of these."""
    settings = {"base_url": address, "plain_http": True}
    for make in (lambda: PeopleRest("people", settings, {}), lambda: CasesRest("c", settings, {}, now=lambda: NOW)):
        with pytest.raises(RegisterUnusable) as caught:
            make()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "fe80::1", "0xa9fea9fe", "/run/postgresql", "a,169.254.169.254", "0"]
)
def test_no_database_has_such_a_host(host: str) -> None:
    """A source's database is not at a link-local address, nor behind a socket's path, however it is written."""
    written = f"[{host}]" if host.count(":") > 1 else host
    for settings, secrets in (
        ({"host": host, "database": "c", "user": "a", "plain": True}, {"password": "b"}),
        ({"plain": True}, {"dsn": f"postgresql://a:b@{written}/c"}),
        ({"plain": True}, {"dsn": "file://a:b@localhost/c"}),
    ):
        with pytest.raises(SettingsUnusable):
            build("sql_view", "x", settings, reads_of("social_centre"), secrets, LIMITS, now=lambda: NOW)


@every_address
def test_no_provider_has_such_an_issuer(tmp_path: Path, address: str) -> None:
    """A registry whose log-in provider is at one of these is not usable, and says which."""
    raw = copy.deepcopy(REGISTRY)
    raw["providers"] = {"citizen": {"issuer": address, "client_id": "b", "secret": {"env": "X"}}}
    file = tmp_path / "registry.yaml"
    file.write_text(json.dumps(raw), "utf-8")
    with pytest.raises(RegistryFaults) as caught:
        read_registry(file, POLICIES / "tables")
    assert [fault.where for fault in caught.value.found] == ["providers.citizen.issuer"]
    assert "s3cret" not in str(caught.value)


ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/token", "file:///etc/passwd", "http://u:p@127.0.0.1/", "javascript:alert(1)", 7]
)
async def test_a_provider_leads_nowhere_odd(endpoint: str, address: Any) -> None:
    """Metadata that names such an address for anything is not used: nobody is sent there, and no token either."""
    async with open_lobby() as lobby:
        lobby.provider.metadata = {endpoint: address}

        assert await _turned_away(lobby)


async def _turned_away(lobby: Lobby) -> bool:
    answer = await lobby.browser().get("/login/citizen")
    return (answer.status_code, answer.json()["what"]) == (401, "provider_unavailable")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_register_s_redirect_is_not_followed(status: int) -> None:
    """A register that points elsewhere gave no answer, and the number goes nowhere else."""
    seen: list[str] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        return web.json_response({})

    async with hostile(elsewhere) as other:

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": f"{other.address}/cpr/person"})

        async with hostile(answer) as server, PeopleRest("people", {"base_url": server.address}, {}) as people:
            with pytest.raises(RegisterUnavailable):
                await people.person(Personal(CPR))
            assert len(server.seen) == 1
    assert seen == []


async def test_links_inside_fhir_records_are_not_followed() -> None:
    """References, attachments, contained resources, profiles and other relations than the next page are only text."""
    evil = "http://169.254.169.254/latest/meta-data"

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/Patient/_search"):
            return web.json_response(page("fhir", [{"resourceType": "Patient", "id": "p1"}], None))
        record = {
            "resourceType": "Observation",
            "id": "o1",
            "subject": {"reference": "Patient/p1", "display": evil},
            "implicitRules": evil,
            "meta": {"profile": [evil], "source": evil},
            "contained": [{"resourceType": "Binary", "url": evil}],
            "derivedFrom": [{"reference": f"{evil}/Media/1"}],
            "valueAttachment": {"url": evil, "contentType": "text/plain"},
            "extension": [{"url": evil, "valueUri": evil}],
        }
        bundle = page("fhir", [record], None)
        relations = ("self", "previous", "first", "last", "alternate", "search")
        bundle["link"] = [{"relation": one, "url": evil} for one in relations] + [{"url": evil}, {"relation": ["next"]}]
        bundle["entry"].append(
            {"fullUrl": evil, "resource": {"resourceType": "OperationOutcome"}, "response": {"location": evil}}
        )
        return web.json_response(bundle)

    async with hostile(answer) as server:
        await read(connect("fhir", server), KINDS["fhir"][1])
        asked = [path for _, path, _ in server.seen]
    assert set(asked) <= {"/api/Patient/_search", "/api/Observation/_search"}
    assert len(asked) == 2


@pytest.mark.parametrize(
    "own_id", ["p1,Patient/p2", "p1&_include=*", "../p1", "p1/_history", "p 1", "p1|x", "", "x" * 65, 7, None]
)
async def test_a_fhir_id_that_would_bend_the_search_is_refused(own_id: Any) -> None:
    """What a FHIR server calls the patient goes into the next search only when it is a FHIR id."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(page("fhir", [{"resourceType": "Patient", "id": own_id}], None))

    async with hostile(answer) as server:
        assert await why(connect("fhir", server), KINDS["fhir"][1]) == "unreadable"
        assert len(server.seen) == 1
