# METADATA
# scope: package
# title: Who may ask an OPA server what
# description: |
#   Only the broker, by its token, and only for the decision and those of the golden vectors; anyone may ask whether
#   the server lives. Policies and data are never written from outside, and no ad-hoc query is run. The token lies in
#   the server's environment.
package system.authz

import future.keywords.not

default allow := false

allow if {
	input.method == "GET"
	input.path == ["health"]
}

allow if {
	input.method == "POST"
	input.path in {
		["v1", "data", "broker", "share", "decision"],
		["v1", "data", "broker", "vectors", "answers"],
	}
	known_caller
}

known_caller if {
	token := opa.runtime().env.BROKER_OPA_TOKEN
	count(token) >= 32
	input.identity == token
}
