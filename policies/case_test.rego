package broker.case_test

import data.broker.case
import data.broker.fixture_test as fixture

stopped(changes) := codes if {
	held := case.codes with input as object.union(fixture.question, changes) with data.tables as fixture.tables
	codes := {code | some code, keys in held; fixture.shared in keys}
}

facts(changes) := {"case": object.union(fixture.question.case, changes)}

test_nothing_stands_against_the_plain_question if stopped({}) == set()

test_a_case_that_is_not_the_citizens if {
	every changes in [{"exists": false}, {"open": false}, {"concerns_citizen": false}, {"unit": "u-far"}] {
		stopped(facts(changes)) == {"CASE_MISMATCH"}
	}
}

test_an_unknown_citizen_looks_the_same if {
	stopped({"subjects": [object.union(fixture.adult, {"known": false})]}) == {"CASE_MISMATCH"}
}

test_not_on_the_case if stopped(facts({"caseworker_on_case": false})) == {"NO_CASE_RELATION"}

test_a_silent_register if stopped({"failed_registers": ["cpr"]}) == {"SOURCE_UNAVAILABLE"}

test_the_border if {
	elsewhere := {"subjects": [object.union(fixture.adult, {"municipality": "north"})]}
	stopped(elsewhere) == set()
	stopped(object.union(elsewhere, {"today": 20200101})) == {"DELEGATION_EXPIRED"}
	stopped(object.union(elsewhere, facts({"kle": "27.24.03"}))) == {"OUTSIDE_DELEGATION"}
	stopped({"subjects": [object.union(fixture.adult, {"municipality": "west"})]}) == {"NO_DELEGATION"}
}
