"""What stands in an index row, for supervision to search, is what happened."""

from dataclasses import replace

from broker.domain.asks import Key
from broker.domain.decisions import Basis, Verdict
from tests.log_events import an_outcome


def test_a_refused_outcome_names_nothing_that_went_out() -> None:
    """The unit's own data, which the rules would have let go, is not handed out with a refusal, and not named so."""
    own = Verdict(Key("jobcentre", "B01", "c"), "release", basis=(Basis("own_case", "own", "1", "OWN_CASE"),), own=True)
    no = Verdict(Key("social", "S01", "c"), "withhold", reasons=("CONSENT_REVOKED",), shown=("CONSENT_REVOKED",))
    refused = an_outcome("c", "a", outcome="refused", verdicts=(own, no), sources_read=())

    row = refused.index()

    assert (row["categories"], row["basis"], row["reasons"]) == ([], [], ["CONSENT_REVOKED"])
    partly = replace(refused, outcome="partly").index()
    assert (partly["categories"], partly["basis"]) == (["B01"], ["own_case"])
