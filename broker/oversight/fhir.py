"""Entries of the log as FHIR R4 (4.0.1) AuditEvents, for whoever gathers logs in that form. Pure.

Rules kept here:
- Made of the index row alone, which holds codes and handles: no body is opened, no name and no number is in it.
- Types are DICOM's audit codes (DCM); what we have no foreign code for stands under `urn:borgerbro:`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from broker.domain.entries import LogEntry

DCM = "http://dicom.nema.org/resources/ontology/DCM"
HL7 = "http://terminology.hl7.org/CodeSystem/"
OURS = "urn:borgerbro:"
APPLICATION, AUDIT_USED, EXPORT, RECORD, QUERY, ALERT, OVERRIDE, CONFIGURATION = (
    ("110100", "Application Activity"), ("110101", "Audit Log Used"), ("110106", "Export"),
    ("110110", "Patient Record"), ("110112", "Query"), ("110113", "Security Alert"),
    ("110127", "Emergency Override Started"), ("110129", "Security Configuration"),
)  # fmt: skip
CREATE, READ, UPDATE, DELETE, EXECUTE = "C", "R", "U", "D", "E"
# Kind of entry, or what it begins with → DICOM's type, and the action. The first that fits counts.
TYPES: tuple[tuple[str, tuple[str, str], str], ...] = (
    ("ask", QUERY, EXECUTE),
    ("outcome", EXPORT, READ),
    ("own.", QUERY, READ),
    ("desk.looked", RECORD, READ),
    ("break_glass.", OVERRIDE, EXECUTE),
    ("consent.granted", RECORD, CREATE),
    ("consent.requested", RECORD, CREATE),
    ("consent.", RECORD, UPDATE),
    ("stop.received", RECORD, UPDATE),
    ("block.changed", RECORD, UPDATE),
    ("inquiry.sent", RECORD, CREATE),
    ("inquiry.read", RECORD, READ),
    ("inquiry.", RECORD, UPDATE),
    ("notice.sent", EXPORT, EXECUTE),
    ("package.made", EXPORT, READ),
    ("recipients.seen", EXPORT, READ),
    ("evidence.made", EXPORT, READ),
    ("integrity.seen", AUDIT_USED, READ),
    ("log.check_begun", AUDIT_USED, EXECUTE),
    ("entry.opened", AUDIT_USED, READ),
    ("employee.named", AUDIT_USED, READ),
    ("log.verified", AUDIT_USED, EXECUTE),
    ("log.", AUDIT_USED, READ),
    ("sample.", AUDIT_USED, READ),
    ("breach.", ALERT, EXECUTE),
    ("citizen.erased", RECORD, DELETE),
    ("retention.applied", RECORD, DELETE),
    ("deferral.", CONFIGURATION, EXECUTE),
)
SUCCESS, MINOR_FAILURE = "0", "4"
FAILED = frozenset({"refused", "no"})
DETAILS = ("ask", "case", "consent", "break_glass", "sample", "breach", "inquiry", "revision")


def audit_event(entry: LogEntry) -> dict[str, Any]:
    """Lay out one entry as an AuditEvent."""
    row = entry.index
    (code, display), action = _type_of(entry.kind)
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": _id(entry),
        "type": _coding(DCM, code, display),
        "subtype": [_coding(f"{OURS}kind", entry.kind)],
        "action": action,
        "recorded": entry.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "outcome": MINOR_FAILURE if row.get("outcome") in FAILED else SUCCESS,
        "agent": _agents(row),
        "source": {
            "site": entry.municipality,
            "observer": {"identifier": _identifier("log", entry.receipt.log)},
            "type": [_coding(f"{HL7}security-source-type", "4", "Application Server")],
        },
        "entity": _entities(entry),
    }
    if row.get("reasons"):
        made["outcomeDesc"] = ", ".join(row["reasons"])
    if purposes := _purposes(row):
        made["purposeOfEvent"] = purposes
    return made


def bundle(
    entries: Iterable[LogEntry], at: datetime, following: str | None = None, *, again: str | None = None
) -> dict[str, Any]:
    """Lay out a page of a search as a Bundle (collection); `following` is the address of the next page.

    A search by what stands in its body alone has no such address: `again` is the cursor to be sent with that body.
    """
    events = [audit_event(entry) for entry in entries]
    made: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "entry": [{"fullUrl": f"urn:uuid:{event['id']}", "resource": event} for event in events],
    }
    if not events:
        del made["entry"]  # FHIR has no empty lists.
    if again:
        made["identifier"] = _identifier("cursor", again)
    return made | ({"link": [{"relation": "next", "url": following}]} if following else {})


def _type_of(kind: str) -> tuple[tuple[str, str], str]:
    for begins, code, action in TYPES:
        if kind == begins or (begins.endswith(".") and kind.startswith(begins)):
            return code, action
    return APPLICATION, EXECUTE


def _agents(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Name who acted, by handle, and the unit they acted for."""
    agents: list[dict[str, Any]] = [{"who": {"identifier": _identifier("actor", row["actor"])}, "requestor": True}]
    if row.get("role"):
        agents[0]["role"] = [{"coding": [_coding(f"{OURS}role", row["role"])]}]
    if row.get("unit"):
        agents.append({"who": {"identifier": _identifier("unit", row["unit"])}, "requestor": False})
    return agents


def _purposes(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    codes = [_coding(f"{OURS}purpose", row["purpose"])] if row.get("purpose") else []
    if row.get("emergency"):
        codes.append(_coding(f"{HL7}v3-ActReason", "BTG", "break the glass"))
    return [{"coding": [code]} for code in codes]


def _entities(entry: LogEntry) -> list[dict[str, Any]]:
    """Name whom it is about, by handle, the line of the log, and the sources."""
    row, place = entry.index, entry.receipt.log.split("/")[-2:]
    details = [{"type": name, "valueString": str(row[name])} for name in DETAILS if row.get(name)]
    listed = (("basis", "basis"), ("categories", "category"))
    details += [{"type": told, "valueString": value} for name, told in listed for value in row.get(name, ())]
    line = _entity(
        "log-line", "/".join((*place, str(entry.receipt.index))), ("4", "Other"), ("13", "Security Resource")
    )
    found = [line | ({"detail": details} if details else {})]
    if row.get("citizen") and row["citizen"] != row["actor"]:
        found.append(_entity("citizen", row["citizen"], ("1", "Person"), ("1", "Patient")))
    sources = row.get("sources", ())
    return found + [_entity("source", one, ("2", "System Object"), ("4", "Domain Resource")) for one in sources]


def _entity(what: str, value: str, kind: tuple[str, str], role: tuple[str, str]) -> dict[str, Any]:
    return {
        "what": {"identifier": _identifier(what, value)},
        "type": _coding(f"{HL7}audit-entity-type", *kind),
        "role": _coding(f"{HL7}object-role", *role),
    }


def _identifier(what: str, value: str) -> dict[str, str]:
    return {"system": f"{OURS}{what}", "value": value}


def _coding(system: str, code: str, display: str | None = None) -> dict[str, str]:
    return {"system": system, "code": code} | ({"display": display} if display else {})


def _id(entry: LogEntry) -> str:
    """Give the same id each time for the same line."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{entry.receipt.log}#{entry.receipt.index}"))
