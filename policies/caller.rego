# METADATA
# scope: package
# title: "Stage 1: may this caseworker ask at all?"
# description: |
#   The log-in is strong enough, the caseworker works in the unit, the system speaks for that unit, and a role
#   covers the subject (KLE) of the case and the level of the category. Roles are tested against the case's KLE,
#   so they are tested only where the case is the citizen's: otherwise stage 2 says what is wrong. Levels are tested
#   for what belongs to the purpose: the rest is refused in stage 3, whoever asks. In an emergency there is no case; the
#   role of the on-call caseworker is tested always.
# custom:
#   law: FVL § 32
package broker.caller

import data.broker.lib
import data.tables
import future.keywords.not

# METADATA
# title: Each code of this stage and the keys it holds back
codes := {
	"NSIS_TOO_LOW": nsis_too_low,
	"ROLE_EXPIRED": role_expired,
	"ROLE_KLE": role_kle,
	"ROLE_SENSITIVITY": role_sensitivity,
}

# METADATA
# title: Keys this stage holds back
stopped := (nsis_too_low | role_expired) | (role_kle | role_sensitivity)

nsis_too_low contains i if {
	not nsis_accepted
	some i in lib.asked
}

nsis_accepted if input.caller.nsis in tables.settings.nsis_levels.accepted

# Whether someone is employed is read from a register: while one is silent, nothing is said of it.
role_expired contains i if {
	data.broker.case.registers_answered
	not employed
	some i in lib.asked
}

role_expired contains i if {
	roles_tested
	not role_covers
	role_covered_once
	some i in lib.asked
}

employed if input.caller.employed == true

role_kle contains i if {
	not system_speaks_for_unit
	some i in lib.asked
}

role_kle contains i if {
	roles_tested
	not role_covered_once
	some i in lib.asked
}

role_kle contains i if {
	roles_tested
	role_covers
	strict
	some i in data.broker.purpose.within
	not input.keys[i].category in covered_categories
}

role_kle contains i if {
	roles_tested
	role_covers
	some i in unreached
}

roles_tested if data.broker.case.is_citizens

roles_tested if data.broker.emergency.asked

system_speaks_for_unit if input.caller.unit in input.caller.system_units

role_covers if count(covering) > 0

role_covered_once if count(on_subject) > 0

# Roles that give a view, may ask for the purpose, reach the citizen and cover the case's KLE, by their place in the
# list.
on_subject contains n if {
	data.broker.emergency.ordinary
	some n, role in input.caller.roles
	is_string(role.name)
	not role.name in tables.settings.roles.without_view
	may_ask(role.name)
	reaches_citizen(role)
	some limit in role.kle
	lib.covers(limit, input.case.kle)
}

# In an emergency it is the on-call caseworker's role that counts.
on_subject contains n if {
	"case_kle" in data.broker.emergency.relaxed
	some n in on_call
}

on_subject contains n if {
	kle := input.case.kle
	some n in on_call
	some limit in input.caller.roles[n].kle
	lib.covers(limit, kle)
}

on_call contains n if {
	data.broker.emergency.asked
	some n, role in input.caller.roles
	role.name == tables.settings.emergency.role
}

# The same, and attested within the time set.
covering contains n if {
	some n in on_subject
	attested(input.caller.roles[n])
}

# Some roles may be used for certain purposes only.
bounded contains name if some name, _ in tables.settings.roles.bounds

may_ask(name) if not name in bounded

may_ask(name) if tables.settings.roles.bounds[name].any_purpose == true

may_ask(name) if input.ask.purpose in tables.settings.roles.bounds[name].purposes

# A role that another municipality delegated is for those who live there; that it did so for this subject, today, is
# stage 2. By it nobody is told where a citizen lives but whoever is on the case: all others end in stage 2.
reaches_citizen(role) if role.delegated_from == null

reaches_citizen(role) if {
	is_string(role.delegated_from)
	not on_case
}

reaches_citizen(role) if {
	role.delegated_from != input.caller.municipality
	role.delegated_from in data.broker.delegation.residence
}

on_case if data.broker.case.related

# An employer who states no attestation vouches for the role by signing it, but for roles that grant across laws.
attested(role) if {
	role.attested_on == null
	not role.name in tables.settings.roles.must_be_attested
}

attested(role) if {
	is_number(role.attested_on)
	is_number(input.today)
	role.attested_on <= input.today
	input.today <= role.attested_on + (10000 * tables.settings.roles.attested_within_years)
}

# --- what the roles that cover the case give ----------------------------------

# Roles that give certain categories only, or the own unit's data only.
narrow contains n if {
	some n in covering
	tables.settings.roles.bounds[input.caller.roles[n].name].any_category == false
}

narrow contains n if {
	some n in covering
	tables.settings.roles.bounds[input.caller.roles[n].name].own_only == true
}

narrow_gives contains [n, i] if {
	some n in narrow
	some i in data.broker.purpose.within
	in_categories(input.caller.roles[n].name, input.keys[i].category)
	in_unit(input.caller.roles[n].name, i)
}

in_categories(name, _) if tables.settings.roles.bounds[name].any_category == true

in_categories(name, category) if category in tables.settings.roles.bounds[name].categories

in_unit(name, _) if tables.settings.roles.bounds[name].own_only == false

in_unit(_, i) if i in data.broker.statute.own

unreached contains i if {
	count(covering - narrow) == 0
	some i in data.broker.purpose.within
	not i in reached_by_narrow
}

reached_by_narrow contains i if some [_, i] in narrow_gives

role_sensitivity contains i if {
	roles_tested
	some i in ((data.broker.purpose.within - unreached) - cleared)
}

cleared contains i if {
	highest := max(clearances)
	is_number(highest)
	some i in data.broker.purpose.within
	tables.categories[input.keys[i].category].level <= highest
}

cleared contains i if {
	some [n, i] in narrow_gives
	highest := input.caller.roles[n].sensitivity
	is_number(highest)
	tables.categories[input.keys[i].category].level <= highest
}

clearances contains highest if {
	some n in (covering - narrow)
	highest := input.caller.roles[n].sensitivity
	is_number(highest)
}

# A municipality may also test each category's own KLE (design 6b d).
strict if tables.municipalities[input.caller.municipality].strict_kle == true

covered_categories contains category if {
	some n in covering
	some limit in input.caller.roles[n].kle
	some category, row in tables.categories
	some kle in row.kle
	lib.covers(limit, kle)
}

# A category that belongs to no subject of its own is held by every unit.
covered_categories contains category if {
	some category, row in tables.categories
	count(row.kle) == 0
}
