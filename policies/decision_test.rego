package broker.share_test

import data.broker.fixture_test as fixture
import data.broker.share

verdicts(changes) := found if {
	decision := share.decision with input as object.union(fixture.question, changes)
		with data.tables as fixture.tables
	decision.schema == "borgerbro/decision/1"
	found := {verdict.category: verdict | some verdict in decision.verdicts}
}

test_one_verdict_for_each_key if {
	found := verdicts({})
	object.keys(found) == {"B01", "S01"}
}

test_own_and_shared_data_have_a_basis_each if {
	found := verdicts({})
	found.B01.own
	found.B01.shown == set()
	found.B01.basis == {{"kind": "own_case", "id": "OWN_CASE", "version": "1", "law": "OWN_CASE"}}
	not found.S01.own
	found.S01.basis == {{"kind": "consent", "id": "c1", "version": 3, "law": "YES"}}
}

test_the_law_is_named if {
	found := verdicts({
		"ask": {"purpose": "help"},
		"keys": [{"source": "social", "category": "Y01", "subject": "anna"}],
	})
	found.Y01.basis == {{"kind": "statute", "id": "LAW", "version": "7", "law": "LAW"}}
}

test_the_first_stage_that_fails_ends_it if {
	found := verdicts({"caller": {"nsis": "Low"}, "related": true, "consents": []})
	found.S01.reasons == {"NSIS_TOO_LOW"}
	later := verdicts({"related": true, "consents": []})
	later.S01.reasons == {"SELF_OR_RELATED"}
	later.S01.shown == {"NO_CONSENT"}
	dead := verdicts({"subjects": [object.union(fixture.adult, {"dead_on": 20190301})], "consents": []})
	dead.S01.missing == set()
}

test_each_stage_ends_it if {
	verdicts({"case": {"open": false}}).S01.reasons == {"CASE_MISMATCH"}
	verdicts({"ask": {"purpose": "curiosity"}}).S01.reasons == {"PURPOSE_MISMATCH"}
	verdicts({"consents": []}).S01.reasons == {"NO_CONSENT"}
}

test_what_is_missing_is_named if {
	found := verdicts({"consents": []})
	found.S01.missing == {{"source": "social", "category": "S01", "giver": "citizen"}}
}

test_where_nothing_about_the_person_stands_against_it_nothing_is_hushed if {
	unsaid := object.union(fixture.question, {"consents": []})
	share.hushed_4 == set() with input as unsaid with data.tables as fixture.tables
	related := object.union(unsaid, {"related": true})
	share.hushed_4 == {fixture.own, fixture.shared} with input as related with data.tables as fixture.tables
}

test_a_masked_key_says_what_to_mask if {
	found := verdicts({"subjects": [object.union(fixture.adult, {"protected": true})]})
	found.S01.outcome == "mask"
	found.S01.masks == {"address"}
}

test_nothing_goes_out_without_a_basis if {
	decision := share.decision with input as fixture.question
		with data.tables as fixture.tables
		with data.broker.consent.stopped as set()
		with data.broker.consent.relied_on as set()
	{verdict.reasons | some verdict in decision.verdicts; verdict.category == "S01"} == {{"POLICY_ERROR"}}
}

test_the_periods_said_yes_to_are_told if {
	line := object.union(fixture.line, {"data_from": 20180101, "data_to": 20181231})
	found := verdicts({"consents": [line]})
	found.S01.periods == {{{"from": 20180101, "to": 20181231}}}
	found.B01.periods == set()
	verdicts({}).S01.periods == set()
	verdicts({"consents": []}).S01.periods == set()
}
