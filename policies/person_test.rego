package broker.person_test

import data.broker.fixture_test as fixture
import data.broker.person

aged(born) := object.union(fixture.question, {"subjects": [object.union(fixture.adult, {"born": born})]})

test_of_age_on_the_birthday if {
	person.adults == {"anna"} with input as aged(20010304) with data.tables as fixture.tables
	person.minors == {"anna"} with input as aged(20010305) with data.tables as fixture.tables
}

test_young_from_fifteen if {
	person.young == {"anna"} with input as aged(20040304) with data.tables as fixture.tables
	person.young == set() with input as aged(20040305) with data.tables as fixture.tables
}

test_an_unknown_age_is_neither if {
	person.adults == set() with input as aged(null) with data.tables as fixture.tables
	person.minors == set() with input as aged(null) with data.tables as fixture.tables
}

test_custody_of_today if {
	person.custody == {["vik", "anna"]} with input as fixture.question with data.tables as fixture.tables
	later := object.union(fixture.question, {"today": 20091231})
	person.custody == set() with input as later with data.tables as fixture.tables
}

ward(changes) := asked if {
	represented := object.union(fixture.adult, {"representatives": [object.union(fixture.guardian, changes)]})
	asked := object.union(fixture.question, {"subjects": [represented]})
}

own_voice := {["anna", "anna", "personal"], ["anna", "anna", "economic"]}

test_a_guardian_speaks_within_the_scope if {
	spoken := person.voices with input as ward({}) with data.tables as fixture.tables
	spoken == {["anna", "gert", "personal"], ["anna", "anna", "economic"]}
	person.of_represented == {0, 1} with input as ward({}) with data.tables as fixture.tables
}

test_nobody_speaks_before_or_after_the_days if {
	person.voices == own_voice with input as ward({"to": 20190303}) with data.tables as fixture.tables
	person.voices == own_voice with input as ward({"from": 20190305}) with data.tables as fixture.tables
}

test_an_attorney_speaks_beside if {
	unnamed := person.voices with input as ward({"kind": "attorney"}) with data.tables as fixture.tables
	unnamed == own_voice
	power := ward({"kind": "attorney", "scope": ["personal", "data_sharing"]})
	spoken := person.voices with input as power with data.tables as fixture.tables
	spoken == own_voice | {["anna", "gert", "personal"]}
}

test_an_assistant_and_an_unknown_kind_do_not_speak if {
	person.voices == own_voice with input as ward({"kind": "assistant"}) with data.tables as fixture.tables
	person.voices == own_voice with input as ward({"kind": "friend"}) with data.tables as fixture.tables
}

test_a_minor_has_nobody_but_custody_holders if {
	vik := object.union(fixture.child, {"representatives": [fixture.guardian]})
	asked := object.union(fixture.question, {"subjects": [vik]})
	person.represented == set() with input as asked with data.tables as fixture.tables
}

test_unknown_protection_protects if {
	hidden := object.union(fixture.adult, {"protected": null})
	asked := object.union(fixture.question, {"subjects": [hidden]})
	person.of_unprotected == set() with input as asked with data.tables as fixture.tables
}

about_vik := object.union(
	fixture.question,
	{"keys": [{"source": "family", "category": "F01", "subject": "vik"}]},
)

test_the_living_have_custody_holders if {
	person.of_custody == {0} with input as about_vik with data.tables as fixture.tables
}

test_the_dead_have_no_custody_holder if {
	dead := object.union(fixture.child, {"dead_on": 20190101})
	asked := object.union(about_vik, {"subjects": [dead]})
	person.of_custody == set() with input as asked with data.tables as fixture.tables
}
