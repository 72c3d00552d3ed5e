"""The registry of a whole country: 98 municipalities, 300 sources and 500 statutes, made from a small one that works.

What the small one says stays as it is, so the same asks are answered alike by both. What is added is as real as it can
be here: systems with keys of their own, sources with the mappings of the small one's, statutes that purposes name.
"""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from joserfc.jwk import ECKey
from ruamel.yaml import YAML

from demo.world.files import write_private
from demo.world.yaml_file import read_yaml

Row = dict[str, Any]
CATEGORIES_A_PURPOSE = 8


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is in a registry and in its law tables."""

    municipalities: int
    sources: int
    statutes: int


COUNTRY = Size(98, 300, 500)
PROVINCE = Size(12, 40, 60)


def write_large(registry: Path, policies: Path, folder: Path, size: Size) -> tuple[Path, Path]:
    """Write a registry and a policy folder of that size from those given, and give where they stand."""
    folder.mkdir(mode=0o755)
    laws = folder / "policies"
    shutil.copytree(policies, laws)
    _grow_law(laws / "tables", size)
    raw = read_yaml(registry)
    _grow(raw, folder, size)
    file = folder / "registry.yaml"
    with file.open("w", encoding="utf-8") as sink:
        writer = YAML(typ="safe", pure=True)
        writer.default_flow_style = False
        writer.width = 200
        writer.dump(raw, sink)
    return file, laws


def size_of(registry: Any) -> Size:
    """Say how large a registry is that was read."""
    return Size(len(registry.directory.municipalities), len(registry.sources), len(registry.tables["statutes"]))


def _grow(raw: Row, folder: Path, size: Size) -> None:
    models = cycle([(row, raw["units"][row["unit"]]) for row in [*raw["sources"].values()]])
    case_register = next(iter(raw["registers"]["cases"].values()))
    added = [f"kommune-{number:03}" for number in range(len(raw["municipalities"]), size.municipalities)]
    for number, home in enumerate(added, start=1):
        raw["municipalities"][home] = {"cvr": f"{30_000_000 + number}", "name": home.title(), "code": f"{number:04}"}
        raw["registers"]["cases"][f"{home}-cases"] = copy.deepcopy(case_register)
        jwks = _public_key(folder / f"employer-{home}.jwks.json")
        raw["employers"][home] = {"issuer": f"https://{home}.example", "municipality": home, "jwks_file": jwks}
        raw["delegations"][home] = {
            "from": home, "to": added[number - 2], "kle": ["32.*"], "from_day": "2016-01-01", "to_day": "2030-12-31",
        }  # fmt: skip
    for number, home in zip(range(len(raw["sources"]), size.sources), cycle(added), strict=False):
        source, unit = next(models)
        name = f"{home}-{number:03}"
        raw["units"][name] = copy.deepcopy(unit) | {"municipality": home, "cases": f"{home}-cases"}
        raw["sources"][name] = copy.deepcopy(source) | {"unit": name}
        jwks = _public_key(folder / f"system-{name}.jwks.json")
        raw["systems"][name] = {"municipality": home, "units": [name], "employers": [home], "jwks_file": jwks}


def _public_key(file: Path) -> str:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    write_private(file, json.dumps({"keys": [key.as_dict(private=False)]}))
    return str(file)


def _grow_law(tables: Path, size: Size) -> None:
    """Add statutes, each named by a purpose of its own kind, two a purpose."""
    files = {name: tables / f"{name}.json" for name in ("statutes", "purposes", "categories")}
    statutes, purposes, categories = (json.loads(file.read_text("utf-8")) for file in files.values())
    shared = [name for name, row in categories.items() if not row.get("never")]
    model = next(row for row in statutes.values() if row["purposes"])
    purpose_model = next(row for row in purposes.values() if row["statutes"])
    for number in range(len(statutes), size.statutes):
        purpose, statute = f"formaal_{number // 2:03}", f"LOV-{number:03}"
        some = [shared[(number + step) % len(shared)] for step in range(CATEGORIES_A_PURPOSE)]
        fresh = copy.deepcopy(purpose_model) | {
            "basis": "statute",
            "statutes": [],
            "consent_bases": [],
            "categories": [],
        }
        row = purposes.setdefault(purpose, fresh)
        row["statutes"].append(statute)
        row["categories"] = sorted({*row["categories"], *some})
        reach = {purpose: {"case_kle": ["32.*", "15.*"], "categories": some}}
        statutes[statute] = model | {"purposes": reach}
    for name, table in (("statutes", statutes), ("purposes", purposes)):
        files[name].write_text(json.dumps(table, ensure_ascii=False), "utf-8")
