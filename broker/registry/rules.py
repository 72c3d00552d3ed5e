"""The rules of the registry that no schema can say: what stands once, windows, caps, trials, delegations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from broker.domain.addresses import address_fault
from broker.domain.catalogue import CATALOGUE
from broker.domain.retention import KEPT, term
from broker.registry.directory import day
from broker.registry.faults import Fault, listed, nearest, shown
from broker.registry.sheet import Row, Sheet

# L3 grants one plan in place of others, but never of this part (domain.md 1.3, C23).
NEVER_REPLACED = "rehab_forberedende_del"
# What no two entries of a section may share.
_ONCE = (
    ("municipalities", "cvr", "CVR number"),
    ("municipalities", "code", "municipality code"),
    ("employers", "issuer", "issuer"),
    ("consent_issuers", "issuer", "issuer"),
)


def rule_faults(sheet: Sheet) -> Iterator[Fault]:
    """Yield every fault against these rules."""
    yield from _said_twice(sheet)
    yield from _networks(sheet)
    yield from _trials(sheet)
    yield from _delegations(sheet)
    yield from _approvals(sheet)
    yield from _retention(sheet)
    for section in ("delegations", "trials", "standing_approvals"):
        for row in sheet.rows(section):
            yield from _window(row)
    for row in sheet.rows("providers"):
        issuer = row.text("issuer")
        if issuer is not None and (fault := address_fault(issuer)):
            yield row.fault("issuer", fault, "write the provider's https address")


def _said_twice(sheet: Sheet) -> Iterator[Fault]:
    for section, field, word in _ONCE:
        first: dict[str, str] = {}
        for row in sheet.rows(section):
            told = row.text(field)
            if told is not None and (owner := first.setdefault(told, row.name)) != row.name:
                remedy = f"give each its own {field}, or keep one entry"
                yield row.fault(field, f"has the same {word} as {section}.{shown(owner)}", remedy)


def _networks(sheet: Sheet) -> Iterator[Fault]:
    for row in sheet.rows("networks"):
        most, members = row.number("max_members"), row.texts("members")
        if most is not None and len(members) > most:
            what = f"{len(members)} members, at most {most}"
            yield row.fault("members", what, "take members out, or raise max_members (null: no cap)")


def _trials(sheet: Sheet) -> Iterator[Fault]:
    for row in sheet.rows("trials"):
        for path, plan in row.texts("replaces"):
            if plan == NEVER_REPLACED:
                what = f"{NEVER_REPLACED} was not granted and is never replaced"
                yield sheet.fault(path, what, "take it out of replaces:")
        yield from _target_group(row)
        home, network = row.text("municipality"), sheet.row("networks", row.text("network") or "")
        if home and network and home not in [name for _, name in network.texts("members")]:
            what = f"{shown(home)} is not a member of {network.name}"
            yield row.fault("municipality", what, f"add {shown(home)} under networks.{network.name}.members:")
    for one, other in combinations(sheet.rows("trials"), 2):
        same = all(one.text(field) == other.text(field) for field in ("network", "municipality", "kind"))
        if same and _overlap(one, other):
            what = f"overlaps trials.{one.name}: the same network, municipality and kind on the same days"
            yield other.fault(None, what, "end the one before the other begins")


def _target_group(trial: Row) -> Iterator[Fault]:
    for name in ("ages", "child_ages"):
        ages = trial.sheet.row("trials", trial.name, "target_group", name)
        first, last = (ages.number("from"), ages.number("to")) if ages else (None, None)
        if ages and first is not None and last is not None and first > last:
            yield ages.fault("to", f"comes before {first}", "write the younger age under from:")


def _delegations(sheet: Sheet) -> Iterator[Fault]:
    rows = list(sheet.rows("delegations"))
    for row in rows:
        if row.text("from") is not None and row.text("from") == row.text("to"):
            what = f"{shown(row.text('from') or '')} delegates to itself"
            yield row.fault("to", what, "name the municipality that acts for it")
    for one, other in combinations(rows, 2):
        ends = (one.text("from"), one.text("to"))
        if None in ends or not _overlap(one, other) or not _share_kle(one, other):
            continue
        if ends == (other.text("from"), other.text("to")):
            what = f"overlaps delegations.{one.name}: the same parties, KLE and days"
            yield other.fault(None, what, "keep one, or end the one before the other begins")
        elif ends == (other.text("to"), other.text("from")):
            what = f"hands back what delegations.{one.name} delegates: the same KLE and days the other way"
            yield other.fault(None, what, "what was delegated is never delegated back; take one out")


def _approvals(sheet: Sheet) -> Iterator[Fault]:
    for row in sheet.rows("standing_approvals"):
        for path, unit in row.texts("to_units"):
            if unit == row.text("unit"):
                what = f"{shown(unit)} says yes to itself"
                yield sheet.fault(path, what, "take it out of to_units: two units decide, never one")


def _retention(sheet: Sheet) -> Iterator[Fault]:
    """Yield kinds of events that there are not or that are kept for good, and terms that the law does not bear."""
    known = {event.name for event in CATALOGUE} - KEPT
    for home in sheet.rows("municipalities"):
        kept = sheet.row("municipalities", home.name, "retention")
        if kept is None:
            continue
        months = kept.fields.get("months")
        named = [((*kept.path, "months", kind), kind) for kind in months] if isinstance(months, dict) else []
        for path, kind in (*named, *kept.texts("archive")):
            if kind not in known:
                meant = nearest(kind, known)
                remedy = f"did you mean {meant}?" if meant else f"write one of {listed(sorted(known))}"
                yield sheet.fault(path, "is no kind of event that is ever deleted", remedy)
        for path, kind in named:
            told, bounds = sheet.at(path), term(kind)
            if kind in known and isinstance(told, int) and not bounds.least <= told <= bounds.most:
                remedy = f"write {bounds.least} to {bounds.most} months"
                yield sheet.fault(path, f"{shown(kind)} cannot be kept for {told} months", remedy)


def _share_kle(one: Row, other: Row) -> bool:
    return any(_covers(a, b) or _covers(b, a) for _, a in one.texts("kle") for _, b in other.texts("kle"))


def _covers(limit: str, kle: str) -> bool:
    """Whether a KLE limit such as `15.*` covers all of another."""
    stem = kle.removesuffix(".*")
    return kle == limit or (limit.endswith(".*") and f"{stem}.".startswith(limit[:-1]))


def _window(row: Row) -> Iterator[Fault]:
    days = _days(row)
    for field, number in zip(("from_day", "to_day"), days, strict=True):
        if number is None and row.text(field) is not None:
            yield row.fault(field, "is no calendar day", 'write a day that exists, such as "2019-02-28"')
    if None not in days and (days[0] or 0) > (days[1] or 0):
        yield row.fault("to_day", "ends before it begins", "let to_day be from_day or later")


def _days(row: Row) -> tuple[int | None, int | None]:
    return _number(row.text("from_day")), _number(row.text("to_day"))


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else day(text)
    except ValueError:
        return None


def _overlap(one: Row, other: Row) -> bool:
    (a, b), (c, d) = _days(one), _days(other)
    return a is not None and b is not None and c is not None and d is not None and a <= d and c <= b
