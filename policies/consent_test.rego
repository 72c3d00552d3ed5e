package broker.consent_test

import data.broker.consent
import data.broker.fixture_test as fixture

stopped(changes) := codes if {
	asked := object.union(fixture.question, changes)
	held := consent.codes with input as asked with data.tables as fixture.tables
	codes := {code | some code, keys in held; fixture.shared in keys}
}

with_line(changes) := {"consents": [object.union(fixture.line, changes)]}

test_a_live_line if {
	stopped({}) == set()
	consent.relied_on == {[fixture.shared, "c1", 3]} with input as fixture.question with data.tables as fixture.tables
}

test_no_line if stopped({"consents": []}) == {"NO_CONSENT"}

test_a_line_that_does_not_count if {
	stopped(with_line({"state": "withdrawn"})) == {"CONSENT_REVOKED"}
	stopped(with_line({"state": "paused"})) == {"NO_CONSENT"}
	stopped(with_line({"to": 20190303})) == {"CONSENT_EXPIRED"}
	stopped(with_line({"from": 20190305})) == {"CONSENT_NOT_YET_VALID"}
	stopped(with_line({"from": 20180304})) == {"CONSENT_EXPIRED"}
}

test_a_line_for_something_else if {
	stopped(with_line({"recipient": "u-far"})) == {"OUT_OF_SCOPE_RECIPIENT"}
	stopped(with_line({"recipient": "u-far", "state": "withdrawn"})) == {"NO_CONSENT"}
	every changes in [{"purpose": "help"}, {"case": "other"}, {"giver": "bo"}] {
		stopped(with_line(changes)) == {"NO_CONSENT"}
	}
}

test_what_a_live_line_names if {
	stopped(with_line({"category": "P02"})) == {"OUT_OF_SCOPE_CATEGORY"}
	stopped(with_line({"source": "far"})) == {"OUT_OF_SCOPE_SOURCE"}
	stopped(with_line({"source": "far", "category": "P02"})) == {"NO_CONSENT"}
}

test_a_line_that_names_nothing if {
	stopped(with_line({"category": "alle"})) == {"CONSENT_TOO_GENERAL"}
	stopped(with_line({"source": "*"})) == {"CONSENT_TOO_GENERAL"}
	stopped(with_line({"source": "*", "category": "*"})) == {"CONSENT_TOO_GENERAL"}
	stopped(with_line({"source": "far", "category": "*"})) == {"NO_CONSENT"}
	stopped(with_line({"source": "*", "subject": "vik"})) == {"OUT_OF_SCOPE_SOURCE"}
}

test_a_block if {
	block := {"id": "b", "subject": "anna", "source": null, "unit": null, "category": null}
	stopped({"blocks": [block]}) == {"BLOCKED_BY_CITIZEN"}
	stopped({"blocks": [object.union(block, {"source": "far"})]}) == set()
	stopped({"blocks": [object.union(block, {"source": "social"})]}) == {"BLOCKED_BY_CITIZEN"}
}

test_a_block_that_cannot_be_read_blocks_all if {
	stopped({"blocks": [{"id": "b", "subject": "bo"}]}) == {"BLOCKED_BY_CITIZEN"}
	block := {"id": "b", "subject": "bo", "source": null, "unit": null, "category": null}
	stopped({"blocks": [block]}) == set()
	every part in ["subject", "source", "unit", "category"] {
		stopped({"blocks": [object.union(block, {part: 5})]}) == {"BLOCKED_BY_CITIZEN"}
	}
}

child_asked(lines, holders) := object.union(fixture.question, {
	"keys": [{"source": "family", "category": "F01", "subject": "vik"}],
	"subjects": [fixture.adult, object.union(fixture.child, {"custody": [
	{"holder": holder, "from": 20100101, "to": 99991231} |
		some holder in holders
	]})],
	"consents": lines,
})

said(giver) := object.union(fixture.line, {
	"source": "family",
	"category": "F01",
	"subject": "vik",
	"giver": giver,
})

test_one_holder_is_not_enough if {
	one := child_asked([said("anna")], ["anna", "bo"])
	consent.codes.CUSTODY_INCOMPLETE == {0} with input as one with data.tables as fixture.tables
}

test_every_holder_is_enough if {
	both := child_asked([said("anna"), said("bo")], ["anna", "bo"])
	consent.complete == {0} with input as both with data.tables as fixture.tables
	consent.relied_on == {[0, "c1", 3]} with input as both with data.tables as fixture.tables
}

test_one_holder_is_enough_for_what_the_settings_leave_to_one if {
	one := child_asked([said("anna")], ["anna", "bo"])
	light := object.union(fixture.tables, {"categories": {"F01": {"level": 2}}})
	consent.complete == set() with input as one with data.tables as light
	rule := {"settings": {"custody": {"all_holders_for_child_categories": false}}}
	consent.complete == {0} with input as one with data.tables as object.union(light, rule)
}

at_fifteen(lines) := object.union(child_asked(lines, ["anna"]), {"subjects": [
	fixture.adult,
	object.union(fixture.child, {"born": 20040304}),
]})

test_from_fifteen_the_young_person_says_yes_too if {
	held := at_fifteen([said("anna")])
	consent.custody_incomplete == set() with input as held with data.tables as fixture.tables
	consent.complete == set() with input as held with data.tables as fixture.tables
	alone := at_fifteen([said("vik")])
	consent.codes.CUSTODY_INCOMPLETE == {0} with input as alone with data.tables as fixture.tables
	together := at_fifteen([said("anna"), said("vik")])
	consent.complete == {0} with input as together with data.tables as fixture.tables
}

test_a_young_citizen_is_asked_besides if {
	young := object.union(fixture.adult, {
		"born": 20030304,
		"custody": [{"holder": "bo", "from": 20030304, "to": 99991231}],
	})
	asked := object.union(fixture.question, {"subjects": [young], "consents": []})
	consent.wants_holder == {fixture.shared} with input as asked with data.tables as fixture.tables
	consent.wants_citizen == {fixture.shared} with input as asked with data.tables as fixture.tables
}

test_where_the_law_is_the_basis_its_row_says_why_not if {
	asked := object.union(fixture.question, {
		"ask": {"purpose": "help"},
		"keys": [{"source": "social", "category": "Y01", "subject": "anna"}],
		"case": {"kle": "27.12"},
	})
	consent.no_consent == {0} with input as asked with data.tables as fixture.tables
	consent.wants_citizen == set() with input as asked with data.tables as fixture.tables
	meeting := object.union(fixture.tables, {"statutes": {"LAW": {"otherwise": "SSD_LIMIT_REACHED"}}})
	consent.ssd_limit_reached == {0} with input as asked with data.tables as meeting
	danger := object.union(fixture.tables, {"statutes": {"LAW": {"otherwise": "EMERGENCY_NOT_JUSTIFIED"}}})
	consent.emergency_not_justified == {0} with input as asked with data.tables as danger
}

test_whose_line_would_help if {
	consent.wants_holder == {0} with input as child_asked([], ["anna"]) with data.tables as fixture.tables
	without := object.union(fixture.question, {"consents": []})
	consent.wants_citizen == {fixture.shared} with input as without with data.tables as fixture.tables
}
