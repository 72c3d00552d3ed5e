"""Policies of witnesses: read as the C2SP text says, and a quorum is what they say and no less."""

import contextlib
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import note
from audit.checkpoint import Checkpoint
from audit.cosignature import ED25519, Cosigner
from audit.errors import NotVerified, PolicyRefused
from audit.merkle import EMPTY_ROOT
from audit.note import SigningKey
from audit.policy import NO_WITNESSES, Policy, parse, read_policy

ORIGIN = "log.example/101/2026"
LOG = SigningKey("log.example", b"l" * 32)
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
COSIGNERS = {name: Cosigner(f"witness.example/{name}", ED25519, name.encode() * 16) for name in NAMES}
NOW = 1_800_000_000
TWO_LEVELS = "".join(
    (
        f"# as in the specification\n\nlog {LOG.verify_key} https://log.example/\n",
        *(f" witness\t{name} {COSIGNERS[name].key}  https://{name}.example/  \n" for name in NAMES),
        "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\n",
        "quorum X-and-Y\n",
    )
)


def signed(*names: str, at: int = NOW, text: str | None = None, key: SigningKey = LOG) -> str:
    """Sign a checkpoint by the log and cosign it by these witnesses."""
    text = text or Checkpoint(ORIGIN, 3, EMPTY_ROOT).to_text()
    return note.sign(text, [key]) + "".join(COSIGNERS[name].cosign(text, at) for name in names)


def test_the_specification_s_example_means_what_it_says() -> None:
    """Two of the X and one of the Y: tried over every set of the six witnesses."""
    policy = parse(TWO_LEVELS.encode())
    for count in range(7):
        for names in itertools.combinations(NAMES, count):
            enough = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
            assert policy.has_quorum(names) == enough, names
    assert policy.witnesses["X1"].url == "https://X1.example/"
    assert policy.logs[0].url == "https://log.example/"


def test_a_checkpoint_opens_with_a_quorum_alone() -> None:
    """The same checkpoint with a quorum, with too few, and with a stranger's signature in place of the log's."""
    policy = parse(TWO_LEVELS.encode())
    assert policy.open(signed("X1", "X3", "Y2"), ORIGIN).size == 3
    for short in (signed("X1", "Y2"), signed("X1", "X2", "X3"), signed()):
        with pytest.raises(NotVerified, match="quorum"):
            policy.open(short, ORIGIN)
    stranger = SigningKey("log.example", b"s" * 32)
    with pytest.raises(NotVerified):
        policy.open(signed("X1", "X3", "Y2", key=stranger), ORIGIN)


def test_a_log_s_key_stands_for_what_is_below_its_name_alone() -> None:
    """One key for each municipality and year of a house; a name that only begins alike is another house's."""
    (log,) = parse(TWO_LEVELS.encode()).logs
    assert log.stands_for("log.example")
    assert log.stands_for(ORIGIN)
    assert not log.stands_for("log.example.evil/101")


def test_one_witness_does_not_count_twice_and_a_bad_line_counts_for_nothing() -> None:
    """A line repeated adds nobody; a line that does not hold, before or after the good one, takes nobody away."""
    policy = parse(TWO_LEVELS.encode())
    assert policy.cosigned(signed("X1", "X1")) == {"X1": NOW}
    text = Checkpoint(ORIGIN, 3, EMPTY_ROOT).to_text()
    bad = COSIGNERS["X2"].cosign("another\n1\n" + text.split("\n")[2] + "\n", NOW)
    good = COSIGNERS["X2"].cosign(text, NOW)
    for lines in (bad + good, good + bad):
        assert policy.cosigned(note.sign(text, [LOG]) + lines) == {"X2": NOW}
    assert policy.cosigned(note.sign(text, [LOG]) + bad) == {}


@pytest.mark.parametrize(
    ("at", "counts"), [(NOW, True), (NOW - 600, True), (NOW - 601, False), (NOW + 60, True), (NOW + 61, False)]
)
def test_a_stale_or_future_cosignature_does_not_count(at: int, counts: bool) -> None:
    """Ten minutes old at most, and a minute ahead at most; without a clock at hand any time will do."""
    policy = parse(TWO_LEVELS.encode())
    note_text = signed("X1", "X2", "Y1", at=at)
    assert policy.has_quorum(policy.cosigned(note_text, now=NOW, oldest=600)) == counts
    assert policy.open(note_text, ORIGIN).size == 3
    if not counts:
        with pytest.raises(NotVerified):
            policy.open(note_text, ORIGIN, now=NOW, oldest=600)


W = f"witness W {COSIGNERS['X1'].key}\n"
V = f"witness V {COSIGNERS['X2'].key}\n"
REFUSED = [
    ("", "no quorum"),
    ("quorum W\n", "line 1: a name that no line"),
    (f"quorum none\n{W}quorum W\n", "line 3: a policy says one"),
    (f"{W}{W}quorum W\n", "line 2: the name is taken"),
    (W + W.replace("W", "V", 1) + "quorum W\n", "line 2: the key stands there already"),
    (f"log {LOG.verify_key}\nlog {LOG.verify_key}\nquorum none\n", "line 2: the key"),
    (W.replace("W", "none", 1) + "quorum none\n", "line 1: the name is taken"),
    (f"{W}group G 2 W\nquorum G\n", "line 2: a group needs"),
    (f"{W}group G 0 W\nquorum G\n", "line 2: a group needs"),
    (f"{W}group G +1 W\nquorum G\n", "line 2: a group needs"),
    (f"{W}group G any\nquorum G\n", "line 2: not a line"),
    (f"{W}group G any none\nquorum G\n", "line 2: a name that no line"),
    (f"{W}group G any G\nquorum G\n", "line 2: a name that no line"),
    (f"{W}group G any W\ngroup H any W\nquorum G\n", "line 3: a name is a member"),
    (f"{W}group G any W W\nquorum G\n", "line 2: a name is a member"),
    (f"{W}group W any W\nquorum W\n", "line 2: the name is taken"),
    (f"witness W {LOG.verify_key}\nquorum W\n", "line 1: a witness's key|line 1: not a key"),
    (f"log {COSIGNERS['X1'].key}\nquorum none\n", "line 1: not a key"),
    ("mirror x\nquorum none\n", "line 1: not a line"),
    ("quorum none\r\n", "control"),
    ("quorum\x0bnone\n", "control"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_policy_is_refused_with_its_line(text: str, why: str, tmp_path: Path) -> None:
    """Every rule of the format, broken once; the file is named too."""
    with pytest.raises(PolicyRefused, match=why):
        parse(text.encode())
    (tmp_path / "policy").write_bytes(text.encode())
    with pytest.raises(PolicyRefused, match="policy: "):
        read_policy(tmp_path / "policy")


def test_names_may_hold_any_octets() -> None:
    """A name that is no UTF-8 is a name like others; a last line without newline is a line."""
    policy = parse(b"witness \xff\xc6 " + str(COSIGNERS["X1"].key).encode() + b"\ngroup G any \xff\xc6\nquorum G")
    assert policy.has_quorum(list(policy.witnesses))
    assert not policy.has_quorum([])


def test_a_policy_without_witnesses_is_met_by_none() -> None:
    """`quorum none` asks for the log's signature alone."""
    policy = parse(f"log {LOG.verify_key}\nquorum none\n".encode())
    assert policy.open(signed(), ORIGIN).size == 3
    assert NO_WITNESSES.has_quorum([])


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    """Whatever stands in the file, it is a policy or refused, nothing else."""
    with contextlib.suppress(PolicyRefused):
        assert isinstance(parse(content), Policy)
