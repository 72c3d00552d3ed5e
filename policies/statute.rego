# METADATA
# scope: package
# title: What the law lets go without consent
# description: |
#   The unit's own data in its own case, and the statutes a purpose names. Each statute reaches only the categories its
#   row lists for that purpose, in cases of the KLE listed there, between the kinds of unit listed there, while it is in
#   force, and only where its conditions are met. That someone lives here, or is delegated to us, was tested in stage 2:
#   no statute rests on the asker's word alone. What goes out in an emergency has a road of its own (emergency.rego).
package broker.statute

import data.broker.lib
import data.tables
import future.keywords.not

# METADATA
# title: Keys that are the asking unit's own
own contains i if {
	is_string(input.caller.unit)
	some i, key in input.keys
	tables.sources[key.source].unit == input.caller.unit
}

in_force contains id if {
	some id in tables.purposes[input.ask.purpose].statutes
	lib.on_day(tables.statutes[id])
	tables.units[input.caller.unit].kind in tables.statutes[id].to_units
	some limit in tables.statutes[id].purposes[input.ask.purpose].case_kle
	lib.covers(limit, input.case.kle)
	every condition in tables.statutes[id].conditions {
		condition in met
	}
}

# METADATA
# title: Each key a statute reaches, with the statute's id
by_statute contains [i, id] if {
	some id in in_force
	reached := tables.statutes[id].purposes[input.ask.purpose].categories
	some i, key in input.keys
	not i in own
	key.category in reached
	gives(id, key.source)
	reaches(id, key.source)
	within_meetings(id, key.subject)
}

gives(id, source) if {
	unit := tables.sources[source].unit
	tables.units[unit].kind in tables.statutes[id].from_units
}

# A family that moved: from the municipality it left, never from the one that asks.
reaches(id, source) if {
	"moved_here" in tables.statutes[id].conditions
	is_string(tables.sources[source].municipality)
	tables.sources[source].municipality != input.caller.municipality
}

reaches(id, _) if not "moved_here" in tables.statutes[id].conditions

# One meeting and one follow-up about the same child: what the broker itself remembers counts (SEL § 49 a, stk. 2).
within_meetings(id, _) if not "meeting_within_limit" in tables.statutes[id].conditions

within_meetings(id, subject) if {
	"meeting_within_limit" in tables.statutes[id].conditions
	subject in meeting_open
}

# The days with a meeting that still count, by person.
meetings contains [handle, days] if {
	is_number(input.today)
	some subject in input.subjects
	handle := subject.handle
	days := {day |
		some day in subject.meetings
		is_number(day)
		input.today < day + (10000 * tables.settings.meetings.window_years)
	}
}

# All of one day is one meeting.
meeting_open contains handle if {
	some [handle, days] in meetings
	input.today in days
}

meeting_open contains handle if {
	some [handle, days] in meetings
	count(days) == 0
}

meeting_open contains handle if {
	input.ask.follow_up == true
	some [handle, days] in meetings
	count(days) == 1
}

# Judged of each subject by itself: `within_meetings`.
met contains "meeting_within_limit"

# A yes was asked for first, and refused or not answered; or the case system says that it was tried (RSL § 11 c).
met contains "consent_tried" if input.case.consent_tried == true

# `emergency` is met on its own road only.
met contains "minor_in_family" if count(data.broker.person.known & data.broker.person.minors) > 0

met contains "moved_here" if data.broker.delegation.resident

# METADATA
# title: Keys that need no consent
grounded := (own | {i | some [i, _] in by_statute}) | {i | some [i, _] in data.broker.emergency.by_statute}

# METADATA
# title: What is said where the law alone is the basis and does not reach
otherwise contains code if {
	count(tables.purposes[input.ask.purpose].consent_bases) == 0
	some id in tables.purposes[input.ask.purpose].statutes
	code := tables.statutes[id].otherwise
}
