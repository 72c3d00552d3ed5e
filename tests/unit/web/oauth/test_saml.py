"""What an employer's SAML assertion means: the same caseworker as a JWT names, and OIO-BPP privileges as roles."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from broker.domain.identity import Caseworker, Role
from broker.web.oauth.access import read_access
from broker.web.oauth.registrations import BadKey, Registrations, key_faults
from broker.web.oauth.saml_privileges import BadPrivileges, granted
from tests.actors import AnEmployer, ASystem
from tests.doorway import Doorway
from tests.identity_provider import (
    COORDINATOR,
    EID,
    JOB,
    KORSBAEK,
    NSIS,
    PERSON,
    SAML_TYPE,
    SCOPE,
    SKOVLUND,
    SOCIAL,
    STRANGER,
    WORKER,
    IdentityProvider,
    ec_key,
    group,
    moment,
    privilege_list,
)

IDP = IdentityProvider()
KLE_TOO = '<Constraint Name="http://sts.kombit.dk/constraints/KLE/1">99.*</Constraint>'
WHO = "urn:some:other:constraint/1"


def named(door: Doorway, word: str, **form: str) -> Caseworker:
    """Give the caseworker whom an assertion names."""
    answer = door.ask_token(door.system.form(door.now, word, **form), None)
    assert answer.status_code == 200, answer.text
    found = read_access(door.tokens.read(answer.json()["access_token"], door.now), door.registrations).caseworker
    assert found is not None
    return found


def by_saml(door: Doorway, idp: IdentityProvider, **changes: Any) -> Caseworker:
    """Give the caseworker whom a SAML assertion names."""
    return named(door, idp.assertion(door.now, **changes), subject_token_type=SAML_TYPE)


def roles(*groups: str) -> list[dict[str, Any]]:
    """Give the roles of a privilege list, without what they leave out."""
    return [
        {name: value for name, value in one.role.items() if value is not None}
        | ({"units": sorted(one.units)} if one.units is not None else {})
        for one in granted(privilege_list(*groups), IDP.trust)
    ]


def test_both_forms_of_the_word_name_the_same_caseworker() -> None:
    """A JWT and a SAML assertion that say the same are one value to everything behind: nothing can tell them apart."""

    class Both(IdentityProvider):
        @property
        def registration(self) -> Any:
            return replace(super().registration, keys=jwt.registration.keys)

    idp = Both()
    jwt = AnEmployer(idp.issuer)
    door = Doorway(employer=AnEmployer("https://another.example"), employers=(idp,))
    said = [
        {"name": "sagsbehandler", "kle": ["15.*", "32.*"], "sensitivity": 2, "attested_on": 20260101},
        {"name": "koordinerende_sagsbehandler", "kle": ["27.18.*"], "sensitivity": 3, "delegated_from": "skovlund"},
    ]
    groups = privilege_list(
        group(kle="15.*,32.*", sensitivity="2", attested_on="2026-01-01", unit=JOB),
        group(COORDINATOR, SCOPE + SKOVLUND, kle="27.18.*", unit=JOB),
    )
    told = {EID + "privilegesIntermediate": groups, EID + "cprNumber": "010203-0405", NSIS: "High"}

    jwt_word = jwt.assertion(door.now, sub=PERSON, roles=said, cpr="0102030405", nsis="High")
    as_jwt, as_saml = named(door, jwt_word), by_saml(door, idp, told=told)

    assert as_jwt == as_saml
    assert as_saml.cpr is not None
    assert as_saml.roles[1] == Role("koordinerende_sagsbehandler", ("27.18.*",), 3, None, "skovlund")


GROUPS: dict[str, tuple[tuple[str, ...], list[dict[str, Any]]]] = {
    "one privilege": (
        (group(kle="15.*", unit=JOB),),
        [{"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "units": ["korsbaek-job"]}],
    ),
    "several groups, each with its own limits": (
        (group(kle="15.*", unit=JOB), group(COORDINATOR, kle="27.18.*", unit=SOCIAL)),
        [
            {"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "units": ["korsbaek-job"]},
            {"name": "koordinerende_sagsbehandler", "kle": ["27.18.*"], "sensitivity": 3, "units": ["korsbaek-social"]},
        ],
    ),
    "several privileges in a group share its limits": (
        (group([WORKER, COORDINATOR], kle="15.*"),),
        [
            {"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3},
            {"name": "koordinerende_sagsbehandler", "kle": ["15.*"], "sensitivity": 3},
        ],
    ),
    "no KLE is no KLE": ((group(),), [{"name": "sagsbehandler", "kle": [], "sensitivity": 3}]),
    "KLE in full, with spaces": (
        (group(kle="27.18.*, 32.*,15.20.04 "),),
        [{"name": "sagsbehandler", "kle": ["27.18.*", "32.*", "15.20.04"], "sensitivity": 3}],
    ),
    "another municipality's scope is delegated": (
        (group(scope=SCOPE + SKOVLUND, kle="15.*"),),
        [{"name": "sagsbehandler", "kle": ["15.*"], "sensitivity": 3, "delegated_from": "skovlund"}],
    ),
    "a level below": ((group(sensitivity="1"),), [{"name": "sagsbehandler", "kle": [], "sensitivity": 1}]),
    "a level by its name": (
        (group(sensitivity="FORTROLIGE_PERSONOPLYSNINGER"),),
        [{"name": "sagsbehandler", "kle": [], "sensitivity": 2}],
    ),
    "a level above what the registry gives": (
        (group(sensitivity="VIP_SAGER"),),
        [{"name": "sagsbehandler", "kle": [], "sensitivity": 3}],
    ),
    "attested": (
        (group(attested_on="2026-02-28"),),
        [{"name": "sagsbehandler", "kle": [], "sensitivity": 3, "attested_on": 20260228}],
    ),
    "a unit that is not registered": (
        (group(unit="b3b5a6a0-0000-4000-8000-00000000ffff"),),
        [{"name": "sagsbehandler", "kle": [], "sensitivity": 3, "units": []}],
    ),
    "several units": (
        (group(unit=f"{SOCIAL}, {JOB}"),),
        [{"name": "sagsbehandler", "kle": [], "sensitivity": 3, "units": ["korsbaek-job", "korsbaek-social"]}],
    ),
    "no groups": ((), []),
}


@pytest.mark.parametrize("what", GROUPS)
def test_privileges_read_as_roles(what: str) -> None:
    """Each group gives its roles within its limits, and no limit widens what the registry gives."""
    groups, expected = GROUPS[what]

    assert roles(*groups) == expected


NOTHING = {
    "an unknown constraint": group(kle="15.*", **{WHO: "x"}),
    "KOMBIT's constraint on systems, which we cannot honour": group(
        kle="15.*", **{"http://sts.kombit.dk/constraints/itsystem/1": "x"}
    ),
    "a known constraint in other letters": group(**{"http://sts.kombit.dk/constraints/kle/1": "15.*"}),
    "a known constraint of another version": group(**{"http://sts.kombit.dk/constraints/KLE/2": "15.*"}),
    "an unknown constraint without a name": group(**{"": "15.*"}),
    "a constraint twice": group(kle="15.*").replace("</Privilege>", f"</Privilege>{KLE_TOO}"),
    "every KLE": group(kle="*"),
    "no KLE in the constraint": group(kle=""),
    "a KLE that is none": group(kle="15.*,everything"),
    "a KLE with too much": group(kle="15.20.04.G01"),
    "a level that is none": group(sensitivity="0"),
    "a level above all": group(sensitivity="5"),
    "two levels": group(sensitivity="1,2"),
    "attested on no day": group(attested_on="2026-02-30"),
    "attested at a time": group(attested_on="2026-02-03T12:00:00Z"),
    "a stranger's scope": group(scope=SCOPE + STRANGER),
    "no CVR in the scope": group(scope=SCOPE),
    "another kind of scope": group(scope=f"urn:dk:gov:saml:productionUnitIdentifier:{KORSBAEK}"),
    "the scope in other letters": group(scope=f"urn:dk:gov:saml:CvrNumberIdentifier:{KORSBAEK}"),
    "a scope with a tail": group(scope=f"{SCOPE}{KORSBAEK} "),
    "no scope": group().replace(f' Scope="{SCOPE}{KORSBAEK}"', ""),
    "a group with more to say": group().replace("Scope=", 'Until="2020-01-01" Scope='),
    "a privilege with more to say": group().replace("<Privilege>", '<Privilege Until="2020-01-01">'),
    "a constraint with more to say": group(kle="15.*").replace(" Name=", ' Except="15.20.*" Name='),
    "an element of its own": group().replace("</Privilege>", "</Privilege><Condition/>"),
    "elements inside a constraint": group(kle="15.*").replace("15.*", "15.*<x/>"),
    "elements inside a privilege": group(f"{WORKER}<x/>"),
    "a privilege that is not registered": group(f"{WORKER}/2"),
    "a privilege in other letters": group(WORKER.upper()),
    "no privilege": group([]),
}  # fmt: skip


@pytest.mark.parametrize("what", NOTHING)
def test_what_is_not_understood_gives_nothing(what: str) -> None:
    """A group with anything that could limit it, and is not understood, gives no role; the next group gives its own."""
    good = group(COORDINATOR, kle="27.*")

    assert roles(NOTHING[what]) == []
    assert [role["name"] for role in roles(NOTHING[what], good)] == ["koordinerende_sagsbehandler"]
    assert [role["name"] for role in roles(good, NOTHING[what])] == ["koordinerende_sagsbehandler"]


LISTS = {
    "no base64": "<x/>",
    "no XML": "eHh4",
    "another root": b64encode(b64decode(privilege_list(group())).replace(b"PrivilegeList", b"Privileges")).decode(),
    "another namespace": privilege_list(group(), namespace="http://elsewhere.example"),
    "a DTD": privilege_list(group(), before="<!DOCTYPE x>"),
    "an entity": privilege_list(group(), before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'),
    "a comment": privilege_list(group().replace("</Privilege>", "<!-- --></Privilege>")),
    "something beside the groups": privilege_list(group(), "<Privilege>x</Privilege>"),
    "too large": privilege_list(*[group()] * 200),
    "UTF-16": privilege_list(group(), before='<?xml version="1.0" encoding="utf-16"?>'),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_that_cannot_be_read_is_none(what: str) -> None:
    """Not even the groups that could be read give anything."""
    with pytest.raises(BadPrivileges):
        granted(LISTS[what], IDP.trust)


@pytest.mark.parametrize("namespace", [f"http://{who}.dk/oiosaml/basic_privilege_profile" for who in ("itst", "digst")])
def test_both_versions_of_the_profile_are_read(namespace: str) -> None:
    """Version 1.1 and 1.2, the parts with the list's namespace or without one, base64 in lines."""
    plain = privilege_list(group(kle="15.*"), namespace=namespace)
    qualified = privilege_list(
        group(kle="15.*").replace("<P", "<bpp:P").replace("</P", "</bpp:P").replace("Constraint", "bpp:Constraint")
        .replace("<bpp:bpp:", "<bpp:").replace("</bpp:bpp:", "</bpp:").replace("<//", "</"), namespace=namespace,
    )  # fmt: skip
    for text in (plain, qualified, "\n  ".join(plain[at : at + 60] for at in range(0, len(plain), 60))):
        assert [one.role["name"] for one in granted(text, IDP.trust)] == ["sagsbehandler"]


