"""Checking a log from its files: everything bent is named, what was checked is remembered, and a broken run goes on."""

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from audit.__main__ import main
from audit.checkpoint import Checkpoint
from audit.entry import Leaf
from audit.errors import Malformed
from audit.kept_state import Kept, StateFile
from audit.merkle import Frontier, leaf_hash
from audit.note import SigningKey
from audit.proof import Proof
from audit.prove import prove_from
from audit.sources import FolderSource, HttpSource, Missing, Unreachable
from audit.tiles import Tile, bundle, bundles_of, derive, read_bundle
from audit.verify_tiles import Checked, verify_tiles

ORIGIN = "log.example/korsbaek/2026"
KEY = SigningKey(ORIGIN, b"k" * 32)
LEAVES = [Leaf(1, n.to_bytes(16, "big"), b"s" * 32, b"b" * 32, b"a" * 32).to_bytes() for n in range(66_100)]
HASHES = [leaf_hash(leaf) for leaf in LEAVES]


def lay(folder: Path, size: int, *, leaves: list[bytes] | None = None) -> None:
    """Lay the files of a log of so many entries into a folder, signed; tiles that are there and the same stay."""
    mine = LEAVES[:size] if leaves is None else leaves
    hashes = [leaf_hash(leaf) for leaf in mine]
    files = {tile.path: packed for tile, packed in derive(hashes)}
    files |= {tile.path: bundle(mine[tile.number * 256 :][: tile.width]) for tile in bundles_of(size)}
    files["checkpoint"] = Checkpoint(ORIGIN, size, Frontier().extend(hashes).root()).signed_by(KEY).encode()
    for name, packed in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(packed)


def check(folder: Path, kept: Kept | None = None) -> Checked:
    """Check the folder, from what was kept on."""
    return verify_tiles(FolderSource(folder), keys=[KEY.verify_key], known=lambda _: kept or Kept())


def told(checked: Checked) -> list[str]:
    """Give what is wrong, in words."""
    return [str(fault) for fault in checked.report.faults]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 700, 66_000])
def test_a_whole_log_is_intact(tmp_path: Path, size: int) -> None:
    """Logs of one, two and three levels, and the empty one, are found whole; each entry was hashed."""
    lay(tmp_path, size)
    checked = check(tmp_path)
    assert told(checked) == []
    assert (checked.report.size, checked.report.root) == (size, Frontier().extend(HASHES[:size]).root())


@pytest.mark.parametrize("kind", ["flipped", "cut", "longer", "gone"])
def test_every_file_that_is_bent_is_found(tmp_path: Path, kind: str) -> None:
    """Whichever file is changed, cut, made longer or taken away: the check says so, and names entry or file."""
    lay(tmp_path, 700)
    for path in [path for path in sorted(tmp_path.rglob("*")) if path.is_file() and path.name != "checkpoint"]:
        good = path.read_bytes()
        middle = len(good) // 2
        bent = {
            "flipped": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :],
            "cut": good[:-1],
            "longer": good + b"\0",
        }
        if kind == "gone":
            path.unlink()
        else:
            path.write_bytes(bent[kind])
        checked = check(tmp_path)
        assert told(checked), path
        assert checked.kept is None
        path.write_bytes(good)
    assert told(check(tmp_path)) == []


def test_one_bent_entry_is_named_and_the_others_are_not(tmp_path: Path) -> None:
    """Of 700 entries the one that was changed is named, by its number, though its tile was not changed with it."""
    lay(tmp_path, 700)
    path = tmp_path / Tile(None, 1).path
    leaves = read_bundle(path.read_bytes())
    leaves[44] = leaves[44][:-1] + b"!"
    path.write_bytes(bundle(leaves))
    faults = told(check(tmp_path))
    assert faults[0] == "entry 300: does not match tile/0/001"
    assert [fault for fault in faults if fault.startswith("entr")] == faults[:1]
    assert faults[-1] == "checkpoint: the entries are not those that were signed"


