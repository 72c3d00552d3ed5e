package broker.basis_test

import data.broker.basis
import data.broker.fixture_test as fixture

under(change) := object.union(fixture.tables, {"consent_bases": {"YES": change}})

test_a_row_carries_what_it_lists if {
	basis.by_row == {[0, "YES"], [1, "YES"]} with input as fixture.question with data.tables as fixture.tables
}

test_a_row_holds_on_its_days if {
	every change in [{"from": 20190304}, {"to": 20190304}] {
		basis.in_force == {"YES"} with input as fixture.question with data.tables as under(change)
	}
	every change in [{"from": 20190305}, {"to": 20190303}] {
		basis.in_force == set() with input as fixture.question with data.tables as under(change)
	}
}

test_a_row_is_for_its_kinds_of_unit if {
	basis.in_force == set() with input as fixture.question with data.tables as under({"to_units": ["social"]})
	given := {[1, "YES"]}
	basis.by_row == given with input as fixture.question with data.tables as under({"from_units": ["social"]})
}

on(day) := object.union(fixture.question, {"today": day})

test_a_yes_ends_with_its_law if {
	basis.outlived == set() with input as on(20200229) with data.tables as fixture.tables
	basis.outlived == {0} with input as on(20200301) with data.tables as fixture.tables
	basis.outlived == set() with input as on(20300301) with data.tables as under({"form": {"years": null}})
}
