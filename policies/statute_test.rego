package broker.statute_test

import data.broker.fixture_test as fixture
import data.broker.statute

helping := object.union(fixture.question, {
	"ask": {"purpose": "help"},
	"keys": [{"source": "social", "category": "Y01", "subject": "anna"}],
})

test_the_units_own if {
	statute.own == {fixture.own} with input as fixture.question with data.tables as fixture.tables
}

test_two_units_that_nobody_knows_are_not_one if {
	unknown := object.union(fixture.question, {"caller": {"unit": null}})
	tables := object.union(fixture.tables, {"sources": {"jobs": {"unit": null}}})
	statute.own == set() with input as unknown with data.tables as tables
}

test_a_statute_reaches_what_its_row_lists if {
	statute.by_statute == {[0, "LAW"]} with input as helping with data.tables as fixture.tables
}

test_a_statute_stays_within_its_cases if {
	elsewhere := object.union(helping, {"case": {"kle": "27.12"}})
	statute.by_statute == set() with input as elsewhere with data.tables as fixture.tables
	statute.otherwise == {"NO_CONSENT"} with input as elsewhere with data.tables as fixture.tables
}

test_a_statute_ends if {
	ended := object.union(fixture.tables, {"statutes": {"LAW": {"to": 20190303}}})
	statute.by_statute == set() with input as helping with data.tables as ended
}

test_a_condition_that_is_not_met if {
	under := object.union(fixture.tables, {"statutes": {"LAW": {"conditions": ["emergency"]}}})
	statute.by_statute == set() with input as helping with data.tables as under
}

test_a_minor_in_the_family if {
	under := object.union(fixture.tables, {"statutes": {"LAW": {"conditions": ["minor_in_family"]}}})
	statute.by_statute == {[0, "LAW"]} with input as helping with data.tables as under
	alone := object.union(helping, {"subjects": [fixture.adult]})
	statute.by_statute == set() with input as alone with data.tables as under
}

test_a_move_reaches_the_municipality_left if {
	law := {
		"statutes": {"LAW": {
			"conditions": ["moved_here"],
			"purposes": {"help": {"case_kle": ["15.*"], "categories": ["S01"]}},
		}},
		"purposes": {"help": {"categories": ["S01"]}},
	}
	asked := object.union(helping, {"keys": [
		{"source": "far", "category": "S01", "subject": "anna"},
		{"source": "social", "category": "S01", "subject": "anna"},
	]})
	tables := object.union(fixture.tables, law)
	statute.by_statute == {[0, "LAW"]} with input as asked with data.tables as tables
	homeless := object.union(tables, {"sources": {"far": {"municipality": null}}})
	statute.by_statute == set() with input as asked with data.tables as homeless
}

meeting(days, follow_up) := reached if {
	asked := object.union(helping, {
		"ask": {"follow_up": follow_up},
		"subjects": [object.union(fixture.adult, {"meetings": days})],
	})
	under := object.union(fixture.tables, {"statutes": {"LAW": {"conditions": ["meeting_within_limit"]}}})
	reached := statute.by_statute with input as asked with data.tables as under
}

test_one_meeting_and_one_follow_up if {
	meeting([], false) == {[0, "LAW"]}
	meeting([20190304], false) == {[0, "LAW"]}
	meeting([20190204], false) == set()
	meeting([20190204], true) == {[0, "LAW"]}
	meeting([20190204, 20190211], true) == set()
	meeting([20190204, 20190304], false) == {[0, "LAW"]}
	meeting([20180305], false) == set()
	meeting([20180304], false) == {[0, "LAW"]}
}

test_consent_was_tried if {
	under := object.union(fixture.tables, {"statutes": {"LAW": {"conditions": ["consent_tried"]}}})
	statute.by_statute == set() with input as helping with data.tables as under
	tried := object.union(helping, {"case": {"consent_tried": true}})
	statute.by_statute == {[0, "LAW"]} with input as tried with data.tables as under
}
