package broker.period_test

import data.broker.consent
import data.broker.fixture_test as fixture
import data.broker.period

named(from, to) := {"data_from": from, "data_to": to}

stopped(line, wanted) := codes if {
	asked := object.union(fixture.question, {
		"consents": [object.union(fixture.line, line)],
		"ask": wanted,
	})
	held := consent.codes with input as asked with data.tables as fixture.tables
	codes := {code | some code, keys in held; fixture.shared in keys}
}

test_one_day_in_common_is_enough if {
	stopped(named(20180101, 20181231), {}) == set()
	stopped(named(20180101, 20181231), named(20181231, 20190630)) == set()
	stopped(named(20180101, 20181231), named(20170101, 20180101)) == set()
}

test_no_day_in_common if {
	stopped(named(20180101, 20181231), named(20190101, 20190630)) == {"OUT_OF_SCOPE_PERIOD"}
	stopped(named(20180101, 20181231), named(20170101, 20171231)) == {"OUT_OF_SCOPE_PERIOD"}
	stopped(named(20190101, 99991231), named(0, 20181231)) == {"OUT_OF_SCOPE_PERIOD"}
}

test_other_reasons_stand_beside_it if {
	withdrawn := object.union(named(20180101, 20181231), {"state": "withdrawn"})
	stopped(withdrawn, named(20190101, 20190630)) == {"CONSENT_REVOKED"}
	far := object.union(named(20180101, 20181231), {"source": "far"})
	stopped(far, named(20190101, 20190630)) == {"NO_CONSENT"}
}

test_days_that_are_none_open_nothing if {
	stopped(named("2018", 20181231), {}) == {"OUT_OF_SCOPE_PERIOD"}
	stopped({}, {"data_to": null}) == {"OUT_OF_SCOPE_PERIOD"}
}

test_who_names_a_period if {
	lines := [
		fixture.line,
		object.union(fixture.line, {"data_from": 1}),
		object.union(fixture.line, {"data_to": 99991230}),
	]
	period.named == {1, 2} with input as object.union(fixture.question, {"consents": lines})
}

bounds(lines, subjects, key) := found if {
	asked := object.union(fixture.question, {"consents": lines, "subjects": subjects, "keys": [key]})
	found := period.bounds with input as asked with data.tables as fixture.tables
}

own_key := {"source": "social", "category": "S01", "subject": "anna"}

test_the_days_said_yes_to_bound_what_goes_out if {
	line := object.union(fixture.line, named(20180101, 20181231))
	bounds([line], [fixture.adult], own_key) == {[0, "own", 20180101, 20181231]}
	bounds([fixture.line], [fixture.adult], own_key) == set()

	# Who once named no period has said yes to every day.
	bounds([line, fixture.line], [fixture.adult], own_key) == set()
	later := object.union(fixture.line, named(20190101, 20190131))
	bounds([line, later], [fixture.adult], own_key) == {
		[0, "own", 20180101, 20181231],
		[0, "own", 20190101, 20190131],
	}
}

child_key := {"source": "family", "category": "F01", "subject": "vik"}

shared_child := object.union(fixture.child, {"custody": [
	{"holder": "anna", "from": 20100101, "to": 99991231},
	{"holder": "bo", "from": 20100101, "to": 99991231},
]})

of_child := object.union(fixture.line, {"source": "family", "category": "F01", "subject": "vik"})

said(giver, from, to) := object.union(of_child, {"giver": giver, "data_from": from, "data_to": to})

test_each_holder_bounds_what_takes_them_both if {
	both := [said("anna", 20180101, 20181231), said("bo", 20180601, 20190131)]
	bounds(both, [fixture.adult, shared_child], child_key) == {
		[0, "holder anna", 20180101, 20181231],
		[0, "holder bo", 20180601, 20190131],
	}
	one := [said("anna", 20180101, 20181231), said("bo", 0, 99991231)]
	bounds(one, [fixture.adult, shared_child], child_key) == {[0, "holder anna", 20180101, 20181231]}
}

test_where_one_holder_is_enough_either_period_is if {
	simple := object.union(fixture.tables, {
		"categories": {"F01": {"level": 2}},
		"settings": {"custody": {"all_holders_for_child_categories": false}},
	})
	asked := object.union(fixture.question, {
		"consents": [said("anna", 20180101, 20181231), said("bo", 20190101, 20190131)],
		"subjects": [fixture.adult, shared_child],
		"keys": [child_key],
	})
	found := period.bounds with input as asked with data.tables as simple
	found == {[0, "holders", 20180101, 20181231], [0, "holders", 20190101, 20190131]}
}
