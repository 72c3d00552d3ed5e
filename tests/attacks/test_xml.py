"""XML that bombs or reads files: none is parsed wherever it comes from, but for an employer's SAML (`test_saml`)."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from broker.adapters.cases_rest import CasesRest
from broker.adapters.people_rest import PeopleRest
from broker.domain.errors import RegisterUnavailable
from broker.domain.personal import Personal
from demo.postgres import PrivatePostgres
from tests.attacks.test_hostile_source import KINDS, NOW, connect, why
from tests.attacks.test_input import a_clear_problem
from tests.fakes.hostile import Answer, hostile
from tests.front import open_front
from tests.house.source import Module, imported_names, parse, whole_tree
from tests.nodes import open_town

SECRET = "root-of-all-files"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "CANARY-7102740022">'
    + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    + "]><x>&a9;</x>"
)
DOCUMENTS = {
    "a bomb": BOMB,
    "a file": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file://FILE">]><x><id>1</id>&f;</x>',
    "an address": '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "ADDRESS/dtd">]><x>&f;</x>',
    "a DTD elsewhere": '<?xml version="1.0"?><!DOCTYPE x SYSTEM "ADDRESS/dtd"><x/>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "ADDRESS/dtd"> %p;]><x/>',
    "an inclusion": '<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file://FILE" parse="text"/></x>',
    "a style sheet": '<?xml-stylesheet type="text/xsl" href="ADDRESS/xsl"?><x/>',
    "an envelope": '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><x/></s:Body></s:Envelope>',
    "in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><x/>',
}
TYPES = ["application/xml", "text/xml", "application/soap+xml", "application/fhir+xml", "application/atom+xml"]
# What could read XML. Whoever needs one of these brings an attack test of its own and is named below.
READERS = ("xml", "lxml", "defusedxml", "xmltodict", "bs4", "html5lib", "zeep", "xmlschema", "signxml", "feedparser")

# Letters to Digital Post are written as XML, and nothing is read there.
WRITERS = {"broker/adapters/notices_memo.py"}
READING = {"fromstring", "fromstringlist", "iterparse", "parse", "XML", "XMLID", "XMLParser", "XMLPullParser"}


def reads(module: Module) -> bool:
    """Tell whether a module names anything that reads XML."""
    return bool(READING & {node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)})


def written(document: str, file: Path, address: str) -> bytes:
    """Point a document at a file that exists and an address that listens."""
    told = document.replace("FILE", str(file)).replace("ADDRESS", address)
    return told.encode("utf-16" if "UTF-16" in document else "utf-8")


def a_file(folder: Path) -> Path:
    """Write the file that must not be read."""
    file = folder / "secret.txt"
    file.write_text(SECRET, "utf-8")
    return file


def saying(body: bytes, kind: str) -> Answer:
    """Answer with XML."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Type": kind})

    return answer


async def test_a_caller_s_xml_is_refused_unread(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """Every face that takes a body refuses each document under each type; no file and no address is read for it."""
    file = a_file(tmp_path)
    faces = [
        "/v1/exchange",
        "/v1/views",
        "/v1/consent-requests",
        "/v1/consents",
        "/v1/me/blocks",
        "/v1/accesses/search",
    ]
    async with hostile(saying(b"", "text/xml")) as elsewhere, open_front(postgres, tmp_path) as front:
        for document in DOCUMENTS.values():
            content = written(document, file, elsewhere.address)
            for kind in TYPES:
                for face in faces:
                    answer = await front.http.post(face, content=content, headers={"content-type": kind})
                    assert a_clear_problem(answer, 400, 415), (face, answer.text)
                    assert SECRET not in answer.text
        assert elsewhere.seen == []
        assert await front.databases.pool.fetchval("SELECT coalesce(sum(size), 0) FROM log.head") == 0


async def test_xml_gets_no_token_and_no_session(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """The token endpoint, the way out and the pages' forms take XML for nothing."""
    async with open_town(postgres, tmp_path, nodes=1) as town, town.nodes[0].client() as http:
        for kind in TYPES:
            headers = {"content-type": kind, "DPoP": town.system.proof(town.now)}
            token = await http.post("/oauth2/token", content=BOMB.encode(), headers=headers)
            assert (token.status_code, token.json()) == (400, {"error": "invalid_request"})
            browser = town.browser()
            await town.log_in(browser, town.nodes[0])
            for page in ("/logout/citizen", "/mine/blocks", "/case"):
                answer = await browser.at(town.nodes[0]).post(
                    page, content=BOMB.encode(), headers={"content-type": kind}
                )
                assert answer.status_code in {401, 403, 404, 405}, page
                assert "CANARY" not in answer.text
        assert await town.entries() == 0


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("what", DOCUMENTS)
async def test_a_source_s_xml_is_unreadable(tmp_path: Path, kind: str, what: str) -> None:
    """A source that answers XML, whatever it is called, has failed; no file and no address is read for it."""
    async with hostile(saying(b"", "text/xml")) as elsewhere:
        content = written(DOCUMENTS[what], a_file(tmp_path), elsewhere.address)
        for media_type in ("application/xml", "application/fhir+xml", "application/json"):
            async with hostile(saying(content, media_type)) as server:
                assert await why(connect(kind, server), KINDS[kind][1]) == "unreadable"
                assert len(server.seen) == 1
        assert elsewhere.seen == []


@pytest.mark.parametrize("what", DOCUMENTS)
async def test_a_register_s_xml_is_no_answer(tmp_path: Path, what: str) -> None:
    """A register that answers XML has given no answer, which decides as a no."""
    async with hostile(saying(b"", "text/xml")) as elsewhere:
        content = written(DOCUMENTS[what], a_file(tmp_path), elsewhere.address)
        async with hostile(saying(content, "application/xml")) as server:
            settings: dict[str, Any] = {"base_url": server.address}
            async with (
                PeopleRest("people", settings, {}) as people,
                CasesRest("cases", settings, {}, now=lambda: NOW) as cases,
            ):
                with pytest.raises(RegisterUnavailable):
                    await people.person(Personal("7102740022"))
                with pytest.raises(RegisterUnavailable):
                    await cases.case(Personal("S-1"), Personal("7102740022"), Personal("lene"))
        assert elsewhere.seen == []


def test_one_reader_of_xml_alone() -> None:
    """Who reads XML is named here, with an attack test of its own: the employers' SAML assertions (`test_saml`)."""
    readers = {
        module.path
        for module in whole_tree()
        if module.path.startswith(("broker/", "connectors/", "audit/"))
        for _, name in imported_names(module)
        if name.split(".")[0] in READERS
    }
    assert readers - WRITERS == {
        f"broker/web/oauth/{name}.py" for name in ("saml", "saml_privileges", "saml_signed", "xml")
    }
    assert {path for path in WRITERS if reads(next(module for module in whole_tree() if module.path == path))} == set()
    assert reads(parse("broker/planted.py", "ET.fromstring(text)"))
    planted = parse("broker/planted.py", "from xml.etree import ElementTree\nimport lxml.etree\nimport defusedxml")
    assert [name.split(".")[0] in READERS for _, name in imported_names(planted)] == [True] * 3
