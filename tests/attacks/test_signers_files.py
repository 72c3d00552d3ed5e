"""What a signer of the demo, under a user of its own, could lay into its folder against whoever starts it as root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.world.signers import USERS, WITNESS, give


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_link_in_a_signers_folder_gives_nothing_else_away(tmp_path: Path) -> None:
    """The folder and its own files become the signer's; a file that a link there leads to stays whose it was."""
    folder, other, user = tmp_path / WITNESS, tmp_path / "shadow", USERS[WITNESS]
    folder.mkdir()
    (folder / "w.skey").write_text("key")
    other.write_text("root's")
    (folder / "link").symlink_to(other)
    give(folder, user)

    assert (folder.stat().st_uid, (folder / "w.skey").stat().st_uid) == (user, user)
    assert other.stat().st_uid == 0
