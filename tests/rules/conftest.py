"""Every rule is asked of every engine."""

from collections.abc import Iterator

import pytest

from tests.model.engines import ENGINES, Engines, opa_on_path


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """Give all engines to the whole session."""
    engines = Engines()
    yield engines
    engines.close()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Name one engine after the other."""
    if request.param == "opa":
        opa_on_path()
    return str(request.param)
