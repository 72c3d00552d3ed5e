package broker.shown_test

import data.broker.fixture_test as fixture
import data.broker.share
import data.broker.shown

told(changes) := [verdict.reasons, verdict.shown, givers] if {
	asked := object.union(fixture.question, changes)
	decision := share.decision with input as asked with data.tables as fixture.tables
	some verdict in decision.verdicts
	verdict.source != "jobs"
	givers := {line.giver | some line in verdict.missing}
}

block := {"id": "b", "subject": "anna", "source": null, "unit": null, "category": null}

expired := {"consents": [object.union(fixture.line, {"to": 20190303})]}

elsewhere := {"consents": [object.union(fixture.line, {"category": "P02"})]}

test_a_visible_reason_is_shown_as_it_is if {
	told({"consents": []}) == [{"NO_CONSENT"}, {"NO_CONSENT"}, {"citizen"}]
	told(expired) == [{"CONSENT_EXPIRED"}, {"CONSENT_EXPIRED"}, {"citizen"}]
}

test_a_hidden_one_beside_it_is_not if {
	blocked := object.union(expired, {"blocks": [block]})
	told(blocked) == [{"BLOCKED_BY_CITIZEN", "CONSENT_EXPIRED"}, {"CONSENT_EXPIRED"}, {"citizen"}]
}

test_a_hidden_one_alone_shows_what_stage_5_would if {
	hidden := {"SELF_OR_RELATED"}
	told({"related": true, "consents": []}) == [hidden, {"NO_CONSENT"}, {"citizen"}]
	told(object.union(expired, {"related": true})) == [hidden, {"CONSENT_EXPIRED"}, {"citizen"}]
	told(object.union(elsewhere, {"related": true})) == [hidden, {"OUT_OF_SCOPE_CATEGORY"}, {"citizen"}]
}

test_a_complete_consent_that_is_held_back_looks_like_none if {
	told({"related": true}) == [{"SELF_OR_RELATED"}, {"NO_CONSENT"}, {"citizen"}]
	told({"blocks": [block]}) == [{"BLOCKED_BY_CITIZEN"}, {"NO_CONSENT"}, {"citizen"}]
	renewed := [expired.consents[0], fixture.line]
	told({"related": true, "consents": renewed}) == [{"SELF_OR_RELATED"}, {"NO_CONSENT"}, {"citizen"}]
}

test_ones_own_word_under_guardianship_looks_complete if {
	ward := [object.union(fixture.adult, {"representatives": [fixture.guardian]})]
	lines := [expired.consents[0], fixture.line]
	told({"subjects": ward, "consents": lines}) == [{"GUARDIAN_SCOPE"}, {"NO_CONSENT"}, {"citizen"}]
}

test_what_the_asker_may_see_of_the_person_ends_it if {
	dead := [object.union(fixture.adult, {"dead_on": 20190301})]
	told({"subjects": dead, "related": true}) == [
		{"SELF_OR_RELATED", "SUBJECT_DECEASED"},
		{"SUBJECT_DECEASED"},
		set(),
	]
	asked := object.union(fixture.question, {"subjects": dead})
	shown.told_of_person == {0, 1} with input as asked with data.tables as fixture.tables
}

at_fifteen(category, holders) := object.union(fixture.question, {
	"keys": [{"source": "family", "category": category, "subject": "vik"}],
	"subjects": [fixture.adult, object.union(fixture.child, {
		"born": 20040304,
		"custody": [{"holder": holder, "from": 20100101, "to": 99991231} | some holder in holders],
	})],
	"consents": [object.union(fixture.line, {"source": "family", "category": category, "subject": "vik"})],
})

test_a_young_persons_own_yes_is_not_told if {
	every category in ["F01", "H01"] {
		told(at_fifteen(category, ["anna"])) == [{"CHILD_OWN_CONSENT"}, {"NO_CONSENT"}, {"custody_holder"}]
		told(at_fifteen(category, ["anna", "bo"])) == [
			{"CHILD_OWN_CONSENT"},
			{"CUSTODY_INCOMPLETE"},
			{"custody_holder"},
		]
	}
}
