# METADATA
# scope: package
# title: "Emergency: danger to life, and who holds the data has said yes"
# description: |
#   A road of its own (break-glass, værdispring). An on-call caseworker asked for it with a call-out number; the health
#   unit that holds the data said yes, by a person of its own or by a standing yes in the registry. Then, for some
#   hours, for that call-out, that citizen and that caseworker, the emergency profile of the sources that were asked
#   may go out: what the statute's row lists and nothing else. One no of the unit ends it. What an emergency relaxes of
#   the ordinary stages is named in the settings, with the reason; log-in, employment, role and level are not among it.
# custom:
#   law: SUL § 43, stk. 2, nr. 2, og stk. 3; FVL § 28
package broker.emergency

import data.broker.lib
import data.tables
import future.keywords.not

# METADATA
# title: The ask says that it rests on a break-glass request
asked if is_string(input.ask.emergency)

# METADATA
# title: The ask rests on none
ordinary if input.ask.emergency == null

# METADATA
# title: What is not asked of an emergency
# scope: document
relaxed contains what if {
	asked
	some what, _ in tables.settings.emergency.relaxed
}

# The request named, where it is about this citizen and call-out and was made by this caseworker of this unit.
standing contains n if {
	input.ask.purpose == tables.settings.emergency.purpose
	some n, request in input.emergency
	request.id == input.ask.emergency
	request.citizen == input.ask.citizen
	request.citizen in data.broker.person.known
	request.case == input.ask.case
	request.unit == input.caller.unit
	request.caseworker == input.caller.handle
}

# --- who has decided ----------------------------------------------------------

# Nobody decides on their own request, and no unit on its own.
answers contains [unit, said, at] if {
	some n in standing
	some answer in input.emergency[n].answers
	answer.by != input.emergency[n].caseworker
	answer.unit != input.emergency[n].unit
	unit := answer.unit
	said := answer.said
	at := answer.at
}

refusing contains unit if some [unit, "no", _] in answers

agreeing contains unit if {
	some [unit, "yes", at] in answers
	open_since(at)
}

# A standing yes counts from the moment of the request.
agreeing contains unit if {
	some n in standing
	some approval in tables.standing_approvals
	lib.on_day(approval)
	input.caller.unit in approval.to_units
	approval.unit != input.caller.unit
	open_since(input.emergency[n].requested_at)
	unit := approval.unit
}

open_since(at) if {
	is_number(at)
	is_number(input.at)
	at <= input.at
	input.at < at + (3600 * tables.settings.emergency.hours)
}

# --- what that opens ----------------------------------------------------------

# METADATA
# title: The law that is the basis in an emergency
law contains id if {
	some id in tables.purposes[input.ask.purpose].statutes
	"emergency" in tables.statutes[id].conditions
	lib.on_day(tables.statutes[id])
	tables.units[input.caller.unit].kind in tables.statutes[id].to_units
}

# METADATA
# title: Keys that the holder has opened to this ask
# scope: document
granted contains i if {
	some n in standing
	some i, key in input.keys
	key.subject == input.ask.citizen
	key.source in input.emergency[n].sources
	some unit in (agreeing - refusing)
	tables.sources[key.source].unit == unit
	some id in law
	tables.units[unit].kind in tables.statutes[id].from_units
	not key.category in withheld_places
}

# Where somebody can be found goes out only for a reason that takes it (domain.md 4.5 b), whether they are protected
# or not: so the answer tells nothing of protection.
withheld_places contains category if {
	not going_there
	some category, row in tables.categories
	row.place == true
}

going_there if {
	some n in standing
	tables.settings.emergency.reasons[input.emergency[n].reason].address == true
}

# METADATA
# title: Keys that tell a place for a reason of their own
placed contains i if {
	going_there
	some i in granted
}

# METADATA
# title: Each key that goes out in an emergency, with the statute's id
by_statute contains [i, id] if {
	some id in law
	some i in (granted & data.broker.purpose.within)
	input.keys[i].category in tables.statutes[id].purposes[input.ask.purpose].categories
}
