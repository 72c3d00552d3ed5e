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

test_a_strict_municipality if {
	strict := object.union(fixture.tables, {"municipalities": {"south": {"strict_kle": true}}})
	held := caller.codes with input as fixture.question with data.tables as strict
	held.ROLE_KLE == {fixture.shared}
}
