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

narrowed(purposes) := held if {
	rows := {"municipalities": {"south": {"strict_kle": false, "purposes": purposes}}}
	held := purpose.stopped with input as fixture.question with data.tables as object.union(fixture.tables, rows)
}

test_a_municipality_may_switch_a_purpose_off if narrowed({fixture.question.ask.purpose: []}) == {0, 1}

test_a_municipality_may_keep_some_of_a_purpose if {
	first := fixture.question.keys[0].category
	narrowed({fixture.question.ask.purpose: [first]}) == {i |
		some i, key in fixture.question.keys
		key.category != first
	}
}

test_another_purpose_narrowed_is_none_of_this_one if narrowed({"other": []}) == set()

test_a_municipality_never_widens if {
	key := {"source": "social", "category": "S05", "subject": "anna"}
	asked := object.union(fixture.question, {"keys": [key]})
	rows := {"municipalities": {"south": {"strict_kle": false, "purposes": {fixture.question.ask.purpose: ["S05"]}}}}
	held := purpose.stopped with input as asked with data.tables as object.union(fixture.tables, rows)
	held == {0}
}

test_unknown_purpose if {
	asked := object.union(fixture.question, {"ask": {"purpose": "curiosity"}})
	held := purpose.stopped with input as asked with data.tables as fixture.tables
	held == {0, 1}
}
