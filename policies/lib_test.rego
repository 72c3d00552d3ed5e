package broker.lib_test

import data.broker.fixture_test as fixture
import data.broker.lib

test_both_ends_of_a_window_are_inside if {
	lib.on_day({"from": 20190304, "to": 20190304}) with input as fixture.question
}

test_a_window_without_an_end_is_shut if {
	not lib.on_day({"from": 20190304, "to": null}) with input as fixture.question
	not lib.on_day({"from": null, "to": 20190304}) with input as fixture.question
}

test_a_star_covers_all_below if {
	lib.covers("27.18.*", "27.18.04")
	lib.covers("27.18.*", "27.18")
	lib.covers("27.18.04", "27.18.04")
}

test_a_limit_covers_nothing_beside_it if {
	not lib.covers("27.1.*", "27.18.04")
	not lib.covers("27.18", "27.18.04")
	not lib.covers("*", "27.18.04")
	not lib.covers("27.*", null)
}

test_every_key_is_asked if {
	lib.asked == {0, 1} with input as fixture.question
}
