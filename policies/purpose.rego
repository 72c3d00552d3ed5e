# METADATA
# scope: package
# title: "Stage 3: does the information belong to the purpose?"
# description: |
#   Each purpose has an upper bound of categories. A category marked "never", one the source does not hold, an unknown
#   purpose, source or category: all are outside it. So is what no row of law carries for this kind of unit today.
# custom:
#   law: databeskyttelsesforordningen art. 5, stk. 1, litra b
package broker.purpose

import data.broker.lib
import data.tables
import future.keywords.not

# METADATA
# title: Each code of this stage and the keys it holds back
codes := {"PURPOSE_MISMATCH": stopped}

# METADATA
# title: Keys this stage holds back
stopped := lib.asked - within

# METADATA
# title: Keys within the purpose's bound
within contains i if {
	some i in ((within_bound & founded) - given_up)
}

# METADATA
# title: Keys that the caller's municipality has taken out of the purpose
# description: The registry lists what it keeps of a purpose. That only ever takes keys away, whatever stands there.
given_up contains i if {
	kept := tables.municipalities[input.caller.municipality].purposes[input.ask.purpose]
	some i, key in input.keys
	not key.category in kept
}

# A purpose that rests on the law alone is judged by its statutes; else a row of law must carry a yes.
founded := (data.broker.statute.own | data.broker.basis.consentable) | by_law_alone

by_law_alone contains i if {
	count(tables.purposes[input.ask.purpose].consent_bases) == 0
	some i in lib.asked
}

within_bound contains i if {
	bound := tables.purposes[input.ask.purpose].categories
	some i, key in input.keys
	key.category in bound
	tables.categories[key.category].never == false
	key.category in tables.sources[key.source].categories
}
