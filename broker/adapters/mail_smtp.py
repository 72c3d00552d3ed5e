"""The channel to e-mail over SMTP (RFC 5321), encrypted on the way (RFC 3207, RFC 8314), with the standard library.

Rules kept here:
- Subject, sender and words are the same for everybody and hold no link: whoever sees somebody's inbox learns that
  somebody writes, and nobody learns to log in by a link in an e-mail.
- Without encryption nothing leaves this machine: where the server offers none, or its certificate is another's, the
  notice is tried again.
- A notice has one Message-ID (RFC 5322), however often it is sent. It is sent once the server has said that it took it,
  whatever becomes of the line after that.
- A server that drips holds nobody up but e-mail: talks have threads of their own, and end when their time is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path
from typing import Any
from uuid import uuid4

from broker.domain.errors import NoticeNotSent
from broker.domain.notices import Notice
from broker.domain.personal import Personal

LABEL = "Der er noget nyt til dig"
TEXT = """Hej

Der er noget nyt til dig fra kommunen.

Log på med MitID, som du plejer. Der er intet link her med vilje. Du kan også ringe til kommunen.

----

Hello

There is something new for you from the municipality.

Log in with MitID as you usually do. There is no link here on purpose. You can also call the municipality.
"""
CODE_LABEL = "Din kode"
CODE_TEXT = """Koden er {code}

Skriv den på den side, hvor du bad om den. Den gælder i 30 minutter.
Har du ikke bedt om en kode, så gør ingenting. Giv den ikke til andre.

----

The code is {code}

Write it on the page where you asked for it. It holds for 30 minutes.
If you did not ask for a code, do nothing. Give it to nobody.
"""
STARTTLS, TLS, LOOPBACK = "starttls", "tls", "loopback"
# For each step of the talk, and for all of it.
STEP_SECONDS, WHOLE_SECONDS = 10.0, 30.0
TALKS_AT_ONCE = 2


class MailRefused(Exception):
    """E-mail cannot be sent as it is set; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes our e-mail, and as whom we send."""

    host: str
    port: int
    sender: str
    security: str = STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authorities: Path | None = None


class SmtpMail:
    """Sends notices to who chose e-mail, and codes to addresses that are to be confirmed."""

    name = "email"

    def __init__(self, server: MailServer) -> None:
        """Raise `MailRefused` where the certificates of authorities cannot be read."""
        self._server = server
        # Not the threads of the event loop: those look up the names of every source (P12).
        self._threads = ThreadPoolExecutor(TALKS_AT_ONCE, "mail")
        try:
            self._trust = ssl.create_default_context(cafile=server.authorities)
        except OSError as error:
            raise MailRefused(f"BROKER_SMTP_AUTHORITIES: {error.strerror or 'holds no certificate'}") from None

    async def send(self, notice: Notice) -> None:
        """Hand a notice over; raise `NoticeNotSent` where the server did not say that it took it."""
        if notice.address is None:
            raise NoticeNotSent
        await self._hand_over(notice.address, LABEL, TEXT, notice.id)

    async def send_code(self, address: Personal[str], code: Personal[str]) -> None:
        """Send a code to an address, and not a word of what it is for. Raises `NoticeNotSent`."""
        await self._hand_over(address, CODE_LABEL, CODE_TEXT.format(code=code.disclose()), str(uuid4()))

    async def _hand_over(self, address: Personal[str], label: str, text: str, id_: str) -> None:
        end = _End()
        loop = asyncio.get_running_loop()
        try:
            letter = _letter(self._server.sender, address, label, text, id_)
            async with asyncio.timeout(WHOLE_SECONDS):
                await loop.run_in_executor(self._threads, self._talk, address.disclose(), letter.as_bytes(), end)
        except (OSError, smtplib.SMTPException, ValueError):
            # Also `TimeoutError`. What the server said may hold the address: it is told to nobody.
            raise NoticeNotSent from None
        finally:
            end.now()

    def _talk(self, to: str, letter: bytes, end: _End) -> None:
        server = self._server
        line = self._connected(end)
        try:
            if server.security == STARTTLS:
                line.starttls(context=self._trust)
            if server.user is not None:
                line.login(server.user, server.password or "")
            line.sendmail(server.sender, [to], letter)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                line.quit()
        finally:
            line.close()

    def _connected(self, end: _End) -> smtplib.SMTP:
        server = self._server
        # The name of this machine is nobody's business.
        ours = server.sender.rpartition("@")[2]
        if server.security == TLS:
            return _TlsLine(
                end, server.host, server.port, local_hostname=ours, timeout=STEP_SECONDS, context=self._trust
            )
        return _Line(end, server.host, server.port, local_hostname=ours, timeout=STEP_SECONDS)


class _End:
    """When a talk is over, said from outside the thread in which it goes on."""

    def __init__(self) -> None:
        self.over = False
        self.line: smtplib.SMTP | None = None

    def now(self) -> None:
        """End the talk; one that has ended stays so."""
        self.over = True
        held = self.line.sock if self.line is not None else None
        if held is not None:
            # Not yet connected, already closed, or becoming encrypted: then the next reply is not waited for.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(held, socket.SHUT_RDWR)


class _Line(smtplib.SMTP):
    """A line that can be ended while it waits, from its first word on."""

    def __init__(self, end: _End, *given: Any, **more: Any) -> None:
        self._end = end
        end.line = self
        super().__init__(*given, **more)

    def getreply(self) -> tuple[int, bytes]:
        """Wait for what the server says. Raises `TimeoutError` where the talk is over."""
        if self._end.over:
            raise TimeoutError
        return super().getreply()


class _TlsLine(_Line, smtplib.SMTP_SSL):
    """The same, encrypted from its first byte."""


def _letter(sender: str, address: Personal[str], label: str, text: str, id_: str) -> EmailMessage:
    letter = EmailMessage(policy=SMTP)
    letter["From"] = sender
    username, _, domain = address.disclose().rpartition("@")
    if "=?" in username:
        # An encoded word (RFC 2047), kept from before such were refused: in a header it says another address, or lines.
        raise ValueError
    letter["To"] = Address(username=username, domain=domain)
    letter["Subject"] = label
    letter["Date"] = formatdate()
    letter["Message-ID"] = f"<{id_}@{sender.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(text, charset="utf-8", cte="quoted-printable")
    return letter
