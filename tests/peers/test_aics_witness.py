"""A witness of another make: it answers as ours does, and its cosignature publishes our checkpoints."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from audit.cosignature import CosignerKey
from audit.policy import parse
from audit.witness_client import WitnessClient
from demo.world.proxy import free_port
from tests import witness_table
from tests.witness_table import KEY, LEAVES, ORIGIN, checkpoint
from tools.parts import OTHER_WITNESS


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Run it as a process of its own; give its address and its public key."""
    if not OTHER_WITNESS.exists():
        pytest.skip("aics-witness is not here (python3 -m tools.parts gets it): our witness stands alone")
    environment = os.environ | {"PYTHONPATH": str(OTHER_WITNESS)}
    command, config = [sys.executable, "-m", "aics_witness"], ["--config", str(tmp_path / "witness.json")]
    address = f"127.0.0.1:{free_port()}"

    def told(*words: str) -> str:
        done = subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    key = told("init", *config, "--name", "witness.example/aics", "--listen", address)
    told("add-log", *config, "--origin", ORIGIN, "--vkey", str(KEY.verify_key))
    with subprocess.Popen([*command, "serve", *config], env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "listening" in line:
                break
        yield f"http://{address}", key
        process.terminate()


async def test_both_answer_the_same(witness: tuple[str, str]) -> None:
    """Every step of the table that ours is held to, asked of the other: the same status, and the same size in a 409."""
    async with aiohttp.ClientSession() as http:
        for step in witness_table.steps():
            async with http.post(f"{witness[0]}/add-checkpoint", data=step.body) as answer:
                text = await answer.text()
            assert answer.status == step.status, step.name
            assert step.text in (None, text), step.name


async def test_its_cosignature_is_a_quorum_to_us(witness: tuple[str, str]) -> None:
    """Our client submits three heads, with proofs where they are wanted; what comes back opens with a policy."""
    address, key = witness
    policy = parse(f"log {KEY.verify_key}\nwitness aics {CosignerKey.from_text(key)} {address}\nquorum aics\n".encode())

    async with aiohttp.ClientSession() as http:
        for size in (5, 5, 33):

            async def prove(old: int, size: int = size) -> list[bytes]:
                return witness_table.consistency_proof(LEAVES[:size], old)

            line = await WitnessClient(policy.witnesses["aics"], http, seconds=10).cosign(checkpoint(size), prove)
            assert isinstance(line, str), line
            assert policy.open(checkpoint(size) + line, ORIGIN).size == size
            await asyncio.sleep(0)
