"""The channel to Digital Post: one MeMo file a notice, in a folder that the municipality's own sender empties.

The form is OIO MeMo 1.1 (`https://DigitalPost.dk/MeMo-1`), as public users of it write it; it was not held against the
schema of Digitaliseringsstyrelsen, nor sent. Label and text are the same for everybody, and no preview is asked for.
A file has its name once it is whole; a notice sent twice is the same file under the same messageUUID.
"""

from __future__ import annotations

import asyncio
import os
import stat
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from xml.etree import ElementTree as ET

from broker.domain.directory import Municipality
from broker.domain.errors import NoticeNotSent
from broker.domain.notices import Notice

NAMESPACE = "https://DigitalPost.dk/MeMo-1"
OTHERS = 0o007
LABEL = "Der er noget nyt til dig"
TEXT = """Hej

Der er noget nyt til dig. Du kan se det her:

{address}

Log på med MitID. Du kan også ringe til kommunen.

----

Hello

There is something new for you. You can see it at the address above.

Log in with MitID. You can also call the municipality.
"""
ET.register_namespace("memo", NAMESPACE)


class FolderRefused(Exception):
    """The folder cannot be used; the message says why in one line."""


class MemoFolder:
    """Writes MeMo files. `senders` are the municipalities by id, `address` the citizen's own page."""

    name = "digital_post"

    def __init__(self, folder: Path, senders: Mapping[str, Municipality], address: str) -> None:
        self._folder = folder
        self._senders = senders
        self._address = address

    def check(self) -> None:
        """Raise `FolderRefused` unless the folder is there and not open to everybody on the machine."""
        try:
            status = self._folder.stat()
        except OSError as error:
            raise FolderRefused(f"BROKER_NOTICES_FOLDER: {error.strerror}") from None
        if not stat.S_ISDIR(status.st_mode) or status.st_mode & OTHERS:
            raise FolderRefused("BROKER_NOTICES_FOLDER: must be a folder that not everybody may read (mode 0750)")

    async def send(self, notice: Notice) -> None:
        """Put the file there, durable; raise `NoticeNotSent` where it cannot be."""
        text = memo(notice, self._senders[notice.municipality], self._address)
        try:
            await asyncio.to_thread(_put, self._folder / f"{notice.id}.xml", text)
        except OSError:
            raise NoticeNotSent from None


def memo(notice: Notice, sender: Municipality, address: str) -> bytes:
    """Write one MeMo message: from a municipality (CVR) to a person (CPR), with the one text there is."""
    message = ET.Element(_name("Message"), {"memoVersion": "1.1", "memoSchVersion": "1.1.0"})
    header = _part(message, "MessageHeader")
    for name, text in (
        ("messageType", "DIGITALPOST"), ("messageUUID", notice.id), ("label", LABEL), ("mandatory", "false"),
        ("legalNotification", "false"),
    ):  # fmt: skip
        _part(header, name, text)
    whose = _part(header, "Sender")
    for name, text in (("senderID", sender.cvr), ("idType", "CVR"), ("label", sender.name)):
        _part(whose, name, text)
    to = _part(header, "Recipient")
    for name, text in (("recipientID", digits_of(notice)), ("idType", "CPR")):
        _part(to, name, text)
    body = _part(message, "MessageBody")
    _part(body, "createdDateTime", f"{notice.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    file = _part(_part(body, "MainDocument"), "File")
    content = b64encode(TEXT.format(address=address).encode()).decode("ascii")
    for name, text in (
        ("encodingFormat", "text/plain"), ("filename", "besked.txt"), ("language", "da"), ("content", content),
    ):  # fmt: skip
        _part(file, name, text)
    return bytes(ET.tostring(message, encoding="utf-8", xml_declaration=True))


def digits_of(notice: Notice) -> str:
    """Give the number in the one way that post is sent by, with no hyphen."""
    return "".join(sign for sign in notice.number.disclose() if sign.isdecimal())


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def _part(parent: ET.Element, local: str, text: str | None = None) -> ET.Element:
    part = ET.SubElement(parent, _name(local))
    part.text = text
    return part


def _put(path: Path, content: bytes) -> None:
    """Write a file for its owner and group, whole before it has its name, and flush the folder."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
