package broker.emergency_test

import data.broker.emergency
import data.broker.fixture_test as fixture
import data.broker.share

opened(changes) := codes if {
	asked := object.union(fixture.emergency, changes)
	codes := emergency.by_statute with input as asked with data.tables as fixture.tables
}

said(changes) := {"emergency": [object.union(fixture.request, changes)]}

answered(changes) := said({"answers": [object.union(fixture.request.answers[0], changes)]})

yes := {[0, "RESCUE"]}

outcomes(changes) := told if {
	asked := object.union(fixture.emergency, changes)
	decided := share.decision with input as asked with data.tables as fixture.tables
	told := {[verdict.outcome, verdict.reasons] | some verdict in decided.verdicts}
}

test_the_holders_yes_opens if {
	opened({}) == yes
	outcomes({}) == {["release", set()]}
}

test_the_basis_is_the_statute if {
	decided := share.decision with input as fixture.emergency with data.tables as fixture.tables
	bases := {basis | some verdict in decided.verdicts; some basis in verdict.basis}
	bases == {{"kind": "statute", "id": "RESCUE", "version": "1", "law": "RESCUE"}}
}

test_a_request_about_something_else if {
	every changes in [
		{"id": "e2"},
		{"citizen": "bo"},
		{"case": "other"},
		{"unit": "u-social"},
		{"caseworker": "bo"},
		{"sources": ["social"]},
	] {
		opened(said(changes)) == set()
	}
	outcomes({"emergency": []}) == {["withhold", {"EMERGENCY_NOT_JUSTIFIED"}]}
}

test_nobody_decides_on_their_own_request if {
	opened(answered({"by": "lene"})) == set()
	opened(answered({"unit": "u-jobs"})) == set()
}

test_no_unit_opens_what_another_holds if {
	tables := object.union(fixture.tables, {"units": {"u-far": {"kind": "health"}}})
	asked := object.union(fixture.emergency, answered({"unit": "u-far"}))
	emergency.agreeing == {"u-far"} with input as asked with data.tables as tables
	emergency.granted == set() with input as asked with data.tables as tables
}

test_a_no_ends_it if {
	no := object.union(fixture.request.answers[0], {"said": "no", "at": 1551680000})
	opened(said({"answers": [fixture.request.answers[0], no]})) == set()
	opened(said({"answers": [no]})) == set()
	of_another := object.union(no, {"unit": "u-social"})
	opened(said({"answers": [fixture.request.answers[0], of_another]})) == yes
}

test_four_hours_and_no_second_more if {
	opened(answered({"at": 1551690000})) == yes
	opened(answered({"at": 1551690001})) == set()
	opened(answered({"at": 1551675601})) == yes
	opened(answered({"at": 1551675600})) == set()
}

approval := {"unit": "u-health", "to_units": ["u-jobs"], "from": 20190304, "to": 20190304}

by_approval(approved, request) := codes if {
	asked := object.union(fixture.emergency, said(object.union({"answers": []}, request)))
	tables := object.union(fixture.tables, {"standing_approvals": {"st": object.union(approval, approved)}})
	codes := emergency.by_statute with input as asked with data.tables as tables
}

test_a_standing_yes if {
	by_approval({}, {}) == yes
	by_approval({"from": 20190305, "to": 20190305}, {}) == set()
	by_approval({"to_units": ["u-social"]}, {}) == set()
	by_approval({"unit": "u-social"}, {}) == set()
	by_approval({}, {"requested_at": 1551675601}) == yes
	by_approval({}, {"requested_at": 1551675600}) == set()
	no := object.union(fixture.request.answers[0], {"said": "no"})
	by_approval({}, {"answers": [no]}) == set()
}

test_no_unit_stands_good_for_itself if {
	ours := object.union(fixture.emergency, said({"answers": [], "unit": "u-health"}))
	asked := object.union(ours, {"caller": {"unit": "u-health", "system_units": ["u-health"]}})
	law := {"RESCUE": object.union(fixture.tables.statutes.RESCUE, {"to_units": ["health"]})}
	approved := object.union(approval, {"to_units": ["u-health"]})
	tables := object.union(fixture.tables, {"statutes": law, "standing_approvals": {"st": approved}})
	emergency.by_statute == set() with input as asked with data.tables as tables
}

test_the_profile_and_nothing_else if {
	outside := {"keys": [{"source": "health", "category": "Y01", "subject": "anna"}]}
	outcomes(outside) == {["withhold", {"EMERGENCY_NOT_JUSTIFIED"}]}
	other := {"keys": [{"source": "health", "category": "S01", "subject": "anna"}]}
	outcomes(other) == {["withhold", {"PURPOSE_MISMATCH"}]}
	child := {"keys": [{"source": "health", "category": "E01", "subject": "vik"}]}
	outcomes(child) == {["withhold", {"EMERGENCY_NOT_JUSTIFIED"}]}
	outcomes({"ask": {"purpose": "plan"}}) == {["withhold", {"EMERGENCY_NOT_JUSTIFIED"}]}
}

