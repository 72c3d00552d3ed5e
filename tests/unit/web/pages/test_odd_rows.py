"""What the citizen reads of what is out of the ordinary: kept back for a time, danger to life, erased, bent."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import asyncpg
import pytest

from broker.adapters.clock_system import FixedClock
from broker.adapters.deferrals_sql import DeferralsSql
from broker.domain.events import AuditEvent, BreakGlassRead
from broker.domain.identity import OfficerLogin
from broker.domain.personal import Personal
from broker.oversight.deferral import Desk, Wish, approve, ask, end
from demo.postgres import PrivatePostgres
from tests import break_glass_values, log_events
from tests.builders import CASEWORKER, CHILD, CITIZEN, NOON
from tests.pages_house import PagesHouse, open_pages

ASKS = "jobcentre"
LANGUAGES = pytest.mark.parametrize("language", ["da", "en"])
BACK = {
    "da": "Herfra blev linjer om jobcentre holdt tilbage fra dig i en tid Loven lader kommunen vente med at vise dem. "
    "To personer har besluttet det. Nu kan du se dem alle.",
    "en": "From here, lines about jobcentre were kept back from you for a time The law lets the municipality wait with "
    "showing them. Two people decided it. Now you can see them all.",
}
NO_LONGER = {
    "da": "Linjer om jobcentre bliver ikke længere holdt tilbage fra dig",
    "en": "Lines about jobcentre are no longer kept back from you",
}
ERASED = {
    "da": "Denne linje er slettet Indholdet er slettet, som loven siger. Kun pladsen er tilbage.",
    "en": "This line was erased Its content was deleted, as the law lets it. Only its place is left.",
}
CHANGED = {
    "da": "Nogen har ændret denne linje, efter at den blev skrevet. Derfor viser vi den ikke.",
    "en": "Somebody has changed this line after it was written. So we do not show it.",
}
DANGER = {
    "da": ("bad om lov til at se oplysninger om dig De skrev, at der er fare for liv.",
           "health-centre læste, hvorfor der er fare for liv",
           "health-centre sagde ja jobcentre må se lidt om dig i nogle timer, fordi der er fare for liv.",
           "family-centre sagde nej jobcentre må ikke se oplysninger om dig."),
    "en": ("asked for leave to see information about you They wrote that life is in danger.",
           "health-centre read why life is in danger",
           "health-centre said yes jobcentre may see a little about you for a few hours, because life is in danger.",
           "family-centre said no jobcentre may not see information about you."),
}  # fmt: skip


@dataclass
class Odd:
    """A house with its pages; the citizen's handle, and an employee's."""

    house: PagesHouse
    me: str
    kim: str

    async def append(self, *events: AuditEvent) -> None:
        """Write on the log."""
        await self.house.databases.log.append(list(events))

    async def kept_back(self, at: datetime, last: date, *, ended: bool = False) -> None:
        """Keep a unit's lines back, by two persons; one may end it before its time."""
        made = self.house.databases
        desk = Desk(FixedClock(at), made.vault, self.house.ports, DeferralsSql(made.pool, made.log))
        one, two = (
            OfficerLogin(Personal(name), "issuer", "dpo", frozenset({"korsbaek"}), "High", at) for name in ("1", "2")
        )
        deferral = await ask(Wish(CITIZEN, ASKS, "dbl22_2", last), one, desk)
        await approve(deferral.id, CITIZEN, two, desk)
        if ended:
            await end(deferral.id, CITIZEN, one, desk)

    async def page(self, language: str = "en") -> str:
        """Give the words of Who has looked, without the line on which the reader themself looked."""
        page = (await (await self.house.citizen()).get(f"/mine/accesses?lang={language}")).text
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
async def odd(postgres: PrivatePostgres, tmp_path: Path) -> AsyncIterator[Odd]:
    """Give the house."""
    async with open_pages(postgres, tmp_path) as house:
        # The reader goes by the house's clock, as a running broker's does: what is kept back has a last day.
        house.databases.reader._clock = house.clock
        me, kim = await house.databases.vault.citizens([CITIZEN, CHILD])
        yield Odd(house, me, kim)