def held(*groups: str) -> dict[str, Any]:
    """Say in an assertion that these privileges are held."""
    return {"told": {EID + "privilegesIntermediate": privilege_list(*groups)}}


def test_the_unit_is_where_the_privileges_hold() -> None:
    """One unit among the privileges is theirs; of several, the one that the asking system works for; else none."""
    door = Doorway(ASystem(units=frozenset({"korsbaek-job", "korsbaek-school"})), employers=(IDP,))
    both = Doorway(ASystem(units=frozenset({"korsbaek-job", "korsbaek-social"})), employers=(IDP,))
    two = held(group(kle="15.*", unit=JOB), group(COORDINATOR, kle="27.*", unit=SOCIAL), group(COORDINATOR, kle="00.*"))

    at_job = by_saml(door, IDP, **two)

    assert at_job.unit == "korsbaek-job"
    # What holds elsewhere alone is left there; what holds everywhere comes along.
    assert [(role.name, role.kle) for role in at_job.roles] == [
        ("sagsbehandler", ("15.*",)), ("koordinerende_sagsbehandler", ("00.*",)),
    ]  # fmt: skip
    assert by_saml(door, IDP, **held(group(kle="15.*", unit=SOCIAL))).unit == "korsbaek-social"
    form = both.system.form(both.now, IDP.assertion(both.now, **two), subject_token_type=SAML_TYPE)
    assert both.ask_token(form, None).json()["error"] == "invalid_grant"


