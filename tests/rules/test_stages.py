"""The rules as a table: what is unlike the plain question, and how the key then ends. Asked of every engine."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.model.engines import TABLES, Engines
from tests.model.questions import (
    ANNETTE,
    BO,
    VIKTOR,
    block,
    child,
    delegation,
    key,
    line,
    person,
    question,
    representative,
    role,
    tables,
)

S01 = key("socialcenter", "S01")
Y01 = key("ydelse", "Y01")
H01V = key("sundhed", "H01", VIKTOR)
HELD = {"holder": ANNETTE, "from": 20060920, "to": 99991231}
EARLY = {"from": 20190101, "to": 20191231}
SHARES = ("data_sharing", "personal")
F01 = key("familiecenter", "F01", VIKTOR)
SAID = [line("socialcenter", "S01")]
HER = [person(ANNETTE), child()]
THEIRS = [person(ANNETTE), child(VIKTOR, ANNETTE, BO)]
GIVEN = ((), ())
SAID_EARLY = line("socialcenter", "S01", **{"from": 20160301, "to": 20170301})
COORDINATING = role(name="koordinerende_sagsbehandler")
DELEGATED = role(delegated_from="norrestrand")
HIGH = role(sensitivity=4)


def s01(**parts: Any) -> dict[str, Any]:
    """Ask for S01, with Annette's consent."""
    return question(S01, **{"consents": SAID, **parts})


def about(*people: dict[str, Any], one: dict[str, str] = S01, lines: Any = (), **parts: Any) -> dict[str, Any]:
    """Ask for one key about certain people, with certain lines."""
    return question(one, subjects=list(people), consents=list(lines), **parts)


