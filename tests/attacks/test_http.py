"""Attacks below the application: requests that never end, heads without end, what is no HTTP, two requests in one."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from broker.web.limits import HEADERS
from demo.postgres import PrivatePostgres
from tests.builders import CASE, CITIZEN, PURPOSE
from tests.served_house import MOST_HEAD_BYTES, REQUEST_SECONDS, Served, open_served

CANARY = "CANARY-710274-0022"
BODY = json.dumps({"citizen": CITIZEN.disclose(), "purpose": PURPOSE, "case": CASE}).encode()
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
# Far more than is needed: it bounds a hang, and says nothing of speed.
GIVE_UP = 30.0


@pytest.fixture(scope="module")
def served(postgres: PrivatePostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve one house to all tests of this file."""
    with open_served(postgres, tmp_path_factory.mktemp("http")) as made:
        yield made


def told(served: Served, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send these bytes on a connection of their own, and give everything that comes back until it is closed."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=GIVE_UP) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except (ConnectionResetError, BrokenPipeError):
            return b""


def is_our_problem(answer: bytes, *statuses: int) -> bool:
    """Tell whether exactly one answer came, in our form, with our headers, and with nothing of what was sent."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    document = json.loads(body)
    names = {line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n")[1:]}
    return (
        answer.count(b"HTTP/1.1") == 1
        and status in statuses
        and document["status"] == status
        and b"application/problem+json" in head
        and names >= {name.lower() for name in (*HEADERS, "Cache-Control", "Content-Security-Policy")}
        and b"CANARY" not in answer
        and CITIZEN.disclose().encode() not in answer
    )


def ask(served: Served, *lines: str, method: str = "POST", target: str = "/v1/exchange") -> bytes:
    """Write the head of a good ask, with these lines added to it."""
    told_by = served.credentials("system", method, target)
    head = [f"{method} {target} HTTP/1.1", "Host: broker.example", "Content-Type: application/json"]
    return "\r\n".join([*head, *(f"{name}: {value}" for name, value in told_by.items()), *lines, "", ""]).encode()


DRIPPING = {
    "no word": [b""],
    "half a head": [b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nX-Slow: "],
    "half a body": [b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\n" + FORM + b"Content-Length: 100\r\n\r\nCANARY"],
    "a piece that never ends": [
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nCANARY"
    ],
}


@pytest.mark.parametrize("what", DRIPPING)
def test_a_request_that_never_ends_is_ended(served: Served, what: str) -> None:
    """A caller who says too little for too long loses the connection, wherever in a request they stopped."""
    began = time.monotonic()
    answer = told(served, *DRIPPING[what])

    assert time.monotonic() - began < GIVE_UP
    assert b"CANARY" not in answer
    # Whoever proves nothing is refused before the body is waited for; the connection ends all the same.
    assert is_our_problem(answer, 408) or b" 401 " in answer.partition(b"\r\n")[0]


def test_dripping_bytes_win_no_time(served: Served) -> None:
    """A byte now and then does not put the end off: the time is that of the whole request."""
    drops = [b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nX-Slow: "] + [b"x"] * int(REQUEST_SECONDS * 8)

    answer = told(served, *drops, pause=0.25)

    # Who still sends when the end comes may lose the words of it, never the end.
    assert answer == b"" or is_our_problem(answer, 408)


def test_a_proven_caller_who_stops_in_the_middle_asks_nothing(served: Served) -> None:
    """Half a body of a good caller is refused in our form, and nothing of it is kept."""
    before = served.run(served.rows())

    assert is_our_problem(told(served, ask(served, f"Content-Length: {len(BODY)}"), BODY[:-1]), 408)
    assert served.run(served.rows()) == before


def test_a_caller_who_hangs_up_in_the_middle_asks_nothing(served: Served) -> None:
    """A connection that ends within a body leaves nothing behind, and the next one is served."""
    before = served.run(served.rows())
    with socket.create_connection(("127.0.0.1", served.port), timeout=GIVE_UP) as connection:
        connection.sendall(ask(served, f"Content-Length: {len(BODY)}") + BODY[:-1])
    answer = told(served, ask(served, f"Content-Length: {len(BODY)}", "Connection: close") + b"{" + BODY[1:-1] + b" ")

    assert is_our_problem(answer, 400)
    assert served.run(served.rows()) == before


@pytest.mark.parametrize(
    "grown",
    [b"X-Long: " + b"y" * (4 * MOST_HEAD_BYTES), b"X-Many: CANARY\r\n" * (MOST_HEAD_BYTES // 4)],
    ids=["one long header", "many headers"],
)
def test_a_head_without_end_is_cut(served: Served, grown: bytes) -> None:
    """A head that grows past its bound is refused while it grows; the server gathers no more of it."""
    begun = b"GET /v1/me/consents HTTP/1.1\r\nHost: x\r\n"
    pieces = [grown[i : i + 4096] for i in range(0, len(grown), 4096)]
    answer = told(served, begun, *pieces, pause=0.005)

    assert answer == b"" or is_our_problem(answer, 431)


NO_HTTP: dict[str, bytes] = {
    "words": b"CANARY 7102740022\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "the hello of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
    "two lengths": b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
    "a length and pieces": (
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /CANARY HTTP/1.1\r\nHost: x\r\n\r\n"
    ),
    "a negative length": b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length in letters": b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n",
    "a length beyond all": b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
    "a piece with a false length": (
        b"POST /oauth2/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nCANARY\r\n"
    ),
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\nTransfer-Encoding : chunked\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n CANARY\r\n\r\n\x00",
    "a null byte in a header": b"GET / HTTP/1.1\r\nHost: x\r\nX-A: CANARY\x00b\r\n\r\n",
    "a null byte in an address": b"GET /CANARY\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes beyond ASCII in an address": b"GET /\xff\xfe\xc3\x28 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no address": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "another protocol": b"GET / FTP/1.1\r\nHost: x\r\n\r\n",
    "a method of one's own": b"CANARY / HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("what", NO_HTTP)
def test_what_is_no_http_is_refused_in_our_form(served: Served, what: str) -> None:
    """Garbage gets one problem and the end of the connection; a second request hidden in a first is never answered."""
    before = served.run(served.rows())
    answer = told(served, NO_HTTP[what])

    assert is_our_problem(answer, 400), answer
    assert served.run(served.rows()) == before


TARGETS = ["*", "http://evil.example/v1/exchange", "//evil.example/v1/exchange", "evil.example:443"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "HEAD"])
def test_an_odd_target_leads_nowhere(served: Served, method: str, target: str) -> None:
    """Whatever stands in the request line, the answer is a refusal that names no other host."""
    answer = told(served, f"{method} {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())

    assert re.match(rb"HTTP/1\.1 4\d\d ", answer), answer
    assert b"evil" not in answer
    assert b"\r\nlocation:" not in answer.lower()


@pytest.mark.parametrize("path", ["/v1/exchange/", "/v1/me/blocks/", "/mine/", "/oauth2/token/"])
def test_nobody_is_sent_where_the_host_header_says(served: Served, path: str) -> None:
    """A slash too many is no such address: a redirect would take the citizen's number to a host of the caller's own."""
    answer = told(
        served,
        f"POST {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}".encode(),
    )

    assert is_our_problem(answer, 404)
    assert b"evil" not in answer


def test_a_body_is_waited_for_only_when_it_may_come(served: Served) -> None:
    """With `Expect: 100-continue` a good caller is told to go on, and a body announced too large is refused unsent."""
    good = told(served, ask(served, f"Content-Length: {len(BODY)}", "Expect: 100-continue", "Connection: close"), BODY)
    large = told(served, ask(served, "Content-Length: 99999999", "Expect: 100-continue"))

    assert good.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 ")
    assert is_our_problem(large, 413)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip", "CANARY"])
def test_a_packed_body_is_not_unpacked(served: Served, coding: str) -> None:
    """A body that says it is packed is read as it stands and refused: what never grows can be no bomb."""
    import gzip

    packed = gzip.compress(BODY + b" " * 10_000_000)
    head = ask(served, f"Content-Length: {len(packed)}", f"Content-Encoding: {coding}", "Connection: close")
    before = served.run(served.rows())

    assert is_our_problem(told(served, head + packed), 400, 415)
    assert served.run(served.rows()) == before


def test_requests_sent_all_at_once_are_answered_one_by_one(served: Served) -> None:
    """Ten requests in one piece get ten answers, in their order."""
    begun = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
    answer = told(served, (begun + b"\r\n") * 9 + begun + b"Connection: close\r\n\r\n")

    assert answer.count(b"HTTP/1.1 200") == 10
    assert answer.count(b'{"live":true}') == 10


def test_line_ends_between_requests_win_no_time(served: Served) -> None:
    """Line ends that belong to no request do not hold a connection open: they wait no longer than a request does."""
    answered = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"

    answer = told(served, answered, *[b"\r\n"] * 4, pause=0.1)

    assert answer.count(b"HTTP/1.1") == 1
    assert answer.endswith(b'{"live":true}')


@pytest.mark.parametrize(
    "broken",
    [
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/exchange HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Late: CANARY\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\n\r\n",
        b"CANARY 7102740022\r\n\r\n",
    ],
    ids=["a false piece", "a trailer", "no host", "words"],
)
def test_a_refusal_never_stands_for_the_request_before_it(served: Served, broken: bytes) -> None:
    """What is no HTTP behind a good request ends the connection; its refusal is not given as the first one's answer."""
    good = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"

    assert b"HTTP/1.1 400" not in told(served, good + broken)
