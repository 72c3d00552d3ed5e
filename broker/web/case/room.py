"""What the caseworker's pages stand on: who is logged in, and how pages are shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from broker.domain.identity import Caller
from broker.ports import Ports
from broker.web.login import CASEWORKER, Logins
from broker.web.pages.show import Pages, visitor_of


@dataclass(frozen=True, slots=True)
class Room:
    """The doors of the caseworker's pages."""

    ports: Ports
    logins: Logins
    pages: Pages
    repeats: Callable[[Caller, str | None], Awaitable[bool]]
    test_numbers: bool

    async def enter(self, request: Request) -> Caller:
        """Let a caseworker in. Raises as `Logins.require_caseworker`."""
        return await self.logins.require_caseworker(request)

    async def show(self, request: Request, template: str, caller: Caller, status: int = 200, **values: Any) -> Response:
        """Show one page to the caseworker. What came of a form is never shown again by a change of language."""
        name = caller.caseworker.name.disclose() if caller.caseworker.name else None
        visitor = await visitor_of(self.logins, request, CASEWORKER, name)
        start_over = None if request.method == "GET" else "/case"
        return self.pages.show(
            request, f"case/{template}", status, visitor=visitor, start_over=start_over, caller=caller,
            directory=self.ports.directory, **values,
        )  # fmt: skip