def by(
    giver: str, row: dict[str, Any], one: dict[str, str] = S01, more: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Let one person say yes to a key about Annette, for whom somebody may act."""
    lines = [line(one["source"], one["category"], giver=giver)]
    return about(person(ANNETTE, representatives=[row, *more]), one=one, lines=lines)


def at_fifteen(**parts: Any) -> dict[str, Any]:
    """Make Viktor 15 today."""
    return child(VIKTOR, ANNETTE, **{"born": 20040304, **parts})


CALLER = {
    "NSIS substantial is enough": (s01(), GIVEN),
    "NSIS high is enough": (s01(caller={"nsis": "High"}), GIVEN),
    "NSIS low is not": (s01(caller={"nsis": "Low"}), ("NSIS_TOO_LOW",)),
    "no NSIS level at all": (s01(caller={"nsis": ""}), ("NSIS_TOO_LOW",)),
    "not employed in the unit": (s01(caller={"employed": False}), ("ROLE_EXPIRED",)),
    "all that is wrong with the caller is told": (
        s01(caller={"employed": False, "nsis": "Low", "roles": []}),
        ("NSIS_TOO_LOW", "ROLE_EXPIRED", "ROLE_KLE"),
    ),
    "the system does not speak for the unit": (s01(caller={"system_units": ["skole"]}), ("ROLE_KLE",)),
    "a role for the very subject": (s01(caller={"roles": [role(kle=["15.20.04"])]}), GIVEN),
    "a role for the group": (s01(caller={"roles": [role(kle=["15.20.*"])]}), GIVEN),
    "a role for the neighbouring group": (s01(caller={"roles": [role(kle=["15.2.*"])]}), ("ROLE_KLE",)),
    "a role for a longer number": (s01(caller={"roles": [role(kle=["15.20.04.01"])]}), ("ROLE_KLE",)),
    "a star alone covers nothing": (s01(caller={"roles": [role(kle=["*"])]}), ("ROLE_KLE",)),
    "a role without subjects": (s01(caller={"roles": [role(kle=[])]}), ("ROLE_KLE",)),
    "a case without a subject": (s01(case={"kle": None}), ("ROLE_KLE",)),
    "a case of the whole main group": (s01(case={"kle": "15"}), GIVEN),
    "a role that never gives a view": (s01(caller={"roles": [role(name="borgerservice")]}), ("ROLE_KLE",)),
    "a group with a star behind its digits": (s01(caller={"roles": [role(kle=["15*"])]}), ("ROLE_KLE",)),
    "a role for no subject, on a case of one": (s01(caller={"roles": [role(kle=["99.99.99"])]}), ("ROLE_KLE",)),
    "a role for no subject, on a case of none": (
        s01(caller={"roles": [role(kle=["99.99.99"])]}, case={"kle": "99.99.99"}),
        GIVEN,
    ),
    "a role for a subject, on a case of none": (s01(case={"kle": "99.99.99"}), ("ROLE_KLE",)),
    "a role that only reviews": (s01(caller={"roles": [role(name="teamleder")]}), ("ROLE_KLE",)),
    "attested today": (s01(caller={"roles": [role(attested_on=20190304)]}), GIVEN),
    "attested tomorrow": (s01(caller={"roles": [role(attested_on=20190305)]}), ("ROLE_EXPIRED",)),
    "attested on 29 February: on 28 February": (
        s01(caller={"roles": [role(attested_on=20160229)]}, today=20170228, consents=[SAID_EARLY]),
        GIVEN,
    ),
    "attested on 29 February: on 1 March": (
        s01(caller={"roles": [role(attested_on=20160229)]}, today=20170301, consents=[SAID_EARLY]),
        ("ROLE_EXPIRED",),
    ),
    "coordinating, never attested": (s01(caller={"roles": [COORDINATING]}), ("ROLE_EXPIRED",)),
    "coordinating, attested a year ago": (s01(caller={"roles": [{**COORDINATING, "attested_on": 20180304}]}), GIVEN),
    "coordinating, attested a day too long ago": (
        s01(caller={"roles": [{**COORDINATING, "attested_on": 20180303}]}),
        ("ROLE_EXPIRED",),
    ),
    "a role that asks in danger only": (s01(caller={"roles": [role(name="vagt_akut")]}), ("ROLE_KLE",)),
    "a health person for the joint plan": (s01(caller={"roles": [role(name="sundhedsperson")]}), GIVEN),
    "a health person for a job plan": (
        s01(caller={"roles": [role(name="sundhedsperson")]}, ask={"purpose": "jobplan"}),
        ("ROLE_KLE",),
    ),
    "a school person: what the social centre does": (
        s01(caller={"roles": [role(name="skoleperson")]}),
        ("ROLE_KLE",),
    ),
    "a school person: well-being": (
        about(
            *HER,
            one=key("skole", "K02", VIKTOR),
            lines=[line("skole", "K02", VIKTOR)],
            caller={"roles": [role(name="skoleperson")]},
        ),
        GIVEN,
    ),
    "a mentor: their own schedule": (
        question(key("jobcenter", "B03"), caller={"roles": [role(name="mentor_udfoerer")]}),
        GIVEN,
    ),
    "a mentor: their own unit's plan": (
        question(key("jobcenter", "B01"), caller={"roles": [role(name="mentor_udfoerer")]}),
        ("ROLE_KLE",),
    ),
    "a mentor: another unit's schedule": (s01(caller={"roles": [role(name="mentor_udfoerer")]}), ("ROLE_KLE",)),
    "a mentor who is a caseworker too": (s01(caller={"roles": [role(name="mentor_udfoerer"), role()]}), GIVEN),
    "a mentor: the level of a narrow role is its own": (
        s01(caller={"roles": [role(name="mentor_udfoerer", sensitivity=4), role(sensitivity=2)]}),
        ("ROLE_SENSITIVITY",),
    ),
    "a delegated role, for those who live there": (
        about(person(ANNETTE, municipality="norrestrand"), lines=SAID, caller={"roles": [DELEGATED]}),
        GIVEN,
    ),
    "a delegated role, for those who live here": (s01(caller={"roles": [DELEGATED]}), ("ROLE_KLE",)),
    "a delegated role, where nobody knows": (
        about(person(ANNETTE, municipality=None), lines=SAID, caller={"roles": [DELEGATED]}),
        ("ROLE_KLE",),
    ),
    "a delegated role: its level is for those who live there": (
        s01(caller={"roles": [role(sensitivity=2), DELEGATED]}),
        ("ROLE_SENSITIVITY",),
    ),
    "a delegated role, the agreement ended": (
        about(person(ANNETTE, municipality="norrestrand"), caller={"roles": [DELEGATED]}, today=20220101),
        ("DELEGATION_EXPIRED",),
    ),
    "a delegated role, outside the agreement": (
        about(
            person(ANNETTE, municipality="norrestrand"),
            case={"kle": "27.24.03"},
            caller={"roles": [{**DELEGATED, "kle": ["27.*"]}]},
        ),
        ("OUTSIDE_DELEGATION",),
    ),
    "a delegated role tells nobody else where a citizen lives": (
        s01(caller={"roles": [DELEGATED]}, case={"caseworker_on_case": False}),
        ("NO_CASE_RELATION",),
    ),
    "a role delegated by oneself": (
        s01(caller={"roles": [{**DELEGATED, "delegated_from": "korsbaek"}]}),
        ("ROLE_KLE",),
    ),
    "never back: the delegator's own caseworker here": (
        about(
            person(ANNETTE),
            lines=[{**SAID[0], "recipient": "norre_social"}],
            caller={"municipality": "norrestrand", "unit": "norre_social", "system_units": ["norre_social"]},
            case={"unit": "norre_social"},
        ),
        ("NO_DELEGATION",),
    ),
    "attested a year ago": (s01(caller={"roles": [role(attested_on=20180304)]}), GIVEN),
    "attested a day too long ago": (s01(caller={"roles": [role(attested_on=20180303)]}), ("ROLE_EXPIRED",)),
    "below the level": (s01(caller={"roles": [role(sensitivity=2)]}), ("ROLE_SENSITIVITY",)),
    "the level from a role for another subject": (
        s01(caller={"roles": [role(sensitivity=2), role(kle=["27.*"], sensitivity=4)]}),
        ("ROLE_SENSITIVITY",),
    ),
    "the level from a second role for the subject": (
        s01(caller={"roles": [role(sensitivity=2), role(kle=["15.20.*"], sensitivity=3)]}),
        GIVEN,
    ),
}
CASE = {
    "no such case": (s01(case={"exists": False}), ("CASE_MISMATCH",)),
    "a closed case": (s01(case={"open": False}), ("CASE_MISMATCH",)),
    "another citizen's case": (s01(case={"concerns_citizen": False}), ("CASE_MISMATCH",)),
    "another unit's case": (s01(case={"unit": "skole"}), ("CASE_MISMATCH",)),
    "a citizen no register knows": (about(person(ANNETTE, known=False)), ("CASE_MISMATCH",)),
    "a role is not tested on a case that is another's": (
        s01(case={"concerns_citizen": False, "kle": "27.00"}, caller={"roles": []}),
        ("CASE_MISMATCH",),
    ),
    "not on the case": (s01(case={"caseworker_on_case": False}), ("NO_CASE_RELATION",)),
    "a register is silent": (s01(failed_registers=["cpr"]), ("SOURCE_UNAVAILABLE",)),
    "what a silent register might have said is not told": (
        s01(failed_registers=["cases"], caller={"employed": False}, case={"exists": False}),
        ("SOURCE_UNAVAILABLE",),
    ),
    "lives elsewhere, under a delegation": (about(person(ANNETTE, municipality="norrestrand"), lines=SAID), GIVEN),
    "lives elsewhere, no agreement": (about(person(ANNETTE, municipality="dragsholm")), ("NO_DELEGATION",)),
    "nobody knows where they live": (about(person(ANNETTE, municipality=None)), ("NO_DELEGATION",)),
    "the delegation's last day": (
        about(
            person(ANNETTE, municipality="norrestrand"),
            lines=[line("socialcenter", "S01", **{"from": 20211231, "to": 20211231})],
            today=20211231,
        ),
        GIVEN,
    ),
    "the day after": (
        about(person(ANNETTE, municipality="norrestrand"), today=20220101),
        ("DELEGATION_EXPIRED",),
    ),
    "before it began": (
        about(person(ANNETTE, municipality="norrestrand"), today=20061231),
        ("DELEGATION_EXPIRED",),
    ),
    "a delegation of other subjects": (
        about(
            person(ANNETTE, municipality="norrestrand"), case={"kle": "27.24.03"},
            caller={"roles": [role(kle=["27.*"])]},
        ),
        ("OUTSIDE_DELEGATION",),
    ),
}  # fmt: skip
PURPOSE = {
    "an unknown purpose": (s01(ask={"purpose": "nysgerrighed"}), ("PURPOSE_MISMATCH",)),
    "outside the purpose's bound": (question(key("sundhed", "H02")), ("PURPOSE_MISMATCH",)),
    "never shared": (question(key("familiecenter", "F04")), ("PURPOSE_MISMATCH",)),
    "not held by the source": (question(key("socialcenter", "H01")), ("PURPOSE_MISMATCH",)),
    "an unknown source": (question(key("nowhere", "S01")), ("PURPOSE_MISMATCH",)),
    "an unknown category": (question(key("socialcenter", "X01")), ("PURPOSE_MISMATCH",)),
    "the unit's own, outside the bound": (question(key("jobcenter", "B04")), ("PURPOSE_MISMATCH",)),
    "the unit's own": (question(key("jobcenter", "B01")), GIVEN),
    "no role reaches outside the bound, whatever its level": (
        question(key("socialcenter", "S05"), caller={"roles": [role(sensitivity=4)]}),
        ("PURPOSE_MISMATCH",),
    ),
}
PERSON = {
    "dead": (about(person(ANNETTE, dead_on=20190304), lines=SAID), ("SUBJECT_DECEASED",)),
    "dead tomorrow, in a replay": (about(person(ANNETTE, dead_on=20190305), lines=SAID), GIVEN),
    "dead, and the data the unit's own": (
        about(person(ANNETTE, dead_on=20190301), one=key("jobcenter", "B01")),
        ("SUBJECT_DECEASED",),
    ),
    "of unknown age": (about(person(ANNETTE, born=None), lines=SAID), ("CUSTODY_UNKNOWN",)),
    "the unit's own, of unknown age": (about(person(ANNETTE, born=None), one=key("jobcenter", "B01")), GIVEN),
    "a child in nobody's custody": (
        about(person(ANNETTE), child(custody=[]), one=F01, lines=[line("familiecenter", "F01", VIKTOR)]),
        ("CUSTODY_UNKNOWN",),
    ),
    "custody that ended yesterday": (
        about(
            person(ANNETTE), child(custody=[{"holder": ANNETTE, "from": 20060920, "to": 20190303}]), one=F01,
            lines=[line("familiecenter", "F01", VIKTOR)],
        ),
        ("CUSTODY_UNKNOWN",),
    ),
    "a dead child": (about(person(ANNETTE), child(dead_on=20180101), one=F01), ("CUSTODY_UNKNOWN",)),
    "someone the question does not name": (question(key("socialcenter", "S01", "h-nobody")), ("CUSTODY_UNKNOWN",)),
    "a minor citizen in nobody's custody": (about(person(ANNETTE, born=20060101)), ("CUSTODY_UNKNOWN",)),
    "18 today: consents alone": (about(person(ANNETTE, born=20010304), lines=SAID), GIVEN),
    "18 tomorrow: does not": (about(person(ANNETTE, born=20010305), lines=SAID), ("CUSTODY_UNKNOWN",)),
    "15: health on one's own word": (
        about(
            person(ANNETTE), at_fifteen(), one=key("sundhed", "H01", VIKTOR),
            lines=[line("sundhed", "H01", VIKTOR, VIKTOR)],
        ),
        GIVEN,
    ),
    "15: health on the mother's word": (
        about(
            person(ANNETTE), at_fifteen(), one=key("sundhed", "H01", VIKTOR),
            lines=[line("sundhed", "H01", VIKTOR, ANNETTE)],
        ),
        ("CHILD_OWN_CONSENT",),
    ),
    "15 tomorrow: health on the mother's word": (
        about(
            person(ANNETTE), at_fifteen(born=20040305), one=key("sundhed", "H01", VIKTOR),
            lines=[line("sundhed", "H01", VIKTOR, ANNETTE)],
        ),
        GIVEN,
    ),
    "15: the family's help on the mother's word": (
        about(person(ANNETTE), at_fifteen(), one=F01, lines=[line("familiecenter", "F01", VIKTOR)]),
        ("CHILD_OWN_CONSENT",),
    ),
    "15: the family's help on their own word": (
        about(person(ANNETTE), at_fifteen(), one=F01, lines=[line("familiecenter", "F01", VIKTOR, VIKTOR)]),
        ("CUSTODY_INCOMPLETE",),
    ),
    "15: the family's help on both their words": (
        about(
            person(ANNETTE), at_fifteen(), one=F01,
            lines=[line("familiecenter", "F01", VIKTOR), line("familiecenter", "F01", VIKTOR, VIKTOR)],
        ),
        GIVEN,
    ),
    "15, born on 29 February: not yet on the 28th": (
        about(
            person(ANNETTE), at_fifteen(born=20040229), one=H01V, lines=[line("sundhed", "H01", VIKTOR, **EARLY)],
            today=20190228,
        ),
        GIVEN,
    ),
    "15, born on 29 February: from 1 March": (
        about(
            person(ANNETTE), at_fifteen(born=20040229), one=H01V, lines=[line("sundhed", "H01", VIKTOR, **EARLY)],
            today=20190301,
        ),
        ("CHILD_OWN_CONSENT",),
    ),
    "18, born on 29 February: not yet on the 28th": (
        about(person(ANNETTE, born=20010229), lines=[line("socialcenter", "S01", **EARLY)], today=20190228),
        ("CUSTODY_UNKNOWN",),
    ),
    "18, born on 29 February: from 1 March": (
        about(person(ANNETTE, born=20010229), lines=[line("socialcenter", "S01", **EARLY)], today=20190301), GIVEN,
    ),
    "17: health on one's own word, though nobody holds custody any more": (
        about(
            person(ANNETTE), at_fifteen(born=20010305), one=H01V, lines=[line("sundhed", "H01", VIKTOR, VIKTOR)],
        ),
        GIVEN,
    ),
    "18 today: the mother's word no longer counts": (
        about(person(ANNETTE), at_fifteen(born=20010304), one=F01, lines=[line("familiecenter", "F01", VIKTOR)]),
        ("NO_CONSENT",),
    ),
    "18 today: their own word alone": (
        about(
            person(ANNETTE), at_fifteen(born=20010304), one=F01,
            lines=[line("familiecenter", "F01", VIKTOR, VIKTOR)],
        ),
        GIVEN,
    ),
    "14: from the mother alone, though the child is a party to the case": (
        about(person(ANNETTE), at_fifteen(born=20040305), one=F01, lines=[line("familiecenter", "F01", VIKTOR)]),
        GIVEN,
    ),
    "custody that ends today": (
        about(
            person(ANNETTE), child(custody=[{"holder": ANNETTE, "from": 20060920, "to": 20190304}]), one=F01,
            lines=[line("familiecenter", "F01", VIKTOR)],
        ),
        GIVEN,
    ),
    "the other parent died, and the register ended their custody": (
        about(
            person(ANNETTE), child(custody=[HELD, {"holder": BO, "from": 20060920, "to": 20190303}]), one=F01,
            lines=[line("familiecenter", "F01", VIKTOR)],
        ),
        GIVEN,
    ),
    "custody passed to the other parent yesterday": (
        about(
            person(ANNETTE),
            child(custody=[{**HELD, "to": 20190303}, {"holder": BO, "from": 20190304, "to": 99991231}]), one=F01,
            lines=[line("familiecenter", "F01", VIKTOR)],
        ),
        ("NO_CONSENT",),
    ),
    "under guardianship, on one's own word": (
        about(person(ANNETTE, representatives=[representative()]), lines=SAID), ("GUARDIAN_SCOPE",),
    ),
    "under guardianship, on the guardian's word": (
        by(BO, representative()), GIVEN,
    ),
    "the guardian's last day": (by(BO, representative(BO, "guardian_5", "personal", to=20190304)), GIVEN),
    "the day after the guardianship": (
        by(BO, representative(BO, "guardian_5", "personal", to=20190303)), ("GUARDIAN_SCOPE",),
    ),
    "the day after the guardianship, on one's own word": (
        by(ANNETTE, representative(BO, "guardian_5", "personal", to=20190303)), GIVEN,
    ),
    "the guardian's first day": (by(BO, representative(BO, "guardian_5", "personal", **{"from": 20190304})), GIVEN),
    "the day before the guardianship": (
        by(BO, representative(BO, "guardian_5", "personal", **{"from": 20190305})), ("GUARDIAN_SCOPE",),
    ),
    "a guardian for money alone, on what is personal": (
        by(BO, representative(BO, "guardian_5", "economic")), ("GUARDIAN_SCOPE",),
    ),
    "a guardian for money alone: the rest is one's own to say": (
        by(ANNETTE, representative(BO, "guardian_5", "economic")), GIVEN,
    ),
    "a guardian for money alone, on benefits": (
        by(BO, representative(BO, "guardian_5", "economic"), Y01), GIVEN,
    ),
    "a guardian for money alone: one's own word on benefits": (
        by(ANNETTE, representative(BO, "guardian_5", "economic"), Y01), ("GUARDIAN_SCOPE",),
    ),
    "a guardian whose paper names nothing": (
        by(BO, {**representative(BO, "guardian_5"), "scope": []}), ("GUARDIAN_SCOPE",),
    ),
    "a guardian by § 6, on benefits": (by(BO, representative(BO), Y01), GIVEN),
    "an attorney whose power names sharing": (by(BO, representative(BO, "power_of_attorney", *SHARES)), GIVEN),
    "an attorney: one's own word still counts": (
        by(ANNETTE, representative(BO, "power_of_attorney", *SHARES)), GIVEN,
    ),
    "an attorney whose power does not name sharing": (
        by(BO, representative(BO, "power_of_attorney", "personal")), ("GUARDIAN_SCOPE",),
    ),
    "an attorney whose power names sharing, of money": (
        by(BO, representative(BO, "power_of_attorney", "data_sharing", "economic")), ("GUARDIAN_SCOPE",),
    ),
    "a power of attorney that ended yesterday": (
        by(BO, representative(BO, "power_of_attorney", *SHARES, to=20190303)), ("GUARDIAN_SCOPE",),
    ),
    "a fremtidsfuldmagt that names sharing": (by(BO, representative(BO, "future_power", *SHARES)), GIVEN),
    "a fremtidsfuldmagt in force: one's own word": (
        by(ANNETTE, representative(BO, "future_power", *SHARES)), ("GUARDIAN_SCOPE",),
    ),
    "a fremtidsfuldmagt that does not name sharing: one's own word": (
        by(ANNETTE, representative(BO, "future_power", "personal")), GIVEN,
    ),
    "a bisidder": (by(BO, representative(BO, "assistant", *SHARES)), ("GUARDIAN_SCOPE",)),
    "a representative of a kind nobody knows": (by(BO, representative(BO, "friend", *SHARES)), ("GUARDIAN_SCOPE",)),
    "two guardians, one for each part": (
        by(BO, representative(BO, "guardian_5", "personal"), more=[representative(VIKTOR, "guardian_5", "economic")]),
        GIVEN,
    ),
    "a minor's guardian does not speak for their health": (
        about(
            person(ANNETTE), at_fifteen(representatives=[representative()]), one=key("sundhed", "H01", VIKTOR),
            lines=[line("sundhed", "H01", VIKTOR, BO)],
        ),
        ("CHILD_OWN_CONSENT",),
    ),
    "a protected address": (
        question(
            key("socialcenter", "P02"), ask={"purpose": "funktionsudredning"},
            subjects=[person(ANNETTE, protected=True)],
        ),
        ("ADDRESS_PROTECTED",),
    ),
    "an address of unknown protection": (
        question(
            key("socialcenter", "P02"), ask={"purpose": "funktionsudredning"},
            subjects=[person(ANNETTE, protected=None)],
        ),
        ("ADDRESS_PROTECTED",),
    ),
    "a protected case: named on it, with the highest level": (s01(case={"vip": True}, caller={"roles": [HIGH]}), GIVEN),
    "a protected case: of level 3": (s01(case={"vip": True}), ("VIP_NO_GROUNDS",)),
    "a protected case: by the team alone": (
        s01(case={"vip": True, "caseworker_named": False}, caller={"roles": [HIGH]}), ("VIP_NO_GROUNDS",),
    ),
    "a protected case: the highest level for another subject": (
        s01(case={"vip": True}, caller={"roles": [role(), {**HIGH, "kle": ["27.*"]}]}), ("VIP_NO_GROUNDS",),
    ),
    "a protected case: the highest level, attested too long ago": (
        s01(case={"vip": True}, caller={"roles": [role(), {**HIGH, "attested_on": 20180303}]}), ("VIP_NO_GROUNDS",),
    ),
    "a protected case, and the data the unit's own": (
        question(key("jobcenter", "B01"), case={"vip": True}), ("VIP_NO_GROUNDS",),
    ),
    "related": (s01(related=True), ("SELF_OR_RELATED",)),
    "related, and the data the unit's own": (question(key("jobcenter", "B01"), related=True), ("SELF_OR_RELATED",)),
}  # fmt: skip
CONSENT = {
    "none": (question(S01), ("NO_CONSENT",)),
    "first day": (s01(today=20190301), GIVEN),
    "the day before": (s01(today=20190228), ("CONSENT_NOT_YET_VALID",)),
    "last day, a leap day": (s01(today=20200229), GIVEN),
    "the day after": (s01(today=20200301), ("CONSENT_EXPIRED",)),
    "withdrawn": (question(S01, consents=[line("socialcenter", "S01", state="withdrawn")]), ("CONSENT_REVOKED",)),
    "withdrawn and long past": (
        question(S01, consents=[line("socialcenter", "S01", state="withdrawn")], today=20210101),
        ("CONSENT_REVOKED",),
    ),
    "paused": (question(S01, consents=[line("socialcenter", "S01", state="paused")]), ("NO_CONSENT",)),
    "withdrawn, and given anew": (
        question(S01, consents=[line("socialcenter", "S01", state="withdrawn"), {**SAID[0], "id": "l2"}]),
        GIVEN,
    ),
    "to another unit": (
        question(S01, consents=[line("socialcenter", "S01", recipient="skole")]), ("OUT_OF_SCOPE_RECIPIENT",),
    ),
    "for another purpose": (question(S01, consents=[line("socialcenter", "S01", purpose="jobplan")]), ("NO_CONSENT",)),
    "for another case": (question(S01, consents=[line("socialcenter", "S01", case="c-9")]), ("NO_CONSENT",)),
    "of another category from the source": (
        question(S01, consents=[line("socialcenter", "S02")]), ("OUT_OF_SCOPE_CATEGORY",),
    ),
    "of the category from another source": (
        question(S01, consents=[line("norre_social", "S01")]), ("OUT_OF_SCOPE_SOURCE",),
    ),
    "of source and category, each elsewhere": (
        question(S01, consents=[line("norre_social", "S01"), line("socialcenter", "S02")]), ("OUT_OF_SCOPE_CATEGORY",),
    ),
    "about someone else": (
        about(*HER, lines=[line("socialcenter", "S01", VIKTOR)]), ("NO_CONSENT",),
    ),
    "given by someone else": (question(S01, consents=[line("socialcenter", "S01", giver=BO)]), ("NO_CONSENT",)),
    "blocked": (s01(blocks=[block()]), ("BLOCKED_BY_CITIZEN",)),
    "blocked for the source": (s01(blocks=[block(source="socialcenter")]), ("BLOCKED_BY_CITIZEN",)),
    "blocked for the category": (s01(blocks=[block(category="S01")]), ("BLOCKED_BY_CITIZEN",)),
    "blocked for the unit that asks": (s01(blocks=[block(unit="jobcenter")]), ("BLOCKED_BY_CITIZEN",)),
    "blocked for another source": (s01(blocks=[block(source="skole")]), GIVEN),
    "blocked for another unit": (s01(blocks=[block(unit="skole")]), GIVEN),
    "blocked for another category": (s01(blocks=[block(category="S02")]), GIVEN),
    "another person's block": (about(*HER, lines=SAID, blocks=[block(VIKTOR)]), GIVEN),
    "blocked, and never given": (question(S01, blocks=[block()]), ("BLOCKED_BY_CITIZEN", "NO_CONSENT")),
    "the unit's own is not blocked": (question(key("jobcenter", "B01"), blocks=[block()]), GIVEN),
    "a child: one of two holders": (
        about(*THEIRS, one=F01, lines=[line("familiecenter", "F01", VIKTOR)]), ("CUSTODY_INCOMPLETE",),
    ),
    "a child: the other of two holders": (
        about(*THEIRS, one=F01, lines=[line("familiecenter", "F01", VIKTOR, BO)]), ("CUSTODY_INCOMPLETE",),
    ),
    "a child: one said yes, the other took it back": (
        about(
            *THEIRS, one=F01,
            lines=[
                line("familiecenter", "F01", VIKTOR),
                line("familiecenter", "F01", VIKTOR, BO, state="withdrawn"),
            ],
        ),
        ("CUSTODY_INCOMPLETE",),
    ),
    "a child: both took it back": (
        about(
            *THEIRS, one=F01,
            lines=[line("familiecenter", "F01", VIKTOR, who, state="withdrawn") for who in (ANNETTE, BO)],
        ),
        ("CONSENT_REVOKED",),
    ),
    "a child: school absence takes both holders too": (
        about(*THEIRS, one=key("skole", "K01", VIKTOR), lines=[line("skole", "K01", VIKTOR)]), ("CUSTODY_INCOMPLETE",),
    ),
    "a child: its own word does not count": (
        about(*HER, one=F01, lines=[line("familiecenter", "F01", VIKTOR, VIKTOR)]), ("NO_CONSENT",),
    ),
    "a minor citizen: one holder is enough for benefits": (
        about(child(ANNETTE, BO, VIKTOR, child_of_citizen=False), one=key("ydelse", "Y01"),
              lines=[line("ydelse", "Y01", giver=BO)]),
        GIVEN,
    ),
    "a child's category where the citizen has no child": (
        question(key("familiecenter", "F01"), consents=[line("familiecenter", "F01")]), GIVEN,
    ),
}  # fmt: skip
HELP = {"unit": "ydelse", "system_units": ["ydelse"], "roles": [role(kle=["32.*"])]}
HELP_CASE = {"unit": "ydelse", "kle": "32.24.04"}
CHILD_CASE = {"unit": "socialcenter", "kle": "27.24.03", "consent_tried": True}
SOCIAL = {"unit": "socialcenter", "system_units": ["socialcenter"], "roles": [role(kle=["27.*"])]}
AT_SCHOOL = key("skole", "K01")
STATUTE = {
    "financial help: where someone lives, by law": (
        question(
            key("socialcenter", "P02"), ask={"purpose": "oekonomisk_hjaelp"}, caller=HELP, case=HELP_CASE,
        ),
        GIVEN,
    ),
    "financial help in a case of another kind": (
        question(
            key("socialcenter", "P02"), ask={"purpose": "oekonomisk_hjaelp"}, case={"kle": "15.20.04"},
        ),
        ("NO_CONSENT",),
    ),
    "sickness benefit: which benefits, by law": (
        question(key("ydelse", "Y01"), ask={"purpose": "sygedagpengeopfoelgning"}), GIVEN,
    ),
    "sickness benefit: a name takes consent, though the same unit holds it": (
        question(key("ydelse", "P01"), ask={"purpose": "sygedagpengeopfoelgning"}), ("NO_CONSENT",),
    ),
    "sickness benefit: health takes consent": (
        question(key("sundhed", "H01"), ask={"purpose": "sygedagpengeopfoelgning"}), ("NO_CONSENT",),
    ),
    "a child's case: by law, without any yes": (
        about(
            *HER, one=F01, ask={"purpose": "boernefaglig_undersoegelse"}, case=CHILD_CASE, caller=SOCIAL,
        ),
        GIVEN,
    ),
    "a child's case: 18 tomorrow is a child still": (
        about(
            person(ANNETTE), child(VIKTOR, ANNETTE, born=20010305), one=F01,
            ask={"purpose": "boernefaglig_undersoegelse"}, case=CHILD_CASE, caller=SOCIAL,
        ),
        GIVEN,
    ),
    "a child's case: 18 today is none": (
        about(
            person(ANNETTE), child(VIKTOR, ANNETTE, born=20010304), one=F01,
            ask={"purpose": "boernefaglig_undersoegelse"}, case=CHILD_CASE, caller=SOCIAL,
        ),
        ("NO_CONSENT",),
    ),
    "a child's case: a block does not stand against the law": (
        about(
            *HER, one=F01, ask={"purpose": "boernefaglig_undersoegelse"}, case=CHILD_CASE, caller=SOCIAL,
            blocks=[block(VIKTOR)],
        ),
        GIVEN,
    ),
    "a child's case without a child": (
        question(AT_SCHOOL, ask={"purpose": "boernefaglig_undersoegelse"}, case=CHILD_CASE, caller=SOCIAL),
        ("NO_CONSENT",),
    ),
    "moved here: from the municipality left": (
        question(key("norre_social", "S01"), ask={"purpose": "flytning"}, case=CHILD_CASE, caller=SOCIAL),
        GIVEN,
    ),
    "moved here: not from our own": (
        question(key("familiecenter", "F01"), ask={"purpose": "flytning"}, case=CHILD_CASE, caller=SOCIAL),
        ("NO_CONSENT",),
    ),
    "early preventive work: a second meeting that nobody calls the follow-up": (
        about(
            person(ANNETTE), child(meetings=[20190225]), one=F01, ask={"purpose": "ssd_moede"}, case=CHILD_CASE,
            caller=SOCIAL,
        ),
        ("SSD_LIMIT_REACHED",),
    ),
    "danger to life: not by an ordinary ask": (
        question(
            key("sundhed", "E01"), ask={"purpose": "fare_for_liv"}, case={"kle": "29.00"},
            caller={"roles": [role(kle=["29.*"])]},
        ),
        ("EMERGENCY_NOT_JUSTIFIED",),
    ),
}  # fmt: skip
TABLE = {
    f"{stage}: {name}": row
    for stage, rows in (
        ("caller", CALLER), ("case", CASE), ("purpose", PURPOSE), ("person", PERSON), ("consent", CONSENT),
        ("statute", STATUTE),
    )
    for name, row in rows.items()
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_the_table(engines: Engines, engine: str, name: str) -> None:
    """Each row ends as it says: given on a basis, or withheld for just these reasons."""
    asked, expected = TABLE[name]

    verdict = engines.verdict(engine, asked)

    if expected == GIVEN:
        assert (verdict.released, verdict.reasons) == (True, ())
        assert verdict.basis
    else:
        assert (verdict.released, verdict.reasons) == (False, expected)


def test_every_engine_gives_the_rows_the_same_decision(engines: Engines, engine: str) -> None:
    """Each row's whole decision, with what is shown, masked, missing, is the model's (`tools/mutants` counts on it)."""
    assert engines.differing(engine, {name: asked for name, (asked, _) in TABLE.items()}) == []


def test_what_the_asker_sees(engines: Engines, engine: str) -> None:
    """A reason that the asker may see is shown as it is; one of the log alone never (`test_shown.py` says what is)."""
    for asked, expected in TABLE.values():
        if expected == GIVEN:
            continue

        verdict = engines.verdict(engine, asked)

        seen = tuple(code for code in expected if TABLES["reasons"][code]["caller"])
        assert verdict.shown == seen or not seen
        assert all(TABLES["reasons"][code]["caller"] for code in verdict.shown)


@pytest.mark.parametrize(
    ("subjects", "one", "masks"),
    [
        ([person(ANNETTE)], S01, ()),
        ([person(ANNETTE, protected=True)], S01, ("address",)),
        ([person(ANNETTE, protected=None)], S01, ("address",)),
        (HER, F01, ("child_name",)),
        ([person(ANNETTE), child(protected=True)], F01, ("address", "child_name")),
        ([person(ANNETTE, protected=True), child()], F01, ("address", "child_name")),
        ([person(ANNETTE), child(protected=True)], S01, ()),
    ],
)
def test_masks(engines: Engines, engine: str, subjects: Any, one: dict[str, str], masks: tuple[str, ...]) -> None:
    """A child's name, and what tells a protected place, are masked in what goes out."""
    lines = [*SAID, line("familiecenter", "F01", VIKTOR)]

    verdict = engines.verdict(engine, question(one, subjects=subjects, consents=lines))

    assert (verdict.outcome, verdict.masks) == ("mask" if masks else "release", masks)


def test_own_data_keeps_the_childs_name(engines: Engines, engine: str) -> None:
    """The family centre sees the name of the child it helps."""
    caller = {"unit": "familiecenter", "system_units": ["familiecenter"], "roles": [role(kle=["27.*"])]}
    case = {"unit": "familiecenter", "kle": "27.27.06"}

    verdict = engines.verdict(engine, question(F01, subjects=HER, caller=caller, case=case))

    assert (verdict.outcome, verdict.own, verdict.masks) == ("release", True, ())


def test_childless_looks_like_withheld(engines: Engines, engine: str) -> None:
    """A child's category answers alike where the citizen has no child and where nobody consented for the child."""
    named = [line("familiecenter", "F02", ANNETTE), *SAID]
    one, other = key("familiecenter", "F01"), F01

    without = engines.verdict(engine, question(one, consents=named))
    withheld = engines.verdict(engine, question(other, subjects=HER, consents=named))

    assert (without.shown, without.missing) == (withheld.shown, withheld.missing)
    assert without.shown == ("OUT_OF_SCOPE_CATEGORY",)


def test_the_statute_is_named(engines: Engines, engine: str) -> None:
    """What the law lets go names the statute and the version of its row."""
    verdict = engines.verdict(engine, STATUTE["financial help: where someone lives, by law"][0])

    assert [(basis.kind, basis.id, basis.version) for basis in verdict.basis] == [("statute", "RSL-11a-2", "1")]


def test_strict_municipality(engines: Engines, engine: str) -> None:
    """A municipality that is strict about KLE lets a role see the categories of its own subjects only."""
    strict = tables(municipalities={"korsbaek": {"strict_kle": True}, "norrestrand": {"strict_kle": False}})
    wide = {"roles": [role(kle=["15.*", "27.*"])]}

    narrow = engines.verdict(engine, s01(), strict)
    widened = engines.verdict(engine, s01(caller=wide), strict)

    assert narrow.reasons == ("ROLE_KLE",)
    assert widened.released


def test_delegations_add_up(engines: Engines, engine: str) -> None:
    """One delegation in force that covers the case is enough, whatever others say."""
    law = tables(delegations={"a": delegation(["27.*"]), "b": delegation(["15.20.*"], to_day=20190304)})
    elsewhere = [person(ANNETTE, municipality="norrestrand")]

    today, tomorrow = (engines.verdict(engine, s01(subjects=elsewhere, today=day), law) for day in (20190304, 20190305))

    assert today.released
    assert tomorrow.reasons == ("OUTSIDE_DELEGATION",)
