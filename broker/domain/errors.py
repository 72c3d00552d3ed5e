"""The tree of errors. Those that callers may be told are named here; any other says nothing (`web/problems.py`)."""

from __future__ import annotations


class BrokerError(Exception):
    """The root of all that we know by name. Carries no text of its own, so that nothing can leak by it."""


class BadAsk(BrokerError):
    """The request is malformed. `pointer` names the field (JSON pointer), never its value."""

    def __init__(self, pointer: str = "", what: str = "malformed") -> None:
        super().__init__(what)
        self.pointer = pointer
        self.what = what


class NotAuthenticated(BrokerError):
    """The caller did not prove who they are. `what` is an OAuth error code such as `invalid_token`.

    `told` is a sentence for whoever sets the system up: fixed words of ours, never of the input.
    """

    def __init__(self, what: str = "invalid_token", told: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.told = told


class NotAllowed(BrokerError):
    """The caller is known but this door is not theirs (a system's scope, a citizen's session, a DPO's tenant)."""


class MayNotOpen(BrokerError):
    """Who keeps the citizens' desk may close there, and open nothing. `what` is a code that says why."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class LedHere(BrokerError):
    """Another site led the browser of an officer here: what would write an entry in their name does not happen."""


class NotFound(BrokerError):
    """There is no such thing for this caller; the same answer when it exists but is another's."""


class Conflict(BrokerError):
    """The thing is not in a state that permits this (already answered, already withdrawn). `what` is a code."""

    def __init__(self, what: str = "conflict") -> None:
        super().__init__(what)
        self.what = what


class AskedAgain(BrokerError):
    """The citizen said no to the same unit and purpose a short time ago, and no new written reason is given.

    `until` is the last day on which one is needed: both it and the no are the asking unit's own knowledge.
    """

    def __init__(self, until: int) -> None:
        super().__init__(until)
        self.until = until


class ConsentNotNeeded(BrokerError):
    """A statute is the basis for this purpose: consent is not to be asked for (`design.md` 6.1). Names the statute."""

    def __init__(self, statute: str) -> None:
        super().__init__(statute)
        self.statute = statute


class TooManyAsks(BrokerError):
    """A ceiling was reached (429). `retry_after_seconds` says when to come back."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("too many")
        self.retry_after_seconds = retry_after_seconds


class KeyReused(BrokerError):
    """An idempotency key came back with another body (422)."""


class RegisterUnavailable(BrokerError):
    """A register that facts depend on (People, Cases) gave no answer; the decision is then no. Names the register."""

    def __init__(self, register: str) -> None:
        super().__init__(register)
        self.register = register


class SourceFailed(BrokerError):
    """A source gave no usable answer. `why`: `timeout`, `refused`, `unreadable`, `too_much`, `unreachable`."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(source, why)
        self.source = source
        self.why = why


class NoticeNotSent(Exception):
    """A channel did not take a notice; it is tried again. No caller is told, so it has no place in the tree."""


class LogUnavailable(BrokerError):
    """The log did not take the entry: nothing is read, nothing goes out (P2).

    In an emergency too: `paper` says that the caller is told to follow the paper procedure.
    """

    def __init__(self, *, paper: bool = False) -> None:
        super().__init__()
        self.paper = paper


class LogUnwitnessed(LogUnavailable):
    """No quorum of witnesses has stood behind the log for longer than is allowed: no ask is taken (`design.md` 6.6)."""


class StoreUnavailable(BrokerError):
    """The database of consents or keys gave no answer."""


class PolicyUnavailable(BrokerError):
    """The policy engine gave no answer in time: refuse."""


class PolicyBroken(BrokerError):
    """The policy's answer is not a decision: refuse."""


class FactsChanged(BrokerError):
    """A consent or block changed between the decision and its release; the affected verdicts are judged again."""


class Refused(BrokerError):
    """No verdict releases anything (403). Holds only what the asker may be shown, and where the log holds it.

    `missing` are the consent lines (source, category, giver) that, if given, would turn it.
    """

    def __init__(
        self, reasons: tuple[str, ...], log: str, index: int, missing: tuple[tuple[str, str, str], ...] = ()
    ) -> None:
        super().__init__("refused")
        self.reasons = reasons
        self.missing = missing
        self.log = log
        self.index = index
