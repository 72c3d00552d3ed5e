package system.authz_test

import data.system.authz

token := "0123456789abcdef0123456789abcdef"

asks(method, path, identity) if {
	authz.allow with input as {"method": method, "path": path, "identity": identity}
		with opa.runtime as {"env": {"BROKER_OPA_TOKEN": token}}
}

decision := ["v1", "data", "broker", "share", "decision"]

test_the_broker_may_ask_for_the_decision if asks("POST", decision, token)

vectors := ["v1", "data", "broker", "vectors", "answers"]

test_the_broker_may_ask_for_the_golden_decisions if {
	asks("POST", vectors, token)
	not asks("POST", vectors, "")
}

test_nobody_else_may if {
	not asks("POST", decision, "")
	not asks("POST", decision, "0123456789abcdef0123456789abcdeX")
}

test_anyone_may_ask_for_health if asks("GET", ["health"], "")

test_nothing_else_is_answered if {
	not asks("POST", ["v1", "query"], token)
	not asks("GET", decision, token)
	not asks("PUT", ["v1", "data", "tables"], token)
	not asks("GET", ["v1", "policies"], token)
}

test_without_a_token_set_nobody_is_the_broker if {
	not authz.allow with input as {"method": "POST", "path": decision, "identity": ""}
		with opa.runtime as {"env": {"BROKER_OPA_TOKEN": ""}}
}
