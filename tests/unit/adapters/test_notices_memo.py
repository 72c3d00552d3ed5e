"""The MeMo file: from a municipality to a number, with the same few words for everybody; and the list for paper."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from broker.adapters.notices_memo import LABEL, NAMESPACE, TEXT, FolderRefused, MemoFolder, memo
from broker.adapters.notices_paper import write_list
from broker.domain.directory import Municipality
from broker.domain.errors import NoticeNotSent
from broker.domain.notices import RECORDED, REQUEST, notice_to
from broker.domain.personal import Personal
from tests.consent_values import HOME, NOON

KORSBAEK = Municipality(HOME, "11111111", "Korsbæk <Kommune> & Co", "0999")
ADDRESS = "https://samtykke.example.dk/mine"
ANNA = Personal("010190-0001")
NOTICE = notice_to("a" * 32, ANNA, HOME, REQUEST, NOON)


def read(content: bytes) -> dict[str, str]:
    """Lay a message out by the local names of its parts."""
    return {part.tag.removeprefix(f"{{{NAMESPACE}}}"): part.text or "" for part in ET.fromstring(content).iter()}


def test_a_message_goes_from_a_cvr_number_to_a_cpr_number() -> None:
    """Header, sender, recipient and one document, in the order of the form."""
    root = ET.fromstring(memo(NOTICE, KORSBAEK, ADDRESS))
    header = root[0]
    said = read(memo(NOTICE, KORSBAEK, ADDRESS))

    assert root.tag == f"{{{NAMESPACE}}}Message"
    assert [part.tag.partition("}")[2] for part in header] == [
        "messageType", "messageUUID", "label", "mandatory", "legalNotification", "Sender", "Recipient"
    ]  # fmt: skip
    assert [[part.text for part in group] for group in (header[5], header[6])] == [
        ["11111111", "CVR", "Korsbæk <Kommune> & Co"],
        ["0101900001", "CPR"],
    ]
    assert (said["messageUUID"], said["createdDateTime"]) == (NOTICE.id, "2019-03-01T11:00:00Z")
    assert b64decode(said["content"]).decode() == TEXT.format(address=ADDRESS)


def test_every_notice_says_the_same() -> None:
    """Whatever caused it and whoever it is to: but for id and number the bytes are the same."""
    other = replace(notice_to("b" * 32, Personal("0202900002"), HOME, RECORDED, NOON), id=NOTICE.id)

    first = memo(NOTICE, KORSBAEK, ADDRESS)
    assert first.replace(b"0101900001", b"0202900002") == memo(other, KORSBAEK, ADDRESS)
    assert LABEL == "Der er noget nyt til dig"


async def test_the_file_is_whole_and_closed_to_others(tmp_path: Path) -> None:
    """Sent twice it is one file, its owner's and their group's; nothing else is left in the folder."""
    channel = MemoFolder(tmp_path, {HOME: KORSBAEK}, ADDRESS)

    await channel.send(NOTICE)
    await channel.send(NOTICE)

    (file,) = tmp_path.iterdir()
    assert file.name == f"{NOTICE.id}.xml"
    assert file.stat().st_mode & 0o7777 == 0o640
    assert file.read_bytes() == memo(NOTICE, KORSBAEK, ADDRESS)


async def test_a_folder_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    """It is not sent, so that it is tried again; what is said names no number and no path."""
    channel = MemoFolder(tmp_path / "gone", {HOME: KORSBAEK}, ADDRESS)

    with pytest.raises(NoticeNotSent) as told:
        await channel.send(NOTICE)

    assert str(told.value) == ""


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o701])
def test_a_folder_open_to_everybody_is_refused(tmp_path: Path, mode: int) -> None:
    """Numbers of citizens are not put where everybody on the machine may look."""
    folder = tmp_path / "out"
    folder.mkdir()
    folder.chmod(mode)
    channel = MemoFolder(folder, {HOME: KORSBAEK}, ADDRESS)

    with pytest.raises(FolderRefused):
        channel.check()
    folder.chmod(0o750)
    channel.check()


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    """A file, or nothing."""
    (tmp_path / "file").write_text("x")
    for name in ("file", "nothing"):
        with pytest.raises(FolderRefused):
            MemoFolder(tmp_path / name, {HOME: KORSBAEK}, ADDRESS).check()


def test_the_list_for_paper_names_each_once(tmp_path: Path) -> None:
    """Two notices to one number are one line, with the day of the older; the file is its owner's alone."""
    later = replace(NOTICE, id="x", made_at=NOON.replace(month=4))
    plain = replace(NOTICE, number=Personal("0101900001"))
    bo = replace(NOTICE, number=Personal("0202900002"))
    file = tmp_path / "list.csv"
    file.write_text("old")
    file.chmod(0o644)

    write_list(file, [later, plain, NOTICE, bo])

    assert file.read_bytes() == b"cpr,day\r\n0101900001,2019-03-01\r\n0202900002,2019-03-01\r\n"
    assert file.stat().st_mode & 0o7777 == 0o600


def test_a_list_follows_no_link(tmp_path: Path) -> None:
    """Who may write in the folder cannot lead the list somewhere else."""
    (tmp_path / "list.csv").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match=r"list\.csv"):
        write_list(tmp_path / "list.csv", [NOTICE])
