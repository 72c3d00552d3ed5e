"""Ask witnesses to cosign (C2SP tlog-witness): submit, hear of another old size, submit again with its proof.

Rules kept here:
- A witness is believed for its signature alone; what it answers is bounded in size and time, and no redirect is taken.
- A witness that has seen more than we have, or another log under our name, is an alarm: we were put back, or forked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import aiohttp

from audit import note
from audit.checkpoint import Checkpoint, read_size, read_unverified
from audit.errors import LogError, Malformed
from audit.policy import Witness
from audit.witness import SIZE_TYPE, Request

# Gives the proof that the tree of an old size is a prefix of the one submitted; raises LogError where there is none.
Prove: TypeAlias = Callable[[int], Awaitable[Sequence[bytes]]]

MAX_ANSWER = 64 * 1024
TRIES = 3


@dataclass(frozen=True, slots=True)
class Silent:
    """No cosignature this time: the witness gave no answer, or one that cannot be used."""

    why: str


@dataclass(frozen=True, slots=True)
class Disputed:
    """No cosignature ever: the witness has cosigned what this checkpoint does not extend."""

    why: str


Cosigned: TypeAlias = str
Outcome: TypeAlias = Cosigned | Silent | Disputed


class WitnessClient:
    """One witness, asked within `seconds` each time; remembers the size it cosigned last of each log."""

    def __init__(self, witness: Witness, http: aiohttp.ClientSession, *, seconds: float) -> None:
        if witness.url is None:
            raise ValueError("a witness without an address cannot be asked")
        self._address = witness.url.rstrip("/") + "/add-checkpoint"
        self._witness = witness
        self._http = http
        self._seconds = seconds
        self._last: dict[str, int] = {}

    @property
    def name(self) -> str:
        """Give the name that the policy has for it."""
        return self._witness.name

    async def cosign(self, signed: str, prove: Prove) -> Outcome:
        """Submit a checkpoint; give the line of its cosignature, or why there is none."""
        checkpoint = read_unverified(signed)
        try:
            async with asyncio.timeout(self._seconds):
                for _ in range(TRIES):
                    outcome = await self._submit(checkpoint, signed, prove)
                    if outcome is not None:
                        return outcome
        except TimeoutError:
            return Silent("no answer in time")
        except (aiohttp.ClientError, OSError) as error:
            return Silent(type(error).__name__)
        except LogError as error:
            return Silent(str(error))
        return Silent("it changes its mind on the old size")

    async def _submit(self, checkpoint: Checkpoint, signed: str, prove: Prove) -> Outcome | None:
        """Submit once; None means that the witness named another old size, and should be asked again."""
        old = self._last.get(checkpoint.origin, 0)
        proof = tuple(await prove(old)) if 0 < old < checkpoint.size else ()
        body = Request(min(old, checkpoint.size), proof, signed).to_bytes()
        async with self._http.post(self._address, data=body, allow_redirects=False) as answer:
            text = (await _whole(answer.content)).decode("utf-8", "replace")
            status, kind = answer.status, answer.headers.get("Content-Type", "")
        if status == 409 and kind == SIZE_TYPE:
            return self._other_size(checkpoint, text)
        if status == 422:
            return Disputed("it has cosigned what this checkpoint does not extend")
        if status != 200:
            return Silent(f"it answered {status}")
        line = self._own_line(signed, text)
        self._last[checkpoint.origin] = checkpoint.size
        return line

    def _other_size(self, checkpoint: Checkpoint, text: str) -> Disputed | None:
        size = read_size(text.removesuffix("\n"))
        self._last[checkpoint.origin] = size
        return (
            Disputed(f"it has cosigned {size} entries, we have {checkpoint.size}") if size > checkpoint.size else None
        )

    def _own_line(self, signed: str, text: str) -> str:
        """Pick the witness's own line out of its answer; raise Malformed where none of it holds."""
        key, whole = self._witness.key, note.read(signed + text)
        for line in whole.signatures:
            if (line.name, line.key_id) == (key.name, key.key_id) and key.verifies(whole.text.encode(), line.signature):
                return note.signature_line(line.name, line.key_id, line.signature)
        raise Malformed("its answer holds no cosignature of its own")


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """Read an answer to its end, up to the bound; it may come in pieces, one of which is not the answer."""
    answer = b""
    while len(answer) < MAX_ANSWER and (piece := await content.read(MAX_ANSWER - len(answer))):
        answer += piece
    return answer