address := {"keys": [{"source": "health", "category": "P02", "subject": "anna"}]}

test_a_place_takes_a_reason_of_its_own if {
	outcomes(address) == {["withhold", {"EMERGENCY_NOT_JUSTIFIED"}]}
	outcomes(object.union(address, said({"reason": "LIFE_VISIT"}))) == {["release", set()]}
}

test_a_protected_citizen if {
	hidden := {"subjects": [object.union(fixture.adult, {"protected": true})]}
	outcomes(hidden) == {["mask", set()]}
	outcomes(object.union(hidden, address)) == {["withhold", {"EMERGENCY_NOT_JUSTIFIED"}]}
	there := object.union(hidden, said({"reason": "LIFE_VISIT"}))
	outcomes(there) == {["release", set()]}
	outcomes(object.union(there, address)) == {["release", set()]}
}

test_nobody_knows_the_citizen if {
	unknown := {"subjects": [object.union(fixture.adult, {"known": false})]}
	outcomes(unknown) == {["withhold", {"EMERGENCY_NOT_JUSTIFIED"}]}
}

test_a_purpose_of_its_own if {
	reach := fixture.tables.statutes.RESCUE.purposes.danger
	tables := object.union(fixture.tables, {
		"purposes": {"plan": {"statutes": ["RESCUE"]}},
		"statutes": {"RESCUE": {"purposes": {"plan": reach}}},
	})
	asked := object.union(fixture.emergency, {"ask": {"purpose": "plan"}})
	emergency.law == {"RESCUE"} with input as asked with data.tables as tables
	emergency.granted == set() with input as asked with data.tables as tables
}

test_kinds_of_units if {
	every changes in [{"from_units": ["social"]}, {"to_units": ["social"]}, {"to": 20190303}] {
		law := {"RESCUE": object.union(fixture.tables.statutes.RESCUE, changes)}
		tables := object.union(fixture.tables, {"statutes": law})
		emergency.by_statute == set() with input as fixture.emergency with data.tables as tables
	}
}

without_relaxing(what, changes) := told if {
	left := object.remove(fixture.tables.settings.emergency.relaxed, [what])
	settings := object.union(
		object.remove(fixture.tables.settings, ["emergency"]),
		{"emergency": object.union(object.remove(fixture.tables.settings.emergency, ["relaxed"]), {"relaxed": left})},
	)
	tables := object.union(object.remove(fixture.tables, ["settings"]), {"settings": settings})
	asked := object.union(fixture.emergency, changes)
	decided := share.decision with input as asked with data.tables as tables
	told := {[verdict.outcome, verdict.reasons] | some verdict in decided.verdicts}
}

test_what_is_relaxed_stands_in_the_settings if {
	away := {"subjects": [object.union(fixture.adult, {"municipality": "west"})]}
	outcomes(away) == {["release", set()]}
	without_relaxing("residence", away) == {["withhold", {"NO_DELEGATION"}]}
	without_relaxing("residence", {}) == {["release", set()]}
	silent := object.union(away, {"failed_registers": ["cpr"]})
	without_relaxing("residence", silent) == {["withhold", {"SOURCE_UNAVAILABLE"}]}
	without_relaxing("case", {}) == {["withhold", {"CASE_MISMATCH"}]}
	without_relaxing("case_kle", {}) == {["withhold", {"ROLE_KLE"}]}
	without_relaxing("case_kle", {"case": {"kle": "29.10.00"}}) == {["release", set()]}
}

test_what_is_not_relaxed if {
	outcomes({"caller": {"employed": false}}) == {["withhold", {"ROLE_EXPIRED"}]}
	outcomes({"caller": {"nsis": "Low"}}) == {["withhold", {"NSIS_TOO_LOW"}]}
	outcomes({"caller": {"roles": [fixture.role]}}) == {["withhold", {"ROLE_KLE"}]}
	on_call := fixture.emergency.caller.roles[0]
	low := object.union(on_call, {"sensitivity": 2})
	outcomes({"caller": {"roles": [low]}}) == {["withhold", {"ROLE_SENSITIVITY"}]}
	old := object.union(on_call, {"attested_on": 20180303})
	outcomes({"caller": {"roles": [old]}}) == {["withhold", {"ROLE_EXPIRED"}]}
	outcomes({"failed_registers": ["cpr"]}) == {["withhold", {"SOURCE_UNAVAILABLE"}]}
}