@LANGUAGES
async def test_what_was_kept_back_is_told_when_its_time_is_over(odd: Odd, language: str) -> None:
    """While it lasts the page is word for word as before; then it says of which unit, and all that was kept back."""
    before = await odd.page(language)
    await odd.kept_back(NOON, date(2019, 4, 30))
    await odd.append(log_events.an_ask(odd.me, odd.kim, unit=ASKS, at=NOON + timedelta(seconds=1)))
    during = await odd.page(language)
    odd.house.clock.at = datetime(2019, 5, 1, 9, tzinfo=UTC)
    after = await odd.page(language)

    assert during == before
    assert (BACK[language] in after, NO_LONGER[language] in after) == (True, False)
    assert after.count(f"· {ASKS}") == 1


@LANGUAGES
async def test_what_is_ended_before_its_time_is_told_at_once(odd: Odd, language: str) -> None:
    """Both lines stand there: from where on, and that it is so no longer."""
    await odd.kept_back(NOON, date(2019, 4, 30), ended=True)
    odd.house.clock.at = NOON + timedelta(seconds=1)
    page = await odd.page(language)

    assert (BACK[language] in page, NO_LONGER[language] in page) == (True, True)


@LANGUAGES
async def test_danger_to_life_is_told_step_by_step(odd: Odd, language: str) -> None:
    """Who asked for leave, who read why, who said yes and who no; never what was written, nor by whom."""
    case = await odd.house.databases.vault.case(ASKS, Personal("V-1"))
    call = break_glass_values.a_call(
        odd.me, case, odd.kim, unit=ASKS, holders={"health-centre": "korsbaek", "family-centre": "korsbaek"}
    )
    read = break_glass_values.event_of(BreakGlassRead, call, actor=odd.kim, holder="health-centre")
    await odd.append(
        break_glass_values.called(call), read,
        break_glass_values.decided(call, break_glass_values.an_answer(odd.kim, unit="health-centre")),
        break_glass_values.decided(call, break_glass_values.an_answer(odd.kim, "no", unit="family-centre")),
    )  # fmt: skip
    page = await odd.page(language)

    assert [told for told in DANGER[language] if told not in page] == []
    assert page.count({"da": "Akut", "en": "Emergency"}[language]) == 5  # Four lines, and what one may choose to see.
    assert "CANARY" not in page
    assert CASEWORKER.disclose() not in page


@LANGUAGES
async def test_an_erased_line_keeps_its_place(odd: Odd, language: str) -> None:
    """Without the key the page says that the line was erased, and where it stood; nothing of what it said."""
    await odd.append(log_events.an_ask(odd.me, odd.kim, unit=ASKS))
    owner = await asyncpg.connect(odd.house.databases.at.vault_owner)
    await owner.execute("DELETE FROM vault.subject_key WHERE handle = $1", odd.me)
    await owner.close()
    page = await odd.page(language)

    assert page.count(ERASED[language]) == 1
    assert "/2019" in page.partition(ERASED[language])[2]
    assert ASKS not in page.partition(ERASED[language])[2]


@LANGUAGES
async def test_a_bent_line_is_named_and_not_shown(odd: Odd, language: str) -> None:
    """A line changed behind the broker's back is told as that, and what it says now is not believed."""
    await odd.append(log_events.an_ask(odd.me, odd.kim, unit=ASKS))
    admin = await asyncpg.connect(odd.house.databases.admin)
    await admin.execute(
        "UPDATE log.index SET index_bytes = replace(index_bytes, 'jobplan', 'flytning'),"
        " fields = replace(fields::text, 'jobplan', 'flytning')::jsonb"
    )
    await admin.close()
    page = await odd.page(language)

    assert page.count(CHANGED[language]) == 1
    assert [word for word in (f"· {ASKS}", "jobplan", "flytning") if word in page] == []