def test_a_registered_attribute_names_the_unit() -> None:
    """Where one is registered it alone says the unit, and privileges of other units are left there."""
    idp = IdentityProvider(unit_attribute="urn:unit")
    door = Doorway(employers=(idp,))
    two = privilege_list(group(kle="15.*", unit=JOB), group(COORDINATOR, kle="27.*", unit=SOCIAL))

    found = by_saml(door, idp, told={EID + "privilegesIntermediate": two, "urn:unit": SOCIAL})

    assert (found.unit, [role.name for role in found.roles]) == ("korsbaek-social", ["koordinerende_sagsbehandler"])
    for unit in (None, "", "korsbaek-social", f"{SOCIAL},{JOB}"):
        word = idp.assertion(door.now, told={EID + "privilegesIntermediate": two, "urn:unit": unit})
        form = door.system.form(door.now, word, subject_token_type=SAML_TYPE)
        assert door.ask_token(form, None).json()["error"] == "invalid_grant", unit


@pytest.mark.parametrize("level", ["Substantial", "https://data.gov.dk/concept/core/nsis/loa/Substantial"])
def test_a_level_is_read_bare_or_in_full(level: str) -> None:
    """Identity providers write the NSIS level either way."""
    assert by_saml(Doorway(employers=(IDP,)), IDP, told={NSIS: level}).nsis == "Substantial"


