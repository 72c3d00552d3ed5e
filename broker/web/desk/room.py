"""What the desk's pages stand on: who keeps it, whom they serve, and how pages are shown.

A citizen's number comes in the body of a form and goes out in a hidden field of one: it is in no address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.consents.desk_look import names_source, see_at_desk
from broker.consents.desk_powers import keeps_desk, why_not_open
from broker.consents.receipts import Desk
from broker.consents.texts import LANGUAGES
from broker.domain.consents import RequestLine
from broker.domain.days import danish_day
from broker.domain.errors import NotAllowed
from broker.domain.facts import ConsentLine
from broker.domain.identity import Caller
from broker.domain.personal import Personal
from broker.domain.receipts import Receipt
from broker.ports import Ports
from broker.web.consent_wire import line_state
from broker.web.doors import Records
from broker.web.login import CASEWORKER, Logins
from broker.web.pages.errors import MAY_NOT_OPEN
from broker.web.pages.forms import Sent
from broker.web.pages.show import DESK, Pages, visitor_of
from broker.web.pages.words import marked
from broker.web.wire import cpr_of

Faults = Sequence[tuple[str, str]]
CHECKED = "yes"
NOT_CHECKED = marked("Check who the citizen is, and tick that you did.")
NO_CPR = marked("Write the citizen's CPR number with ten digits.")


@dataclass(frozen=True, slots=True)
class Done:
    """What was recorded: which way, of whose request or consent, which lines, where on the log; the text of a yes.

    `consent` is the yes, whose whole receipt is to be had; empty for a no.
    """

    way: str
    unit: str
    purpose: str
    giver: str
    lines: Sequence[RequestLine | ConsentLine]
    receipt: Receipt
    consent: str = ""
    text: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """The doors of the desk's pages. `made_from` is what receipts are made from, `records` signs them."""

    ports: Ports
    made_from: Desk
    records: Records
    logins: Logins
    pages: Pages
    test_numbers: bool

    async def enter(self, request: Request) -> Caller:
        """Let in who keeps the desk. Raises as `Logins.require_caseworker`, and `NotAllowed` for any other."""
        caller = await self.logins.require_caseworker(request)
        if not keeps_desk(caller):
            raise NotAllowed
        return caller

    def citizen_of(self, form: Sent) -> Personal[str]:
        """Read whom a form is about; raise `BadAsk` for what is no number."""
        return cpr_of(form.one("citizen"), pointer="/citizen", test_numbers=self.test_numbers)

    async def show(self, request: Request, template: str, caller: Caller, status: int = 200, **values: Any) -> Response:
        """Show one page. What came of a form is never shown again by a change of language."""
        name = caller.caseworker.name.disclose() if caller.caseworker.name else None
        visitor = await visitor_of(self.logins, request, CASEWORKER, name, room=DESK)
        start_over = None if request.method == "GET" else "/desk"
        why = why_not_open(caller, self.ports.directory, danish_day(self.ports.clock.now()))
        return self.pages.show(
            request, f"desk/{template}", status, visitor=visitor, start_over=start_over, caller=caller,
            directory=self.ports.directory, languages=LANGUAGES, may_not_open=MAY_NOT_OPEN.get(why, ""), **values,
        )  # fmt: skip

    async def show_done(self, request: Request, caller: Caller, citizen: Personal[str], done: Done) -> Response:
        """Show what was recorded, as a receipt to print. A reload would record again, and is told that it is done."""
        return await self.show(
            request,
            "done.html",
            caller,
            done=done,
            citizen=citizen.disclose(),
            at=self.ports.clock.now(),
            names=lambda line: names_source(line, done.unit, done.giver, caller),
        )

    async def overview(
        self, request: Request, caller: Caller, citizen: Personal[str], *, faults: Faults = (), status: int = 200,
        template: str = "citizen.html",
    ) -> Response:  # fmt: skip
        """Show what a citizen has said yes and no to: a look of its own each time."""
        sight = await see_at_desk(citizen, caller, self.ports)
        return await self.show(
            request,
            template,
            caller,
            status,
            sight=sight,
            shared=[consent for consent in sight.given if consent.live_lines(sight.today)],
            citizen=citizen.disclose(),
            faults=faults,
            names=lambda line, unit: names_source(line, unit, sight.citizen, caller),
            state_of=lambda line, consent: line_state(
                line.state, line.from_day, line.to_day, sight.today, spent=consent.spent
            ),
        )


def is_checked(form: Sent) -> bool:
    """Tell whether the desk ticked that it checked who the citizen is."""
    return form.one("identity_checked") == CHECKED
