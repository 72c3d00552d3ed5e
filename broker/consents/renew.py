"""Renew a yes that ends soon: the unit asks anew; what comes of it is a consent of its own that names the old one."""

from __future__ import annotations

from collections.abc import Collection

from broker.domain.consents import WITHDRAWN, Consent, ConsentRequest
from broker.domain.errors import BadAsk, NotFound
from broker.domain.renewals import follows
from broker.ports import Ports


async def check_renewal(new: ConsentRequest, citizens: Collection[str], today: int, ports: Ports) -> None:
    """Raise `BadAsk` unless a request that says it renews another does; in the same words whatever is amiss.

    `citizens` are all handles of whom it is put to.
    """
    if new.renews is None:
        return
    try:
        earlier = await ports.consents.request_by_id(new.renews, municipality=new.municipality)
    except NotFound:
        raise BadAsk("/renews", "nothing_to_renew") from None
    if earlier.citizen not in citizens or not follows(new, earlier, today):
        raise BadAsk("/renews", "nothing_to_renew")


async def renewed(
    request: ConsentRequest, givers: Collection[str], ports: Ports, *, municipality: str = ""
) -> Consent | None:
    """Find the yes of this giver that a request renews, read as them or as a municipality's desk.

    `givers` are the handles of one person. None where they said none, or took it back.
    """
    if request.renews is None:
        return None
    given = [row for giver in givers for row in await ports.consents.of_citizen(giver, municipality=municipality)]
    return next(
        (
            row
            for row in given
            if row.request == request.renews
            and row.giver in givers
            and any(line.state != WITHDRAWN for line in row.lines)
        ),
        None,
    )