def test_a_log_that_only_grew_is_checked_from_where_it_was(tmp_path: Path) -> None:
    """The next check reads the new entries alone: earlier bundles may be gone, and the signed root comes out."""
    kept = None
    for size in (300, 300, 511, 512, 1400):
        lay(tmp_path, size)
        checked = check(tmp_path, kept)
        assert told(checked) == []
        assert checked.report.checked_from == (kept.verified.size if kept else 0)
        kept = checked.kept
    assert kept is not None
    lay(tmp_path, 1500)
    for number in range(5):
        (tmp_path / Tile(None, number).path).unlink()
    assert told(check(tmp_path, kept)) == []


@pytest.mark.parametrize(
    ("size", "changed", "says"),
    [
        (250, (), "300 entries were verified before, it has 250"),
        (300, (7,), "another tree of 300 entries was verified before"),
        (800, (7,), "the entries are not those that were signed"),
        (800, (290,), "the entries are not those that were signed"),
    ],
)
def test_a_past_that_was_changed_is_found(tmp_path: Path, size: int, changed: tuple[int, ...], says: str) -> None:
    """A log taken back, or with old entries changed and all signed anew, no longer fits what was kept."""
    lay(tmp_path, 300)
    kept = check(tmp_path).kept
    lay(tmp_path, size, leaves=[leaf[:-1] + b"!" if n in changed else leaf for n, leaf in enumerate(LEAVES[:size])])
    assert told(check(tmp_path)) == []
    assert any(says in fault for fault in told(check(tmp_path, kept)))


def test_old_entries_in_a_bundle_read_again_are_held_against_what_was(tmp_path: Path) -> None:
    """An old entry that is shown otherwise, with its tile, under the true root, is found too."""
    lay(tmp_path, 300)
    kept = check(tmp_path).kept
    lay(tmp_path, 310)
    shown = [*LEAVES[256:310]]
    shown[3] = shown[3][:-1] + b"!"
    (tmp_path / "tile/entries/001.p/54").write_bytes(bundle(shown))
    (tmp_path / "tile/0/001.p/54").write_bytes(b"".join(map(leaf_hash, shown)))
    assert told(check(tmp_path, kept)) == ["entries 256 to 299: are not those that were verified before"]


def test_a_broken_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """What was reached is told on the way; a run that begins there reads what is left and comes to the same root."""
    lay(tmp_path, 66_000)
    seen: list[Frontier] = []
    verify_tiles(FolderSource(tmp_path), keys=[KEY.verify_key], reached=lambda _, tree: seen.append(tree))
    assert [tree.size for tree in seen] == [65_536]
    checked = check(tmp_path, Kept(reached=seen[0]))
    assert told(checked) == []
    assert checked.report.checked_from == 65_536


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one(tmp_path: Path) -> None:
    """A log that grew on while it was read is still checked up to the checkpoint at hand."""
    lay(tmp_path, 300)
    note = (tmp_path / "checkpoint").read_bytes()
    lay(tmp_path, 600)
    (tmp_path / "checkpoint").write_bytes(note)
    for path in ("tile/0/001.p/44", "tile/entries/001.p/44"):
        (tmp_path / path).unlink()
    assert told(check(tmp_path)) == []


def test_a_state_file_is_kept_whole_and_read_strictly(tmp_path: Path) -> None:
    """What is kept is read back; another file, or a tree that cannot be, is refused rather than forgotten."""
    path = tmp_path / "kept.json"
    kept = Kept(Frontier().extend(HASHES[:5]), "note", Frontier().extend(HASHES[:7]))
    StateFile(path).keep(ORIGIN, kept)
    assert StateFile(path).of(ORIGIN) == kept
    assert StateFile(path).of("another") == Kept()
    good = json.loads(path.read_text())
    for bad in ("", "[]", "{}", json.dumps(good | {"format": "x"}), json.dumps(good).replace('"size": 5', '"size": 7')):
        path.write_text(bad)
        with pytest.raises(Malformed):
            StateFile(path)


