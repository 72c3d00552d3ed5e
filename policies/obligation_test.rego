package broker.obligation_test

import data.broker.fixture_test as fixture
import data.broker.obligation

asked := object.union(fixture.question, {"keys": [
	{"source": "family", "category": "F01", "subject": "vik"},
	{"source": "social", "category": "S01", "subject": "anna"},
]})

test_the_child_is_not_named if {
	obligation.child_name == {0} with input as asked with data.tables as fixture.tables
}

test_the_unit_that_helps_knows_the_child if {
	ours := object.union(asked, {"caller": {"unit": "u-family"}})
	obligation.child_name == set() with input as ours with data.tables as fixture.tables
}

test_no_place_where_one_is_protected if {
	hidden := object.union(asked, {"subjects": [fixture.adult, object.union(fixture.child, {"protected": true})]})
	obligation.address == {0} with input as hidden with data.tables as fixture.tables
}
