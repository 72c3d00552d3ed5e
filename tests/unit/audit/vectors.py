"""Where the public test vectors lie: beside the repository, in `shared/vectors`, where they are at hand."""

from pathlib import Path

import pytest

VECTORS = Path(__file__).resolve().parents[3].parent / "shared" / "vectors"


def vectors(name: str) -> Path:
    """Give a folder of vectors; skip the calling module in one line where it is not there."""
    folder = VECTORS / name
    if not folder.is_dir():
        pytest.skip(f"public vectors not at hand: ../shared/vectors/{name}", allow_module_level=True)
    return folder