@pytest.mark.parametrize("size", [1, 257, 700])
def test_a_proof_is_made_from_files_alone(tmp_path: Path, size: int) -> None:
    """Any entry of a log is proved from its tiles, by the same file that the log's owner would give."""
    lay(tmp_path, size)
    for index in {0, size // 2, size - 1}:
        proof = Proof.from_text(prove_from(FolderSource(tmp_path), index).to_text())
        assert proof.verify(LEAVES[index], ORIGIN, [KEY.verify_key]).size == size


class Bent(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and now and then not: `troubles` are statuses to answer with first, then all is well."""

    troubles: ClassVar[list[int]] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with trouble, or with the file."""
        if self.troubles:
            self.send_response(self.troubles.pop())
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Serve a folder on loopback."""
    lay(tmp_path, 700)
    Bent.troubles = []
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: Bent(*given, directory=str(tmp_path)))
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def test_a_log_is_checked_over_http(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify --url` checks a served log, remembers it, and the next run says what was verified before."""
    command = ["verify", "--url", address, "--origin", ORIGIN, "--vkey", str(KEY.verify_key)]
    command += ["--state", str(tmp_path / "kept.json")]
    assert main(command) == 0
    assert "intact: 700 entries, root" in capsys.readouterr().out
    lay(tmp_path, 800)
    assert main([*command, "--json"]) == 0
    (log,) = json.loads(capsys.readouterr().out)["logs"]
    assert (log["size"], log["checked_from"], log["faults"]) == (800, 700, [])
    lay(tmp_path, 600)
    assert main(command) == 1
    assert "800 entries were verified before, it has 600" in capsys.readouterr().out
    assert main(["prove", "--url", address, "5"]) == 0
    (tmp_path / "five.tlog-proof").write_text(capsys.readouterr().out)
    assert main(["verify", "--proof", str(tmp_path / "five.tlog-proof"), *command[3:7]]) == 0


def test_a_busy_log_is_asked_again_and_a_broken_one_is_no_verdict(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """429 and 503 are waited out; a log that cannot be read ends with 2, never with a word on whether it is intact."""
    monkeypatch.setattr("audit.sources.PAUSE_SECONDS", 0.001)
    with HttpSource(address) as source:
        Bent.troubles = [503, 429, 500]
        assert source.read("tile/0/000")
        for trouble in ([503] * 9, [301]):
            Bent.troubles = trouble
            with pytest.raises(Unreachable):
                source.read("tile/0/000")
        Bent.troubles = []
        with pytest.raises(Missing):
            source.read("tile/9/000")
    assert main(["verify", "--url", "http://127.0.0.1:1/log"]) == 2
    assert "cannot be fetched" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["", "ftp://x/y", "file:///etc", "http://", "http://a:b@host/x", "https://h/x?y"])
def test_an_address_is_http(address: str) -> None:
    """Other addresses are refused before anything is fetched."""
    with pytest.raises(Malformed):
        HttpSource(address)


def test_a_log_that_answers_without_end_fills_no_memory(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body larger than a file can be, plain or as a little gzip that unpacks to much, is given up."""
    monkeypatch.setattr("audit.sources.MOST_BUNDLE", 1000)
    for body, packed in ((bytes(2000), False), (gzip.compress(bytes(5000)), True), (b"no gzip", True)):
        monkeypatch.setattr(Bent, "do_GET", lambda self, body=body, packed=packed: answered(self, body, packed))
        with HttpSource(address) as source, pytest.raises(Unreachable):
            source.read("tile/0/000")


def answered(self: Bent, body: bytes, packed: bool) -> None:
    """Answer with these bytes, said to be gzip or not."""
    self.send_response(200)
    self.send_header("Content-Length", str(len(body)))
    if packed:
        self.send_header("Content-Encoding", "gzip")
    self.end_headers()
    self.wfile.write(body)
