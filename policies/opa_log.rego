# METADATA
# scope: package
# title: What stays out of an OPA server's decision log
# description: |
#   The broker's own log holds each decision, encrypted under the citizen's key. OPA's holds that one was made and
#   for which purpose: no handle of a person, a case or a consent.
package system.log

mask contains path if {
	some path in {
		"/input/ask/citizen",
		"/input/ask/case",
		"/input/blocks",
		"/input/case",
		"/input/consents",
		"/input/keys",
		"/input/related",
		"/input/subjects",
		"/result",
	}
}
