# METADATA
# scope: package
# title: A question that nothing stands against, and tables small enough to read
package broker.fixture_test

tables := {
	"categories": {
		"B01": category(2, ["15"]),
		"S01": object.union(category(3, ["27"]), {"young_person": "together"}),
		"E01": object.union(category(3, ["29"]), {"health": true, "young_person": "alone"}),
		"F01": object.union(category(3, ["27"]), {"child": true, "young_person": "together"}),
		"F04": object.union(category(4, ["27"]), {"child": true, "never": true}),
		"H01": object.union(category(3, ["29"]), {"health": true, "young_person": "alone"}),
		"P02": object.union(category(2, []), {"place": true}),
		"Y01": object.union(category(2, ["32"]), {"area": "economic"}),
	},
	"delegations": {"d": {
		"from_municipality": "north",
		"to_municipality": "south",
		"kle": ["15.*"],
		"from": 20190101,
		"to": 20191231,
	}},
	"municipalities": {"south": {"strict_kle": false}},
	"purposes": {
		"plan": {
			"basis": "consent",
			"categories": ["B01", "S01", "F01", "F04", "H01", "P02", "Y01"],
			"consent_bases": ["YES"],
			"statutes": [],
		},
		"help": {"basis": "statute", "categories": ["Y01"], "consent_bases": [], "statutes": ["LAW"]},
		"danger": {"basis": "statute", "categories": ["E01", "P02", "Y01"], "consent_bases": [], "statutes": ["RESCUE"]},
	},
	"consent_bases": {"YES": {
		"from": 20000101,
		"to": 99991231,
		"from_units": ["jobs", "social", "family"],
		"to_units": ["jobs", "social", "family"],
		"form": {"written": "free", "years": 1, "names": ["source"]},
		"purposes": {"plan": ["B01", "S01", "F01", "F04", "H01", "P02", "Y01"]},
	}},
	"reasons": object.union(
		{code: {"caller": true} | some code in told},
		{code: {"caller": false} | some code in hidden},
	),
	"settings": {
		"nsis_levels": {"accepted": ["High"]},
		"roles": {
			"without_view": ["dpo"],
			"attested_within_years": 1,
			"must_be_attested": ["coordinator"],
			"bounds": {
				"night": bound({"any_purpose": false, "purposes": ["help"]}),
				"mentor": bound({"own_only": true}),
				"teacher": bound({"any_category": false, "categories": ["B01"]}),
			},
		},
		"vip": {"level": 4},
		"ages": {"majority": 18, "own_consent": 15},
		"representation": {
			"areas": ["personal", "economic"],
			"kinds": {
				"guardian": {"speaks": true, "silences": true, "must_name": []},
				"attorney": {"speaks": true, "silences": false, "must_name": ["data_sharing"]},
				"assistant": {"speaks": false, "silences": false, "must_name": []},
			},
		},
		"custody": {"all_holders_from_level": 3, "all_holders_for_child_categories": true},
		"consents": {"too_general": ["*", "alle"]},
		"meetings": {"window_years": 1},
		"emergency": {
			"purpose": "danger",
			"hours": 4,
			"role": "on_call",
			"holder_role": "health",
			"relaxed": {"case": {}, "case_kle": {}, "residence": {}},
			"reasons": {"LIFE": {"address": false}, "LIFE_VISIT": {"address": true}},
		},
	},
	"sources": {
		"jobs": {"unit": "u-jobs", "municipality": "south", "categories": ["B01"]},
		"social": {"unit": "u-social", "municipality": "south", "categories": ["S01", "P02", "Y01"]},
		"family": {"unit": "u-family", "municipality": "south", "categories": ["F01", "F04", "H01"]},
		"far": {"unit": "u-far", "municipality": "north", "categories": ["S01"]},
		"health": {"unit": "u-health", "municipality": "south", "categories": ["E01", "P02", "Y01"]},
	},
	"standing_approvals": {},
	"statutes": {
		"OWN_CASE": {"version": "1"},
		"LAW": {
			"version": "7",
			"from": 20000101,
			"to": 99991231,
			"from_units": ["jobs", "social", "family"],
			"to_units": ["jobs", "social", "family"],
			"conditions": [],
			"otherwise": "NO_CONSENT",
			"purposes": {"help": {"case_kle": ["15.*"], "categories": ["Y01"]}},
		},
		"RESCUE": {
			"version": "1",
			"from": 20070101,
			"to": 99991231,
			"from_units": ["health"],
			"to_units": ["jobs"],
			"conditions": ["emergency"],
			"otherwise": "EMERGENCY_NOT_JUSTIFIED",
			"purposes": {"danger": {"case_kle": ["29.*"], "categories": ["E01", "P02"]}},
		},
	},
	"units": {
		"u-family": {"municipality": "south", "kind": "family"},
		"u-far": {"municipality": "north", "kind": "social"},
		"u-health": {"municipality": "south", "kind": "health"},
		"u-jobs": {"municipality": "south", "kind": "jobs"},
		"u-social": {"municipality": "south", "kind": "social"},
	},
}

