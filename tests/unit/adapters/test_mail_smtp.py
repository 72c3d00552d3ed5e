"""The channel to e-mail, against a mail server that is not ours: encrypted or not at all, and each thing said once."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import email
import ipaddress
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.adapters import mail_smtp
from broker.adapters.mail_smtp import LABEL, LOOPBACK, STARTTLS, TLS, MailRefused, MailServer, SmtpMail
from broker.domain.errors import NoticeNotSent
from broker.domain.notices import REQUEST, Notice, notice_to
from broker.domain.personal import Personal
from broker.settings import SettingsFaults, read
from tests.consent_values import HOME, NOON
from tests.serving import NODE, node_or_skip

ADDRESS = Personal("anna@example.dk")
NOTICE = replace(notice_to("a-handle", Personal("0101900001"), HOME, REQUEST, NOON, unit="jobcentre"), address=ADDRESS)


@dataclass
class Peer:
    """The mail server, and where its certificate lies."""

    process: asyncio.subprocess.Process
    port: int
    certificate: Path

    def mail(self, security: str, **changes: Any) -> SmtpMail:
        """Open our side."""
        server = MailServer("127.0.0.1", self.port, "besked@example.dk", security, authorities=self.certificate)
        return SmtpMail(replace(server, **changes))

    async def took(self) -> dict[str, Any]:
        """Wait for the next e-mail it takes."""
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            told: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return told


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate for loopback."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    return folder / "key.pem", folder / "cert.pem"


@contextlib.asynccontextmanager
async def peer(folder: Path, how: str) -> AsyncIterator[Peer]:
    """Run the mail server; skipped where it is not installed."""
    node = node_or_skip()
    if not (NODE / "node_modules" / "smtp-server").is_dir():
        pytest.skip("smtp-server is not installed (npm ci in tests/peers/node): no other mail server is asked")
    key, cert = certificate(folder)
    process = await asyncio.create_subprocess_exec(
        node, "mail_server.mjs", str(key), str(cert), how, cwd=NODE,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield Peer(process, int(await process.stdout.readline()), cert)
    finally:
        process.kill()
        await process.wait()


def read_mail(text: str) -> Message:
    """Read an e-mail as its reader's program does."""
    return email.message_from_string(text)


@pytest.mark.parametrize(("how", "security"), [("starttls", STARTTLS), ("tls", TLS)])
async def test_a_notice_arrives_encrypted(tmp_path: Path, how: str, security: str) -> None:
    """With a log-in, to the address alone, under the notice's own id, twice as once; no word of what, and no link."""
    async with peer(tmp_path, how) as made:
        mail = made.mail(security, user="borgerbro", password="secret")
        await mail.send(NOTICE)
        await mail.send(NOTICE)
        first, second = await made.took(), await made.took()

    letter = read_mail(first["text"])
    said = letter.get_payload(decode=True)
    assert isinstance(said, bytes)
    words = said.decode()
    assert (first["from"], first["to"]) == ("besked@example.dk", ["anna@example.dk"])
    assert (first["secure"], first["user"]) == (True, "borgerbro")
    assert letter["Subject"] == LABEL
    assert letter["Message-ID"] == read_mail(second["text"])["Message-ID"] == f"<{NOTICE.id}@example.dk>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert not any(told in first["text"] + words for told in ("0101900001", "a-handle", "jobcentre", "http", REQUEST))


@pytest.mark.parametrize(
    ("how", "security", "changes"),
    [
        ("plain", STARTTLS, {}),
        ("starttls", STARTTLS, {"authorities": None}),
        ("starttls", STARTTLS, {"host": "localhost"}),
        ("starttls", TLS, {}),
        ("tls", TLS, {"authorities": None}),
        ("starttls", STARTTLS, {"user": "borgerbro", "password": "wrong"}),
        ("starttls", STARTTLS, {"port": 1}),
    ],
)
async def test_nothing_leaves_where_the_line_is_not_to_be_trusted(
    tmp_path: Path, how: str, security: str, changes: dict[str, Any]
) -> None:
    """No encryption offered, a stranger's certificate, one of another name, a wrong log-in, nobody there: not sent."""
    async with peer(tmp_path, how) as made:
        with pytest.raises(NoticeNotSent):
            await made.mail(security, **changes).send(NOTICE)
        await made.mail(TLS if how == "tls" else LOOPBACK if how == "plain" else STARTTLS).send_code(
            ADDRESS, Personal("123456")
        )
        assert "123456" in (await made.took())["text"]


async def test_what_the_server_could_not_take_goes_the_next_time(tmp_path: Path) -> None:
    """It says no once; the next try it takes, under the same id."""
    async with peer(tmp_path, "starttls") as made:
        assert made.process.stdin is not None
        made.process.stdin.write(b"1\n")
        await made.process.stdin.drain()
        await asyncio.sleep(0.3)
        with pytest.raises(NoticeNotSent):
            await made.mail(STARTTLS).send(NOTICE)
        await made.mail(STARTTLS).send(NOTICE)
        assert NOTICE.id in (await made.took())["text"]


async def test_a_silent_server_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes all and says nothing: not sent, in bounded time."""
    monkeypatch.setattr(mail_smtp, "STEP_SECONDS", 0.5)
    async with peer(tmp_path, "silent") as made:
        with pytest.raises(NoticeNotSent):
            await made.mail(STARTTLS).send(NOTICE)


async def test_without_an_address_nothing_is_sent() -> None:
    """A notice to somebody who chose no e-mail is no e-mail."""
    nobody: Notice = replace(NOTICE, address=None)
    with pytest.raises(NoticeNotSent):
        await SmtpMail(MailServer("127.0.0.1", 1, "besked@example.dk")).send(nobody)


def test_what_is_set_wrong_is_said_at_the_start(tmp_path: Path) -> None:
    """No such certificates; a server elsewhere in the clear; a sender or a password alone."""
    with pytest.raises(MailRefused, match="BROKER_SMTP_AUTHORITIES"):
        SmtpMail(MailServer("mail", 25, "besked@example.dk", authorities=tmp_path / "none"))
    host, sender = {"BROKER_SMTP_HOST": "mail.example.dk"}, {"BROKER_SMTP_FROM": "besked@example.dk"}
    for given, why in (
        (host | sender | {"BROKER_SMTP_SECURITY": "loopback"}, "127.0.0.1"),
        (host, "together"),
        (sender, "together"),
        (host | sender | {"BROKER_SMTP_USER": "x"}, "together"),
    ):
        with pytest.raises(SettingsFaults, match=why):
            read(BASE | given)


BASE = {
    "BROKER_PROFILE": "test",
    "BROKER_PUBLIC_URL": "https://broker.example",
    "BROKER_REGISTRY": "r",
    "BROKER_POLICIES": "p",
    "BROKER_DATABASE_URL": "d",
    "BROKER_VAULT_URL": "v",
    "BROKER_KEY_FOLDER": "k",
}
