"""The load: a process of its own that asks in a closed loop, for a time it is told, of loopback addresses alone.

Each line of standard input is an order, each line of standard output what came of it; it ends when its input does.
Proofs of possession are signed before a round begins, so that the round measures the broker and not its caller.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
import uvloop

from connectors.client import BrokerClient, read_key

MOST_SECONDS = 30.0
MOST_ASKS = 100_000
FIRST_PROOFS_A_SECOND, SPARE_PROOFS = 150, 1.3
TOKEN_SECONDS = 120.0


@dataclass(slots=True)
class Outcome:
    """One round: how long it lasted, how long each answer took, in seconds, and what else came than a 200."""

    seconds: float
    took: list[float]
    faults: dict[str, int]


@dataclass(slots=True)
class Target:
    """Whom to ask, and with what. `proof` is set for a broker, who wants a token and a proof for each ask."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    proof: Mapping[str, str] | None
    client: BrokerClient | None = None
    token: str = ""
    token_at: float = field(default=-TOKEN_SECONDS)
    rate: float = FIRST_PROOFS_A_SECOND

    async def headers_for(
        self, seconds: float, most: int, http: aiohttp.ClientSession
    ) -> Callable[[], Mapping[str, str]]:
        """Make ready the headers of a round."""
        if self.proof is None:
            return lambda: self.headers
        client = await self._client(self.proof, http)
        # As many as the last round would have used, and some.
        many = min(most, int(self.rate * seconds * SPARE_PROOFS))
        ready: Iterator[str] = iter([self._proof(client) for _ in range(many)])

        def proven() -> Mapping[str, str]:
            proof = next(ready, None) or self._proof(client)
            return {**self.headers, "Authorization": f"DPoP {self.token}", "DPoP": proof}

        return proven

    def _proof(self, client: BrokerClient) -> str:
        return client.proof("POST", self.url, self.token)

    async def _client(self, proof: Mapping[str, str], http: aiohttp.ClientSession) -> BrokerClient:
        """Give the client with a token that lives longer than any round."""
        if self.client is None:
            client = BrokerClient(proof["broker"], proof["system"], read_key(Path(proof["key_file"])))
            self.client = await client.__aenter__()
        if time.monotonic() - self.token_at > TOKEN_SECONDS:
            wish = {"caseworker": proof["caseworker"], "client_id": proof["system"], "audience": proof["broker"]}
            headers = {"Authorization": f"Bearer {proof['employer_key']}"}
            async with http.post(proof["employer"], json=wish, headers=headers) as answer:
                assertion = (await answer.json())["assertion"]
            self.token, self.token_at = (await self.client.token(assertion))["access_token"], time.monotonic()
        return self.client


async def play_round(
    target: Target, callers: int, seconds: float, http: aiohttp.ClientSession, most: int = MOST_ASKS
) -> Outcome:
    """Let callers ask, each again as soon as it is answered, until the time is up or it was often enough."""
    if urlsplit(target.url).hostname != "127.0.0.1" or not 0 < seconds <= MOST_SECONDS:
        raise ValueError("the load is for this machine alone, and for a short time")
    headers = await target.headers_for(seconds, most, http)
    # Signing kept the loop from hearing which kept connections were closed meanwhile.
    await asyncio.sleep(0.02)
    outcome = Outcome(0.0, [], {})
    begun = time.perf_counter()

    async def caller() -> None:
        while time.perf_counter() - begun < seconds and len(outcome.took) < most:
            sent = time.perf_counter()
            try:
                async with http.post(target.url, data=target.body, headers=headers()) as answer:
                    told = await answer.read()
                why = "" if answer.status == 200 else _why(answer.status, told)
            except aiohttp.ClientConnectionError as error:
                why = type(error).__name__
            outcome.took.append(time.perf_counter() - sent)
            if why:
                outcome.faults[why] = outcome.faults.get(why, 0) + 1

    await asyncio.gather(*(caller() for _ in range(callers)))
    outcome.seconds = time.perf_counter() - begun
    return outcome


def _why(status: int, told: bytes) -> str:
    """Give the status and the reasons' codes of an answer that is no answer."""
    try:
        codes = [str(reason["code"]) for reason in orjson.loads(told)["reasons"]]
    except (ValueError, TypeError, KeyError):
        codes = []
    return " ".join([str(status), *codes])


async def _work() -> None:
    targets: dict[str, Target] = {}
    timeout = aiohttp.ClientTimeout(total=MOST_SECONDS)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as http:
        while line := await asyncio.to_thread(sys.stdin.buffer.readline):
            order: dict[str, Any] = json.loads(line)
            if "target" in order:
                told = order["target"]
                headers = {"Content-Type": "application/json", **told.get("headers", {})}
                targets[order["name"]] = Target(told["url"], orjson.dumps(told["body"]), headers, told.get("proof"))
                continue
            target = targets[order["name"]]
            most = order.get("asks") or MOST_ASKS
            outcome = await play_round(target, order["callers"], order["seconds"], http, most)
            target.rate = len(outcome.took) / outcome.seconds
            print(json.dumps(asdict(outcome)), flush=True)
        for target in targets.values():
            if target.client is not None:
                await target.client.__aexit__(None, None, None)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work())
