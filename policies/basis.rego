# METADATA
# scope: package
# title: Which law a yes for a key rests on today
# description: |
#   Each row of law names the purposes and categories it is for, the kinds of unit that may give and receive, and the
#   days it holds. A yes that no row carries opens nothing. Of one legal basis several rows may follow each other, one
#   for each numbering of the law: the row of today is the one named.
# custom:
#   law: RSL § 11 a; FVL §§ 28-29; SUL §§ 41-44; LAB § 40, stk. 3
package broker.basis

import data.broker.lib
import data.tables

# METADATA
# title: Rows that hold today for this purpose and this kind of receiving unit
in_force contains id if {
	some id in tables.purposes[input.ask.purpose].consent_bases
	lib.on_day(tables.consent_bases[id])
	tables.units[input.caller.unit].kind in tables.consent_bases[id].to_units
}

# METADATA
# title: Each key with the row that a yes for it rests on
by_row contains [i, id] if {
	some id in in_force
	carried := tables.consent_bases[id].purposes[input.ask.purpose]
	some i, key in input.keys
	[id, key.source] in giving
	key.category in carried
}

# METADATA
# title: Keys that a yes may open
consentable contains i if some [i, _] in by_row

# Worked out once for each source that the question names, not for each of its keys and lines.
giving contains [id, source] if {
	some id in in_force
	some source in sources_named
	unit := tables.sources[source].unit
	tables.units[unit].kind in tables.consent_bases[id].from_units
}

sources_named contains source if {
	some key in input.keys
	source := key.source
}

sources_named contains source if {
	some line in input.consents
	source := line.source
}

# METADATA
# title: Lines that have lasted longer than their law lets a yes last, whatever their own last day
outlived contains n if {
	is_number(input.today)
	some id in in_force
	years := tables.consent_bases[id].form.years
	is_number(years)
	carried := tables.consent_bases[id].purposes[input.ask.purpose]
	some n, line in input.consents
	is_number(line.from)
	input.today >= line.from + (10000 * years)
	[id, line.source] in giving
	line.category in carried
}
