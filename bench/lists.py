"""`python -m bench.lists [--entries N]`: what everybody's provable list costs, in memory and in a browser's engine.

Prints entries counted a second, what a proof weighs, and how long node takes to check a list of 100 entries.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from audit import base64_strict
from audit.bundle import FORMAT, verify_bundle
from audit.checkpoint import Checkpoint
from audit.commitment import Party, seal, shown_commitment
from audit.map import NOTHING, Map, MapProof
from audit.map_root import MapRoot
from audit.merkle import inclusion_proof, leaf_hash, tree_head
from audit.note import SigningKey

ORIGIN = "bench.example/log/korsbaek/2026"
EPOCH, PEOPLE, LIST, LOG = 1000, 200_000, 100, 16_384
VERIFIER = Path(__file__).parents[1] / "audit" / "verifier"
CHECK = """
import { readFileSync } from "node:fs";
const { verifyBundle } = await import(process.argv[1] + "/bundle.mjs");
const { readKey } = await import(process.argv[1] + "/note.mjs");
const [text, keys] = [readFileSync(0, "utf8"), [await readKey(process.argv[2])]];
const times = [];
for (let round = 0; round < 7; round += 1) {
  const began = performance.now();
  const [log] = await verifyBundle(text, keys);
  if (log.fault !== null || log.lists[0].length !== 100) throw new Error(log.fault);
  times.push(performance.now() - began);
}
process.stdout.write(JSON.stringify([times[0], times.sort((a, b) => a - b)[3]]));
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("--entries", type=int, default=50_000)
    entries = parser.parse_args().entries
    made, seconds, slowest = _counted(entries)
    key = sha256(b"person 7").digest()
    siblings = made.prove(key).siblings
    weighs = 32 * sum(one != NOTHING for one in siblings)
    _say(f"{entries} entries of {min(entries, PEOPLE)} people in epochs of {EPOCH}: {entries / seconds:.0f} a second")
    _say(f"slowest epoch {slowest * 1000:.0f} ms; a proof: {len(siblings)} hashes, {weighs} bytes that are not nothing")
    text, vkey = _bundle()
    began = time.perf_counter()
    (found,) = verify_bundle(text, [vkey.verify_key])
    python = (time.perf_counter() - began) * 1000
    _say(f"a list of {len(found.lists[0])} in a log of {LOG}: {len(text) / 1000:.0f} kB, Python {python:.0f} ms")
    if (node := shutil.which("node")) is not None:
        command = [node, "--no-warnings", "--input-type=module", "-e", CHECK, str(VERIFIER), str(vkey.verify_key)]
        told = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        first, median = json.loads(told.stdout)
        _say(f"the same in node: first time {first:.0f} ms, median of 7 {median:.0f} ms (goal 200)")


def _counted(entries: int) -> tuple[Map, float, float]:
    keys = [sha256(b"person %d" % number).digest() for number in range(min(entries, PEOPLE))]
    hashes = [os.urandom(32) for _ in range(EPOCH)]
    made, slowest, began = Map(), 0.0, time.perf_counter()
    for start in range(0, entries, EPOCH):
        epoch = time.perf_counter()
        for number in range(EPOCH):
            made.add(keys[(start + number) * 7919 % len(keys)], hashes[number], hashes[-number])
        made.root()
        slowest = max(slowest, time.perf_counter() - epoch)
    return made, time.perf_counter() - began, slowest


def _bundle() -> tuple[str, SigningKey]:
    """Make a bundle of one person's hundred entries in a larger log."""
    encode, person, signer = base64_strict.encode, Party(b"person", b"p" * 32), SigningKey.generate(ORIGIN)
    shown = json.dumps({"event": "ask", "unit": "jobcentre", "purpose": "jobplan", "words": "x" * 300})
    own, hashes, made = {}, [os.urandom(32) for _ in range(LOG)], Map()
    for index in (n * (LOG // LIST) for n in range(LIST)):
        own[index] = seal(eid=os.urandom(16), kind=1, subject=person, actor=person, body=b"body", index={"n": index})
        hashes[index] = leaf_hash(own[index].leaf)
        committed = shown_commitment(person.shown_salt(own[index].eid), shown.encode())
        made.add(person.map_key(ORIGIN), hashes[index], committed)
    for number in range(PEOPLE // 10):
        made.add(sha256(b"other %d" % number).digest(), hashes[number % LOG], hashes[0])
    now = datetime(2026, 3, 1, tzinfo=UTC)
    root = MapRoot(made.root(), LOG).sealed("korsbaek", now.year, now, 0)
    hashes.append(leaf_hash(root.leaf))

    def place(index: int, leaf: bytes) -> dict[str, Any]:
        proof = [encode(value) for value in inclusion_proof(hashes, index)]
        return {"index": index, "leaf": encode(leaf), "hashes": proof}

    entries = [
        {**place(n, one.leaf), "shown": shown, "salt": encode(person.shown_salt(one.eid))} for n, one in own.items()
    ]
    log = {
        "origin": ORIGIN,
        "checkpoint": Checkpoint(ORIGIN, len(hashes), tree_head(hashes)).signed_by(signer),
        "root": {**place(LOG, root.leaf), "row": root.index_bytes.decode(), "salt": encode(root.body_salt)},
        "lists": [
            {**_proof(made.prove(person.map_key(ORIGIN))), "key": encode(person.map_key(ORIGIN)), "entries": entries}
        ],
    }
    return json.dumps({"format": FORMAT, "made_at": now.isoformat(), "logs": [log]}), signer


def _proof(proof: MapProof) -> dict[str, Any]:
    encode = base64_strict.encode
    return {
        "siblings": ["" if one == NOTHING else encode(one) for one in proof.siblings],
        "neighbours": [[encode(one.label), encode(one.value)] for one in proof.neighbours],
    }


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
