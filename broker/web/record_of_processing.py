"""The record of processing activities as JSON (GDPR art. 30, stk. 1)."""

from __future__ import annotations

from typing import Any

from broker.domain.days import day_of
from broker.domain.directory import Directory
from broker.oversight.record import ITSELF, Activity, Record

FORMAT = "borgerbro-record@v1"


def record_body(record: Record, directory: Directory, measures: list[dict[str, str]]) -> dict[str, Any]:
    """Lay out one municipality's record."""
    home = record.controller
    return {
        "format": FORMAT,
        "controller": {"id": home.id, "name": home.name, "cvr": home.cvr},
        "registry": record.revision,
        "activities": [_activity(one, directory) for one in record.activities],
        "kept": [{"what": what, "months": months, "itself": ITSELF.get(what)} for what, months in record.months],
        "transfers_to_third_countries": [],
        "security": measures,
    }


def _activity(one: Activity, directory: Directory) -> dict[str, Any]:
    return {
        "purpose": one.purpose.id,
        "name": _both(one.purpose.name_da, one.purpose.name_en),
        "plain": _both(one.purpose.plain_da, one.purpose.plain_en),
        "data_subjects": ["citizens", *(["children"] if one.children else []), "employees"],
        "special_categories": one.special,
        "categories": [
            {"category": c.id, "name": _both(c.name_da, c.name_en), "level": c.level} for c in one.categories
        ],
        "sources": [
            {"source": s.id, "name": _both(s.name_da, s.name_en), "municipality": s.municipality} for s in one.sources
        ],
        "recipients": [{"unit": u.id, "name": _both(u.name_da, u.name_en)} for u in one.recipients],
        "laws": [
            {
                "law": row.id,
                "paragraph": row.paragraph,
                "gdpr_basis": row.gdpr_basis,
                "from": day_of(row.from_day).isoformat(),
                "consent": any(row.id == known.id for known in directory.consent_laws),
            }
            for row in one.laws
        ],
    }


def _both(da: str, en: str) -> dict[str, str]:
    return {"da": da, "en": en}
