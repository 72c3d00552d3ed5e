package broker.subject_test

import data.broker.fixture_test as fixture
import data.broker.subject

stopped(asked) := codes if {
	held := subject.codes with input as asked with data.tables as fixture.tables
	codes := {code | some code, keys in held; fixture.shared in keys}
}

anna(changes) := object.union(fixture.question, {"subjects": [object.union(fixture.adult, changes)]})

test_nothing_stands_against_the_plain_question if stopped(fixture.question) == set()

test_related if stopped(object.union(fixture.question, {"related": true})) == {"SELF_OR_RELATED"}

vip_case := object.union(fixture.question.case, {"vip": true})

vip(changes, roles) := object.union(fixture.question, {
	"case": object.union(vip_case, changes),
	"caller": object.union(fixture.question.caller, {"roles": roles}),
})

test_a_protected_case_takes_the_highest_level_and_a_name if {
	high := [object.union(fixture.role, {"sensitivity": 4})]
	stopped(vip({}, high)) == set()
	stopped(vip({}, [fixture.role])) == {"VIP_NO_GROUNDS"}
	stopped(vip({"caseworker_named": false}, high)) == {"VIP_NO_GROUNDS"}
	elsewhere := [fixture.role, object.union(high[0], {"kle": ["27.*"]})]
	stopped(vip({}, elsewhere)) == {"VIP_NO_GROUNDS"}
}

test_unknown_kinship_is_kinship if {
	stopped(object.remove(fixture.question, ["related"])) == {"SELF_OR_RELATED"}
}

test_dead if {
	stopped(anna({"dead_on": 20190304})) == {"SUBJECT_DECEASED"}
	stopped(anna({"dead_on": 20190305})) == set()
}

test_of_unknown_age if stopped(anna({"born": null})) == {"CUSTODY_UNKNOWN"}

test_not_known if stopped(anna({"known": false})) == {"CUSTODY_UNKNOWN"}

test_a_guardian_must_say_yes if {
	stopped(anna({"representatives": [fixture.guardian]})) == {"GUARDIAN_SCOPE"}
	elsewhere := object.union(fixture.guardian, {"scope": ["economic"]})
	stopped(anna({"representatives": [elsewhere]})) == set()
}

test_a_young_person_must_say_yes if {
	vik := object.union(fixture.child, {"born": 20040304})
	line := object.union(fixture.line, {"source": "family", "category": "H01", "subject": "vik"})
	asked := object.union(fixture.question, {
		"keys": [{"source": "family", "category": "H01", "subject": "vik"}],
		"subjects": [fixture.adult, vik],
		"consents": [line],
	})
	subject.child_own_consent == {0} with input as asked with data.tables as fixture.tables
	own := object.union(asked, {"consents": [object.union(line, {"giver": "vik"})]})
	subject.child_own_consent == set() with input as own with data.tables as fixture.tables
}

test_a_protected_place if {
	asked := object.union(anna({"protected": true}), {"keys": [
		{"source": "social", "category": "P02", "subject": "anna"},
		{"source": "social", "category": "S01", "subject": "anna"},
	]})
	subject.address_protected == {0} with input as asked with data.tables as fixture.tables
	subject.hidden == {0, 1} with input as asked with data.tables as fixture.tables
}
