"""P4, no copy: after a play in which all goes wrong that can, nothing a source told stands anywhere of ours.

`tests/calamities.py` plays it once. The search is shown to find each kind of copy, and a copy in each kind of place.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import mmap
import os
import shutil
import subprocess
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from demo.world.passing import remove_clusters
from tests.calamities import SOURCES, Left, play_it_all
from tests.canaries import Canary, Flock, Hit, Search, digests, guises
from tests.fakes.shouting import MOODS
from tests.traces import files_of_process, memory_of_process, searched, words_of_process

pytestmark = pytest.mark.skipif(not Path("/proc/self/map_files").exists(), reason="reads open files from /proc")
KINDS = ("rest_json", "odata", "fhir")
LEAK = Canary("leak", "qhzvkwmtxjrpbnlfgd", "Min plan qhzvkwmtxjrpbnlfgd på æøå")
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "zlib, fast": lambda told: zlib.compress(told, 1),
    "gzip, cut off": lambda told: gzip.compress(told + os.urandom(4096))[:-2000],
    "gzip in gzip": lambda told: gzip.compress(gzip.compress(told)),
    "base64 in zlib": lambda told: zlib.compress(base64.b64encode(told)),
    "utf-16 in gzip": lambda told: gzip.compress(told.decode().encode("utf-16")),
}


@pytest.fixture(scope="module")
def left() -> Iterator[Left]:
    """Play it all once, and take the world away."""
    folder = Path(tempfile.mkdtemp(prefix="borgerbro-no-copy-"))
    folder.chmod(0o711)
    try:
        yield asyncio.run(play_it_all(folder / "world"))
    finally:
        remove_clusters(folder / "world")
        shutil.rmtree(folder, ignore_errors=True)


def test_nothing_a_source_told_is_anywhere_of_ours(left: Left) -> None:
    """No canary and no CPR number, in no guise and under no plain hash, in no file, row, log, metric or open file."""
    assert {place: trace.hits for place, trace in left.traces.items() if trace.hits} == {}
    silent = {place for place, trace in left.traces.items() if trace.size == 0}
    assert silent <= {"loose files"}


def test_all_went_wrong_that_can(left: Left) -> None:
    """The play is what it says: sources told callers, failed in every way, and the broker died twice while asking."""
    assert {where.split(".")[0] for where in left.answered} >= set(SOURCES)
    assert left.shouted == set(itertools.product(KINDS, MOODS))
    assert {why for source, why in left.silent if source in SOURCES} >= {"timeout", "unreadable", "refused", "too_much"}
    assert {why for source, why in left.silent if source not in SOURCES} >= {"refused", "unreadable", "too_much"}
    assert {403, 500} <= left.refused
    assert left.crashed == {"handler": 500, "group": 500, "thread": 200, "finaliser": 200, "task": 200}
    # Of an absence from school a page shows days, no words.
    assert {where.split(".")[0] for where in left.pages} >= {*SOURCES} - {"korsbaek-school"}
    assert left.deaths == ["SIGKILL", "SIGABRT"]


def test_all_was_written_down_that_can_be(left: Left) -> None:
    """The logs that were searched did tell: the broker's at debug level, the database's with every bound value."""
    for word in ("serving", "dropped", "other_person", "malformed", "unnamed_error", "uncaught", "library"):
        assert f'"{word}"' in left.told["broker"]
    assert "parameters: $1 = '" in left.told["database"]
    assert "helhedsorienteret_plan" in left.told["database"]
    assert "temporary file:" not in left.told["database"]
    assert "broker-opa-" in left.told["temporary"]


def test_sources_hear_of_the_citizen_alone(left: Left) -> None:
    """No source hears what another told; and the citizen's number goes in bodies, in no address and no header."""
    assert left.sent["addresses and headers"].hits == set()
    assert left.sent["addresses and headers"].pieces == sum(left.sent[kind].pieces for kind in KINDS)
    for kind in KINDS:
        heard = {hit.where for hit in left.sent[kind].hits if not hit.where.startswith(f"shouted.{kind}.")}
        assert heard
        assert heard <= {"cpr.annette", "cpr.viktor"}


def test_no_core_is_left(left: Left) -> None:
    """The broker and all it starts may leave no core dump, and an aborted one leaves none."""
    assert left.core_limits == {"0 0"}
    assert left.cores == []


