"""What the overseer's pages stand on: who is logged in, and how pages are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.identity import OfficerLogin
from broker.ports import Clock, LogReader, Ports
from broker.web.doors import Ceilings
from broker.web.login import OFFICER, Logins
from broker.web.pages.show import Pages, visitor_of


@dataclass(frozen=True, slots=True)
class Room:
    """The doors of the overseer's pages."""

    ports: Ports
    reader: LogReader
    logins: Logins
    pages: Pages
    clock: Clock
    ceilings: Ceilings
    test_numbers: bool

    async def enter(self, request: Request, *, by_itself: bool = False) -> OfficerLogin:
        """Let an overseer in, also where their page loads itself again. Raises as `Logins.require_officer`."""
        return await (self.logins.officer_left_alone if by_itself else self.logins.require_officer)(request)

    async def show(
        self, request: Request, template: str, officer: OfficerLogin, status: int = 200, **values: Any
    ) -> Response:
        """Show one page to the overseer."""
        name = officer.name.disclose() if officer.name else None
        visitor = await visitor_of(self.logins, request, OFFICER, name, room=officer.role)
        start_over = None if request.method == "GET" else "/dpo"
        return self.pages.show(
            request, f"dpo/{template}", status, visitor=visitor, start_over=start_over, officer=officer,
            directory=self.ports.directory, **values,
        )  # fmt: skip
