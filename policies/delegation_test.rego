package broker.delegation_test

import data.broker.delegation
import data.broker.fixture_test as fixture

from(municipality) := object.union(
	fixture.question,
	{"subjects": [object.union(fixture.adult, {"municipality": municipality})]},
)

test_who_lives_here_needs_none if {
	delegation.resident with input as fixture.question
	not delegation.absent with input as fixture.question with data.tables as fixture.tables
}

test_who_lives_there_needs_one if {
	delegation.covering with input as from("north") with data.tables as fixture.tables
	delegation.absent with input as from("west") with data.tables as fixture.tables
}

test_unknown_residence_is_not_ours if {
	not delegation.resident with input as from(null)
	delegation.absent with input as from(null) with data.tables as fixture.tables
}
