"""The proxy in front: nothing is sent twice, nothing of the operator's is seen, nobody says who they are by header.

HAProxy is real and reads `deploy/haproxy.cfg`; the nodes are sockets that keep every byte.
"""

import asyncio
import json
import ssl
from pathlib import Path

import pytest

from tests.proxying import FrontDoor, Node, front_door

ASK = "POST /v1/exchange HTTP/1.1\nContent-Type: application/json\nContent-Length: 2\n\n{}"


def problem(answer: bytes) -> dict[str, object]:
    """Read a problem document out of a raw answer; fail where it is none or may be kept."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head.lower()
    assert b"cache-control: no-store" in head.lower()
    told: dict[str, object] = json.loads(body)
    assert int(head.split()[1]) == told["status"]
    return told


async def dies(_node: Node, _request: bytes, writer: asyncio.StreamWriter) -> None:
    """End the connection without a word, as a killed node does."""
    writer.transport.abort()


async def until(door: FrontDoor, status: bytes) -> bytes:
    """Look at a harmless page until it is answered with this status."""
    async with asyncio.timeout(20):
        while (answer := await door.say("GET /looked HTTP/1.1")).split()[1] != status:
            await asyncio.sleep(0.05)
    return answer


async def test_an_ask_that_reached_a_node_is_never_sent_again(tmp_path: Path) -> None:
    """A node that dies with an ask in its hands leaves one access, not two; the caller hears that it is not known."""
    async with front_door(tmp_path, Node(dies), Node(dies), Node(dies)) as door:
        told = problem(await door.say(ASK))

        assert told["status"] == 502
        assert len(door.reached) == 1


async def test_a_get_is_not_sent_again_either(tmp_path: Path) -> None:
    """A look at the log is an entry too: no method is safe to repeat behind the caller's back."""
    async with front_door(tmp_path, Node(dies), Node(dies)) as door:
        assert problem(await door.say("GET /v1/accesses HTTP/1.1"))["status"] == 502
        assert len(door.reached) == 1


async def test_a_node_that_takes_no_connection_costs_nobody_an_answer(tmp_path: Path) -> None:
    """A connection that cannot be made is tried at the other node: nothing was said there yet."""
    gone, here = Node(), Node()
    async with front_door(tmp_path, gone, here) as door:
        gone.close()
        answers = [await door.say(ASK) for _ in range(8)]

        assert {answer.split()[1] for answer in answers} == {b"200"}
        assert len(here.requests) >= 8 - len(gone.requests)


async def test_a_node_that_is_not_ready_is_asked_nothing(tmp_path: Path) -> None:
    """A node whose doors are shut gets no requests, and gets them again when they open."""
    node = Node()
    async with front_door(tmp_path, node) as door:
        node.ready = False
        assert problem(await until(door, b"503"))["type"] == "urn:borgerbro:problem:no-node"
        node.ready = True
        await until(door, b"200")


@pytest.mark.parametrize(
    "path",
    [
        "/metrics", "/METRICS", "/metrics/", "/%6detrics", "/%6Detric%73", "//metrics", "/./metrics", "/v1/../metrics",
        "/metrics?x=1", "/health/ready", "/health/live", "/%68ealth/ready", "/health%2fready", "http://HOST/metrics",
        "/v1/%2e%2e/metrics", "/%2fmetrics",
    ],
)  # fmt: skip
async def test_what_is_the_operators_is_not_there_from_outside(tmp_path: Path, path: str) -> None:
    """However it is spelled, the operator's addresses reach no node through the proxy."""
    async with front_door(tmp_path, Node()) as door:
        spelled = path.replace("HOST", f"127.0.0.1:{door.proxy.port}")
        answer = await door.say(f"GET {spelled} HTTP/1.1\nUser-Agent: x")

        assert problem(answer)["status"] == 404
        assert door.reached == []


