"""The rules' own tests, in Rego, and what they reach."""

import json
import subprocess

from tests.model.engines import opa_on_path
from tests.model.questions import POLICIES


def test_the_rules_own_tests_reach_every_line() -> None:
    """All tests in `policies/*_test.rego` pass, and together they reach every line of the rules."""
    command = [opa_on_path(), "test", "--coverage", "--ignore=*.schema.json", "--ignore=capabilities.json", POLICIES]

    told = subprocess.run(command, capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stdout
    report = json.loads(told.stdout)
    missed = {name: file["not_covered"] for name, file in report["files"].items() if file.get("not_covered")}
    assert missed == {}
