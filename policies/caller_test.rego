package broker.caller_test

import data.broker.caller
import data.broker.fixture_test as fixture

stopped(changes) := codes if {
	question := object.union(fixture.question, {"caller": object.union(fixture.question.caller, changes)})
	held := caller.codes with input as question with data.tables as fixture.tables
	codes := {code | some code, keys in held; fixture.shared in keys}
}

test_nothing_stands_against_the_plain_question if stopped({}) == set()

test_a_weak_log_in if stopped({"nsis": "Low"}) == {"NSIS_TOO_LOW"}

test_not_employed if stopped({"employed": false}) == {"ROLE_EXPIRED"}

test_no_role if stopped({"roles": []}) == {"ROLE_KLE"}

test_a_role_that_gives_no_view if {
	stopped({"roles": [object.union(fixture.role, {"name": "dpo"})]}) == {"ROLE_KLE"}
}

test_another_units_system if stopped({"system_units": []}) == {"ROLE_KLE"}

test_a_role_attested_too_long_ago if {
	stopped({"roles": [object.union(fixture.role, {"attested_on": 20180304})]}) == set()
	stopped({"roles": [object.union(fixture.role, {"attested_on": 20180303})]}) == {"ROLE_EXPIRED"}
}

test_a_role_below_the_level if {
	stopped({"roles": [object.union(fixture.role, {"sensitivity": 2})]}) == {"ROLE_SENSITIVITY"}
}

role(changes) := {"roles": [object.union(fixture.role, changes)]}

test_a_role_attested_tomorrow if {
	stopped(role({"attested_on": 20190305})) == {"ROLE_EXPIRED"}
	stopped(role({"attested_on": 20190304})) == set()
}

test_a_coordinating_role_must_be_attested if {
	stopped(role({"name": "coordinator"})) == {"ROLE_EXPIRED"}
	stopped(role({"name": "coordinator", "attested_on": 20190101})) == set()
}

test_a_role_for_another_purpose if {
	stopped(role({"name": "night"})) == {"ROLE_KLE"}
	asked := object.union(fixture.question, {
		"caller": object.union(fixture.question.caller, role({"name": "night"})),
		"ask": object.union(fixture.question.ask, {"purpose": "help"}),
	})
	caller.role_kle == set() with input as asked with data.tables as fixture.tables
}

test_a_role_for_the_own_unit if {
	asked := object.union(
		fixture.question,
		{"caller": object.union(fixture.question.caller, role({"name": "mentor", "sensitivity": 2}))},
	)
	caller.role_kle == {fixture.shared} with input as asked with data.tables as fixture.tables
	caller.role_sensitivity == set() with input as asked with data.tables as fixture.tables
	low := object.union(asked, {"caller": object.union(asked.caller, role({"name": "mentor", "sensitivity": 1}))})
	caller.role_sensitivity == {fixture.own} with input as low with data.tables as fixture.tables
}

test_a_role_for_some_categories if {
	stopped(role({"name": "teacher"})) == {"ROLE_KLE"}
	beside := [object.union(fixture.role, {"name": "teacher"}), fixture.role]
	stopped({"roles": beside}) == set()
}

delegated(home, changes) := codes if {
	citizen := object.union(fixture.adult, {"municipality": home})
	asked := object.union(fixture.question, {
		"subjects": [citizen],
		"caller": object.union(fixture.question.caller, role({"delegated_from": "north"})),
		"case": object.union(fixture.question.case, changes),
	})
	held := caller.codes with input as asked with data.tables as fixture.tables
	codes := {code | some code, keys in held; fixture.shared in keys}
}

test_a_delegated_role_is_for_those_who_live_there if {
	delegated("north", {}) == set()
	delegated("south", {}) == {"ROLE_KLE"}
	delegated(null, {}) == {"ROLE_KLE"}
}

test_whoever_is_not_on_the_case_learns_nothing_of_it if {
	delegated("south", {"caseworker_on_case": false}) == set()
	delegated("north", {"caseworker_on_case": false}) == set()
}

test_a_role_delegated_by_oneself_gives_nothing if {
	stopped(role({"delegated_from": "south"})) == {"ROLE_KLE"}
}

test_a_strict_municipality if {
	strict := object.union(fixture.tables, {"municipalities": {"south": {"strict_kle": true}}})
	held := caller.codes with input as fixture.question with data.tables as strict
	held.ROLE_KLE == {fixture.shared}
}
