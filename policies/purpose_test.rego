package broker.purpose_test

import data.broker.fixture_test as fixture
import data.broker.purpose

outside(source, category) if {
	key := {"source": source, "category": category, "subject": "anna"}
	held := purpose.stopped with input as object.union(fixture.question, {"keys": [key]})
		with data.tables as fixture.tables
	count(held) == 1
}

test_within_the_bound if not outside("social", "S01")

test_never_shared if outside("family", "F04")

test_not_held_by_the_source if outside("social", "F01")

test_unknown_source_or_category if {
	outside("nowhere", "S01")
	outside("social", "X99")
}

test_unknown_purpose if {
	asked := object.union(fixture.question, {"ask": {"purpose": "curiosity"}})
	held := purpose.stopped with input as asked with data.tables as fixture.tables
	held == {0, 1}
}
