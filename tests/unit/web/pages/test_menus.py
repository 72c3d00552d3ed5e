"""What leads on: each role's menu, and every link on the pages behind it, opens for that very role."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from broker.web.login import OFFICER_ROLES
from broker.web.pages.show import MENUS
from demo.postgres import PrivatePostgres
from tests.after_checking import open_after_checking
from tests.pages_house import PagesHouse, Reader, open_pages
from tests.sampling import open_sampling

LED = [["korsbaek", "jobcentre"], ["korsbaek", "social-centre"]]
HOMES = {"dpo": "/dpo", "logkontrollant": "/dpo", "teamleder": "/dpo/tasks"}
OF_THE_DPO = {"/dpo/package", "/dpo/inquiries", "/dpo/what-if"}
# A line has its proof once it is signed; until then it is not there, for anybody.
PROOFS = "/v1/log/proofs/"
MENU = re.compile(r'<nav class="bb-nav".*?</nav>', re.DOTALL)
LINK = re.compile(r'<a [^>]*?href="(/[^"#]*)')


async def overseer(house: PagesHouse, role: str) -> Reader:
    """Log an overseer in; a leader leads every unit of the houses here."""
    return await house.officer(id=role, role=role, units=LED if role == "teamleder" else [])


async def walked(reader: Reader, start: str) -> dict[str, int]:
    """Follow every link of the overseers' rooms from a page on, each address once; give what each answered."""
    found, ahead = dict[str, int](), [start]
    while ahead:
        path = ahead.pop()
        if path.partition("?")[0] in found:
            continue
        answer = await reader.get(path)
        found[path.partition("?")[0]] = answer.status_code
        links = LINK.findall(answer.text) if answer.headers["content-type"].startswith("text/html") else []
        ahead += [unescape(link) for link in links if link.startswith(("/dpo", "/v1/")) and "lang=" not in link]
    return found


def test_every_overseer_with_pages_has_a_menu() -> None:
    """Of the roles that may log in, those with a page of theirs have a menu; the others open none, and have none."""
    assert set(HOMES) == set(MENUS) & set(OFFICER_ROLES)


@pytest.mark.parametrize("role", HOMES)
async def test_a_menu_leads_where_its_role_may_go(postgres: PrivatePostgres, tmp_path: Path, role: str) -> None:
    """Each entry of the menu opens, and each page has the same menu; the log is no leader's."""
    async with open_pages(postgres, tmp_path) as house:
        reader = await overseer(house, role)
        shown = [link for nav in MENU.findall((await reader.get(HOMES[role])).text) for link in LINK.findall(nav)]
        pages = [await reader.get(link) for link in shown]
    assert shown == [path for path, _ in MENUS[role]]
    assert [page.status_code for page in pages] == [200] * len(shown)
    assert {tuple(LINK.findall(MENU.findall(page.text)[0])) for page in pages} == {tuple(shown)}
    assert ("/dpo" in shown, "/dpo/tasks" in shown) == (role != "teamleder", True)


@pytest.mark.parametrize("role", HOMES)
async def test_no_role_sees_a_link_that_it_may_not_open(postgres: PrivatePostgres, tmp_path: Path, role: str) -> None:
    """From where a role begins, over a log with accesses, drawn samples and a case of danger to life, all opens."""
    async with open_sampling(postgres, tmp_path) as sampling:
        await sampling.drawn()
        reader = await overseer(sampling.house, role)
        found = await walked(reader, HOMES[role])
        assert any(path.startswith("/dpo/samples/") for path in found)
    async with open_after_checking(postgres, tmp_path) as checking:
        call = await checking.called()
        reader = await overseer(checking.house, role)
        found |= await walked(reader, "/dpo/break-glass")
    shut = {path for path, status in found.items() if status != 200}
    assert {found[path] for path in shut if path.startswith(PROOFS)} <= {404}
    assert {path for path in shut if not path.startswith(PROOFS)} == set()
    assert f"/dpo/break-glass/{call.id}" in found
    assert set(found) >= {path for path, _ in MENUS[role]}
    assert OF_THE_DPO & set(found) == (OF_THE_DPO if role == "dpo" else set())


async def test_who_reads_no_log_is_led_to_what_is_theirs(postgres: PrivatePostgres, tmp_path: Path) -> None:
    """The front page leads every overseer to the log; a leader goes on to the reviews, and nobody else does."""
    async with open_pages(postgres, tmp_path) as house:
        answer = await (await overseer(house, "teamleder")).get("/dpo")
        others = [(await (await overseer(house, role)).get("/dpo")).status_code for role in OFFICER_ROLES]
    assert (answer.status_code, answer.headers["location"]) == (303, "/dpo/tasks")
    assert dict(zip(OFFICER_ROLES, others, strict=True)) == {
        "dpo": 200, "logkontrollant": 200, "teamleder": 303, "styregruppe": 403, "systemforvalter": 403,
    }  # fmt: skip