def test_the_search_finds_what_the_sources_keep(left: Left) -> None:
    """In the sources' own stores, files and a PostgreSQL, every canary of every record is found."""
    planted = {canary.where for canary in left.flock.canaries}
    first = {where for where in planted if where.split(".")[0] in {*SOURCES, "cpr"}}
    later = {where for where in planted if where.startswith("mangled.korsbaek-social.")}
    assert (len(first) > 80, len(later) > 30) == (True, True)
    assert first <= {hit.where for hit in left.records.hits}
    assert later <= {hit.where for hit in left.tables.hits}


def test_a_leak_in_each_place_is_found(left: Left) -> None:
    """One canary let fly on purpose is found in each of the places that were searched."""
    places = (
        "write-ahead log",
        "database files",
        "rows",
        "rows of the vault",
        "files",
        "activity",
        "names",
        "loose files",
    )
    for place in places:
        assert Hit("leak", "utf-8") in left.planted[place].hits, place


FORMS = sorted({*guises(LEAK.token), *digests(LEAK.token), *digests(LEAK.value)})


def one_of_each() -> Iterator[list[tuple[str, bytes]]]:
    """Give all forms in lists in which no name stands twice."""
    named: defaultdict[str, list[bytes]] = defaultdict(list)
    for guise, needle in FORMS:
        named[guise].append(needle)
    for place in range(max(map(len, named.values()))):
        yield [(guise, needles[place]) for guise, needles in named.items() if place < len(needles)]


@pytest.mark.parametrize("at", range(8))
def test_a_leak_in_each_guise_is_found(left: Left, at: int) -> None:
    """Each guise is found in a copy of what was searched, wherever in it, and not without."""
    search = Search([LEAK])
    for copied in left.samples.values():
        assert searched(search, [copied]).hits == set()
        for forms in one_of_each():
            leaking = copied[: len(copied) // 2 // 8 * 8 + at]
            for _, needle in forms:
                leaking += needle + b"." * (-len(needle) % 8)
            leaking += copied[len(copied) // 2 :]
            assert searched(search, [leaking]).hits >= {Hit("leak", guise) for guise, _ in forms}


@pytest.mark.parametrize("packing", list(PACKINGS))
def test_a_packed_leak_is_found(left: Left, packing: str) -> None:
    """A canary in a stream that lies anywhere in a copy of what was searched is found."""
    told = PACKINGS[packing](f"{'en lang tekst ' * 20} {LEAK.value} {'en lang tekst ' * 20}".encode())
    for copied in left.samples.values():
        leaking = copied[: len(copied) // 2] + told + copied[len(copied) // 2 :]
        hits = searched(Search([LEAK]), [leaking]).hits
        assert any(hit.guise.startswith("packed ") for hit in hits)


def test_a_leak_in_an_encoded_sentence_is_found() -> None:
    """The forms are those that real encoders write when the canary stands in the middle of something else."""
    for before in ("", "a", "ab", "abc"):
        sentence = f"{before}{LEAK.token} og mere"
        for written in (base64.b64encode(sentence.encode()), base64.urlsafe_b64encode(sentence.encode())):
            assert searched(Search([LEAK]), [written]).hits
        assert searched(Search([LEAK]), [quote(sentence).encode()]).hits
        assert searched(Search([LEAK]), [sentence.encode().hex().encode()]).hits


def test_a_leak_into_memory_alone_is_found(tmp_path: Path) -> None:
    """What a process holds is searched where its memory is, also in a file that never had a name."""
    flock, begun = Flock(), time.time() - 1
    told = flock.word("leak")
    held = os.memfd_create("nowhere")
    os.write(held, told.encode())
    try:
        assert Hit("leak", "utf-8") in searched(Search(flock.canaries), files_of_process(os.getpid(), begun)).hits
    finally:
        os.close(held)
    written = f"opa={told}"
    with subprocess.Popen(["/bin/sleep", "60"], env={"TOLD": written}) as process:
        hits = {
            Hit("leak", "utf-8") in searched(Search(flock.canaries), pieces).hits
            for pieces in (words_of_process(process.pid), memory_of_process(process.pid))
        }
        process.kill()
    assert hits == {True}


@pytest.mark.parametrize("mapped", [False, True])
def test_a_deleted_file_that_is_still_open_or_mapped_is_found(tmp_path: Path, *, mapped: bool) -> None:
    """A file without a name is searched as long as the process holds it."""
    flock, begun = Flock(), time.time() - 1
    told = flock.word("leak")
    file = tmp_path / "gone"
    file.write_text(told)
    with file.open("r+b") as held:
        window = mmap.mmap(held.fileno(), 0)
        if mapped:
            held.close()
        else:
            window.close()
        file.unlink()
        hits = searched(Search(flock.canaries), files_of_process(os.getpid(), begun))
    assert Hit("leak", "utf-8") in hits.hits