async def test_nobody_says_by_header_who_they_are(tmp_path: Path) -> None:
    """Headers that a careless node would believe end at the proxy; the caller's own go on."""
    false = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "X-Original-URL",
             "X-Rewrite-URL", "X-Client-Cert", "X-SSL-Client-Verify", "Via", "Proxy"]  # fmt: skip
    lines = "\n".join(f"{name}: evil" for name in false)
    async with front_door(tmp_path, Node()) as door:
        await door.say(f"GET /mine HTTP/1.1\n{lines}\nDPoP: kept\nTraceparent: kept")
        (request,) = door.reached

        assert b"evil" not in request
        assert request.count(b"kept") == 2


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", ""])
async def test_only_the_public_name_is_served(tmp_path: Path, host: str) -> None:
    """Another name in `Host` is answered with 421 and reaches no node."""
    async with front_door(tmp_path, Node()) as door:
        answer = await door.say("GET /mine HTTP/1.1", host=host or " ")

        assert problem(answer)["status"] == 421
        assert door.reached == []


async def test_two_names_in_one_request_are_refused(tmp_path: Path) -> None:
    """A request line that names another host than `Host` is refused without a word of it coming back."""
    async with front_door(tmp_path, Node()) as door:
        answer = await door.say("GET http://canary.example/metrics HTTP/1.1")

        assert answer.split()[1] == b"400"
        assert b"canary" not in answer
        assert door.reached == []


@pytest.mark.parametrize(
    "smuggled",
    [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /case HTTP/1.1\r\nHost: x\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}GET /case HTTP/1.1\r\nHost: x\r\n\r\n",
        "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /case HTTP/1.1\r\nHost: x\r\n\r\n",
        "Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /case HTTP/1.1\r\nHost: x\r\n\r\n",
        "X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /case HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_no_second_request_is_smuggled_inside_the_first(tmp_path: Path, smuggled: str) -> None:
    """What two parsers could read differently is refused, or reaches the node as one plain request."""
    async with front_door(tmp_path, Node()) as door:
        start = f"POST /v1/exchange HTTP/1.1\r\nHost: 127.0.0.1:{door.proxy.port}\r\nConnection: close\r\n"
        await door.send((start + smuggled).encode())

        assert not any(b"/case" in request.split(b"\r\n", 1)[0] for request in door.reached)
        assert len(door.reached) <= 1


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "OPTIONS", "PROPFIND"])
async def test_methods_nobody_serves_end_at_the_proxy(tmp_path: Path, method: str) -> None:
    """What no address of ours takes reaches no node."""
    async with front_door(tmp_path, Node()) as door:
        assert problem(await door.say(f"{method} /mine HTTP/1.1"))["status"] == 403
        assert door.reached == []


async def test_half_a_request_holds_no_node(tmp_path: Path) -> None:
    """A body that never comes is waited for at the proxy alone."""
    async with front_door(tmp_path, Node()) as door:
        answer = await door.say(ASK.replace("Content-Length: 2", "Content-Length: 200"))

        assert problem(answer)["status"] == 408
        assert door.reached == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_old_tls_is_refused(tmp_path: Path) -> None:
    """A caller with TLS 1.1 gets no connection, one with TLS 1.2 does; answers carry HSTS."""
    async with front_door(tmp_path, Node()) as door:
        old, new = door.proxy.trust(), door.proxy.trust()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        new.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", door.proxy.port, ssl=old)
        _, writer = await asyncio.open_connection("127.0.0.1", door.proxy.port, ssl=new)
        writer.close()

        assert b"strict-transport-security: max-age=63072000" in (await door.say("GET /mine HTTP/1.1")).lower()


async def test_the_proxys_own_log_names_nobody(tmp_path: Path) -> None:
    """No path, header or address of a caller stands in what the proxy writes."""
    async with front_door(tmp_path, Node()) as door:
        await door.say("GET /mine/canary-path?canary=1 HTTP/1.1\nX-Any: canary-header")
        # The line comes when the connection is over, which the proxy learns after its caller has read the answer.
        async with asyncio.timeout(30):
            while "200 " not in (tmp_path / "haproxy.log").read_text("utf-8"):
                await asyncio.sleep(0.01)
        door.proxy.stop()
        written = (tmp_path / "haproxy.log").read_text("utf-8")

        assert "canary" not in written
        assert "127.0.0.1" not in written.replace(f"127.0.0.1:{door.proxy.port}", "")
