"""Random damage to a signed assertion: it names the caseworker it was signed for, or nobody; nothing else breaks."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from broker.domain.errors import NotAuthenticated
from broker.domain.identity import Caseworker
from broker.web.oauth.registrations import Registrations
from broker.web.oauth.saml import SamlCheck
from broker.web.oauth.saml_privileges import BadPrivileges, Granted, granted
from tests.actors import ISSUER, TOKEN_ENDPOINT, ASystem
from tests.identity_provider import COORDINATOR, EID, JOB, IdentityProvider, group, privilege_list, sent

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
IDP, SYSTEM = IdentityProvider(), ASystem()
KNOWN = Registrations.of([SYSTEM.registration], [IDP.registration])
CHECK = SamlCheck(ISSUER, TOKEN_ENDPOINT)
HELD = privilege_list(group(kle="15.*", unit=JOB, sensitivity="2"), group(COORDINATOR, kle="32.*", unit=JOB))
TOLD = {EID + "cprNumber": "0102030405", EID + "privilegesIntermediate": HELD}
SIGNED = etree.tostring(IDP.sign(IDP.document(NOON, told=TOLD)))
OTHER = etree.tostring(IDP.sign(IDP.document(NOON, "korsbaek-school", told={EID + "cprNumber": "0102030406"})))
SIZE = len(list(etree.fromstring(SIGNED).iter()))
PIECES = st.sampled_from(
    [
        b"",
        b"<",
        b">",
        b"/",
        b'"',
        b"&",
        b"&#0;",
        b"&lt;",
        b"<!---->",
        b"<?x?>",
        b"]]>",
        b"\0",
        b"\xff",
        b"a",
        b"0",
        b" ",
    ]
)
HOW = st.sampled_from(["move", "copy", "drop", "rename", "text", "other"])
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def named(document: bytes) -> Caseworker | None:
    """Give whom a document names; anything but a refusal fails the test."""
    try:
        return CHECK.caseworker(sent(document), SYSTEM.registration, KNOWN, NOON)[0]
    except NotAuthenticated:
        return None


GOOD = named(SIGNED)


def test_the_assertion_names_somebody_before_it_is_damaged() -> None:
    """What the others damage is whole, and another system's is not this one's."""
    assert GOOD is not None
    assert [role.sensitivity for role in GOOD.roles] == [2, 3]
    assert named(OTHER) is None


@MANY
@given(st.lists(st.tuples(st.integers(0, len(SIGNED)), st.integers(0, 40), PIECES), min_size=1, max_size=4))
def test_damaged_bytes_name_nobody_else(cuts: list[tuple[int, int, bytes]]) -> None:
    """Bytes cut out and others put in, anywhere."""
    document = SIGNED
    for at, length, piece in cuts:
        document = document[:at] + piece + document[at + length :]

    assert named(document) in (GOOD, None)


@MANY
@given(st.lists(st.tuples(st.integers(1, SIZE - 1), st.integers(0, SIZE - 1), HOW), min_size=1, max_size=4))
def test_a_rearranged_tree_names_nobody_else(steps: list[tuple[int, int, str]]) -> None:
    """Elements moved, copied, taken out, renamed, given other text, or brought from another good assertion."""
    root = etree.fromstring(SIGNED)
    for one, other, how in steps:
        elements = list(root.iter())
        source, target = elements[one % len(elements)], elements[other % len(elements)]
        if source is root:
            continue
        match how:
            case "drop":
                source.getparent().remove(source)
            case "rename":
                source.tag = target.tag
            case "text":
                source.text = target.text
            case "other":
                target.append(list(etree.fromstring(OTHER).iter())[one])
            case "copy":
                target.append(copy.deepcopy(source))
            case _ if source not in [target, *target.iterancestors()]:
                target.append(source)

    assert named(etree.tostring(root)) in (GOOD, None)


def limits(gives: tuple[Granted, ...]) -> set[tuple[str, str]]:
    """Give each role with each KLE it reaches."""
    return {(one.role["name"], kle) for one in gives for kle in one.role["kle"]}


@MANY
@given(st.data())
def test_a_damaged_privilege_list_gives_what_stands_there_or_nothing(data: st.DataObject) -> None:
    """A group taken away, a constraint renamed, an element added: never a KLE that no constraint states."""
    kle = data.draw(st.lists(st.sampled_from(["15.*", "32.*", "27.18.*", "*", "", "x"]), min_size=1, max_size=3))
    unknown = data.draw(st.booleans())
    odd = {"urn:unknown": "1"} if unknown else {}
    text = privilege_list(group(kle=",".join(kle), **odd), group(COORDINATOR))
    try:
        found = limits(granted(text, IDP.trust))
    except BadPrivileges:
        found = set()

    whole = not unknown and all(one[:2].isdigit() for one in kle)
    assert found == ({("sagsbehandler", one) for one in kle} if whole else set())