def test_the_nearer_end_counts() -> None:
    """Conditions of an hour, as identity providers write them, are no fault beside a confirmation of minutes."""
    door = Doorway(employers=(IDP,))
    hour = f'NotBefore="{moment(door.now)}" NotOnOrAfter="{moment(door.now + timedelta(hours=1))}"'
    assert by_saml(door, IDP, window=hour).id.disclose() == PERSON
    assert by_saml(door, IDP, confirmed_until=moment(door.now + timedelta(minutes=5)), window=hour)


def test_a_provider_s_key_has_one_owner() -> None:
    """A system's key, or another provider's, is not registered as a provider's; one provider of many employers is."""
    system, key = ASystem(), ec_key()
    ours = IdentityProvider(key=key)
    same = IdentityProvider(ours.entity_id, "https://skovlund.example", "skovlund", SKOVLUND, key)
    other = IdentityProvider("https://idp.skovlund.example", "https://skovlund.example", "skovlund", SKOVLUND, key)
    thief = IdentityProvider(key=system.key.private_key)

    assert key_faults([system.registration], [ours.registration, same.registration]) == ()
    assert len(key_faults([system.registration], [ours.registration, other.registration])) == 1
    with pytest.raises(BadKey, match="same key as system"):
        Registrations.of([system.registration], [thief.registration])
