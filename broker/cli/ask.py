"""`broker ask`: ask a broker as a department's system would, and print ask and answer. With DPoP nobody can curl.

The ask is read from a file or standard input, never from arguments: those are seen by everyone on the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from broker.cli.say import WRONG_USE, err, fail, out, print_json

EXAMPLE = '{"citizen": "710274-0022", "purpose": "helhedsorienteret_plan", "case": "JC-2019-0417"}'


def ask(
    body: Annotated[Path, typer.Argument(help=f"The ask as JSON, or - for standard input: {EXAMPLE}")],
    caller: Annotated[
        Path,
        typer.Option(
            "--as",
            help="Who asks (JSON): broker, system, key_file, employer, employer_key_file, caseworker, assertion?",
        ),
    ],
    path: Annotated[str, typer.Option(help="Where to ask")] = "/v1/views",
    emergency: Annotated[str, typer.Option(help="The break-glass request that the ask rests on")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON")] = False,
) -> None:
    """Ask about one citizen and print the answer: verdicts with basis or reason, findings, where the log holds it."""
    import asyncio

    from connectors.client import BrokerRefused, BrokerUnreachable

    wish = _read_json(body)
    if emergency and isinstance(wish, dict):
        wish["emergency"] = emergency
    profile = _read_json(caller)
    try:
        answer = asyncio.run(_send(profile, caller.parent, path, wish))
    except BrokerRefused as refused:
        if as_json:
            print_json(refused.problem)
        else:
            _print_refusal(refused.status, refused.problem)
        raise typer.Exit(1) from None
    except BrokerUnreachable:
        fail("the broker gave no answer; whether the ask was carried out is not known (look at the log)")
    if as_json or "verdicts" not in answer:
        # Other addresses answer in forms of their own.
        print_json(answer)
        return
    _print_answer(answer)


def _read_json(path: Path) -> Any:
    import sys

    import orjson

    try:
        text = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        return orjson.loads(text)
    except OSError as error:
        fail(f"{path}: {error.strerror}", code=WRONG_USE)
    except orjson.JSONDecodeError:
        fail(f"{path}: not JSON", code=WRONG_USE)


async def _send(profile: Any, folder: Path, path: str, wish: Any) -> Any:
    """Prove the system, bring the employer's word about the caseworker, and ask."""
    from connectors.client import TOKEN_TYPES, BrokerClient, read_key

    names = ("broker", "system", "key_file", "employer", "employer_key_file", "caseworker")
    missing = [name for name in names if not isinstance(profile, dict) or name not in profile]
    if missing:
        fail(f"--as: missing {', '.join(missing)}", code=WRONG_USE)

    form = profile.get("assertion", "jwt")
    if form not in TOKEN_TYPES:
        fail(f"--as: assertion is one of {', '.join(TOKEN_TYPES)}", code=WRONG_USE)

    async def assertion() -> str:
        return await _assertion(profile, folder, form)

    key = read_key(folder / profile["key_file"])
    async with BrokerClient(profile["broker"], profile["system"], key) as client:
        return await client.as_caseworker(assertion, TOKEN_TYPES[form]).post(path, wish)


async def _assertion(profile: Any, folder: Path, form: str) -> str:
    """Let the employer sign who asks, as `jwt` or `saml`. Each signature is good for one token."""
    import aiohttp

    from connectors.client import BrokerUnreachable

    key = (folder / profile["employer_key_file"]).read_text("utf-8").strip()
    wish = {"caseworker": profile["caseworker"], "client_id": profile["system"], "audience": profile["broker"]}
    wish |= {"form": form} if form != "jwt" else {}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http,
            http.post(profile["employer"], json=wish, headers={"Authorization": f"Bearer {key}"}) as answer,
        ):
            if answer.status != 200:
                fail(f"the employer did not sign: {answer.status}")
            told = await answer.json()
    except aiohttp.ClientError:
        raise BrokerUnreachable from None
    return str(told["assertion"])


def _print_refusal(status: int, problem: Any) -> None:
    err.print(f"{status} {problem.get('title', '')}", style="bold", markup=False)
    if problem.get("pointer") or problem.get("what"):
        err.print(f"  {problem.get('pointer') or 'body'}: {problem.get('what', '')}", markup=False)
    for reason in problem.get("reasons", ()):
        err.print(f"  {reason['code']}  {reason.get('da', '')}  ({reason.get('paragraph', '')})", markup=False)
    entry = problem.get("entry")
    if entry:
        err.print(f"on the log: {entry['log']} entry {entry['index']}", markup=False)


def _print_answer(answer: Any) -> None:
    from rich.table import Table

    table = Table("source", "category", "whose", "verdict", "basis or reason")
    for row in answer["verdicts"]:
        why = ", ".join(
            [f"{basis['kind']} {basis['id']}" for basis in row.get("basis", ())]
            + [reason["code"] for reason in row.get("reasons", ())]
        )
        table.add_row(row["source"], row["category"], row["subject"], row["verdict"], why)
    out.print(table)
    for source in answer["sources"]:
        if source["state"] == "silent":
            out.print(f"no answer from {source['source']}: {source['why']}", markup=False)
    for finding in answer.get("findings", ()):
        out.print(f"{'/'.join(finding['rules'])}: {finding['text']['da']}", markup=False)
    counts, receipt = answer["counts"], answer["receipt"]
    out.print(f"items: {counts['own']} own, {counts['shared']} shared", markup=False)
    out.print(f"on the log: {receipt['log']} entry {receipt['index']}", markup=False)
    out.print(answer["notice"]["da"], markup=False)
