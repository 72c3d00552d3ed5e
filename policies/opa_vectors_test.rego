package broker.vectors_test

import data.broker.fixture_test as fixture
import data.broker.share
import data.broker.vectors

golden := {"tables": fixture.tables, "cases": [fixture.question, object.union(fixture.question, {"related": true})]}

decided(i) := decision if {
	decision := share.decision with input as golden.cases[i] with data.tables as golden.tables
}

test_the_cases_named_are_decided_in_their_order if {
	found := vectors.answers with input as {"cases": [1, 0]} with data.vectors as golden
	found == [decided(1), decided(0)]
	decided(0) != decided(1)
}

test_a_case_that_is_not_there_has_no_decision if {
	found := vectors.answers with input as {"cases": [7]} with data.vectors as golden
	count(found) == 0
}
