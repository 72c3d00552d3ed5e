# METADATA
# scope: package
# title: May this municipality act for the citizen's own?
# description: |
#   A citizen who lives in the asking municipality needs no agreement. Otherwise a delegation from the municipality
#   of residence must be in force today and cover the KLE of the case.
# custom:
#   law: RSL § 9; lov om forpligtende kommunale samarbejder
package broker.delegation

import data.broker.lib
import data.tables
import future.keywords.not

# METADATA
# title: Where the citizen lives, where that is known
residence contains municipality if {
	some subject in input.subjects
	subject.handle == input.ask.citizen
	municipality := subject.municipality
	is_string(municipality)
}

# METADATA
# title: The citizen lives in the asking municipality
resident if input.caller.municipality in residence

# The registry takes none from a municipality to itself.
between contains id if {
	some subject in input.subjects
	subject.handle == input.ask.citizen
	some id, row in tables.delegations
	row.from_municipality == subject.municipality
	row.to_municipality == input.caller.municipality
}

in_force contains id if {
	some id in between
	lib.on_day(tables.delegations[id])
}

covering if {
	some id in in_force
	some limit in tables.delegations[id].kle
	lib.covers(limit, input.case.kle)
}

# METADATA
# title: No agreement was ever made
absent if {
	not resident
	count(between) == 0
}

# METADATA
# title: Agreements were made, none of them for today
ended if {
	count(between) > 0
	count(in_force) == 0
}

# METADATA
# title: An agreement holds today, for other subjects
elsewhere if {
	count(in_force) > 0
	not covering
}