told := {
	"CASE_MISMATCH",
	"CONSENT_EXPIRED",
	"CONSENT_TOO_GENERAL",
	"CUSTODY_INCOMPLETE",
	"EMERGENCY_NOT_JUSTIFIED",
	"NO_CONSENT",
	"NSIS_TOO_LOW",
	"OUT_OF_SCOPE_CATEGORY",
	"OUT_OF_SCOPE_PERIOD",
	"POLICY_ERROR",
	"PURPOSE_MISMATCH",
	"SUBJECT_DECEASED",
}

hidden := {
	"ADDRESS_PROTECTED",
	"BLOCKED_BY_CITIZEN",
	"CHILD_OWN_CONSENT",
	"CUSTODY_UNKNOWN",
	"GUARDIAN_SCOPE",
	"OUT_OF_SCOPE_RECIPIENT",
	"SELF_OR_RELATED",
	"VIP_NO_GROUNDS",
}

bound(changes) := row if {
	free := {"any_purpose": true, "purposes": [], "any_category": true, "categories": [], "own_only": false}
	row := object.union(free, changes)
}

category(level, kle) := {
	"level": level,
	"area": "personal",
	"child": false,
	"health": false,
	"never": false,
	"place": false,
	"young_person": null,
	"kle": kle,
}

adult := {
	"handle": "anna",
	"known": true,
	"child_of_citizen": false,
	"born": 19800101,
	"dead_on": null,
	"municipality": "south",
	"protected": false,
	"moved_number": false,
	"representatives": [],
	"custody": [],
	"meetings": [],
}

child := object.union(adult, {
	"handle": "vik",
	"child_of_citizen": true,
	"born": 20100101,
	"custody": [{"holder": "anna", "from": 20100101, "to": 99991231}],
})

# Somebody who may act for another, in what concerns their person.
guardian := {
	"holder": "gert",
	"kind": "guardian",
	"scope": ["personal"],
	"from": 20190101,
	"to": 20190304,
}

line := {
	"id": "l1",
	"consent": "c1",
	"version": 3,
	"subject": "anna",
	"giver": "anna",
	"capacity": "self",
	"source": "social",
	"category": "S01",
	"recipient": "u-jobs",
	"purpose": "plan",
	"case": "case",
	"from": 20190301,
	"to": 20190331,
	"state": "granted",
	"data_from": 0,
	"data_to": 99991231,
}

role := {"name": "worker", "kle": ["15.*"], "sensitivity": 3, "attested_on": null, "delegated_from": null}

question := {
	"version": 1,
	"at": 1551690000,
	"today": 20190304,
	"ask": {
		"id": "a",
		"purpose": "plan",
		"case": "case",
		"citizen": "anna",
		"emergency": null,
		"follow_up": false,
		"data_from": 0,
		"data_to": 99991231,
	},
	"caller": {
		"handle": "lene",
		"municipality": "south",
		"unit": "u-jobs",
		"system_units": ["u-jobs"],
		"employed": true,
		"nsis": "High",
		"authenticated_on": 20190304,
		"roles": [role],
	},
	"case": {
		"exists": true,
		"open": true,
		"concerns_citizen": true,
		"caseworker_on_case": true,
		"caseworker_named": true,
		"unit": "u-jobs",
		"kle": "15.20.04",
		"vip": false,
		"consent_tried": false,
	},
	"subjects": [adult, child],
	"consents": [line],
	"blocks": [],
	"emergency": [],
	"failed_registers": [],
	"related": false,
	"keys": [
		{"source": "jobs", "category": "B01", "subject": "anna"},
		{"source": "social", "category": "S01", "subject": "anna"},
	],
}

# The places of the two keys above.
own := 0

shared := 1

# An on-call caseworker asked, and the health unit said yes an hour ago.
request := {
	"id": "e1",
	"citizen": "anna",
	"unit": "u-jobs",
	"caseworker": "lene",
	"case": "call-out",
	"reason": "LIFE",
	"requested_at": 1551686400,
	"sources": ["health"],
	"answers": [{"unit": "u-health", "said": "yes", "by": "grethe", "at": 1551686400}],
}

emergency := object.union(question, {
	"ask": {"purpose": "danger", "case": "call-out", "emergency": "e1"},
	"caller": {"roles": [object.union(role, {"name": "on_call", "kle": ["29.*"]})]},
	"case": {
		"exists": false,
		"open": false,
		"concerns_citizen": false,
		"caseworker_on_case": false,
		"unit": null,
		"kle": null,
	},
	"consents": [],
	"emergency": [request],
	"keys": [{"source": "health", "category": "E01", "subject": "anna"}],
})
