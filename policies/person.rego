# METADATA
# scope: package
# title: What is known of each person the question names
# description: |
#   Age, custody, representation, death, protection: by handle, as the register told them. What is not known is not in
#   a set, so a rule that needs it does not hold.
# custom:
#   law: forældreansvarsloven § 3; værgemålsloven §§ 5-6; CPR-loven § 28
package broker.person

import data.broker.lib
import data.tables
import future.keywords.not

known contains handle if {
	some subject in input.subjects
	subject.known == true
	handle := subject.handle
}

# The age in whole years is right on 29 February too.
ages contains [handle, age] if {
	is_number(input.today)
	some subject in input.subjects
	handle := subject.handle
	is_number(subject.born)
	age := floor((input.today - subject.born) / 10000)
}

adults contains handle if {
	some [handle, age] in ages
	age >= tables.settings.ages.majority
}

minors contains handle if {
	some [handle, age] in ages
	age < tables.settings.ages.majority
}

# Minors who are old enough to consent themselves to what concerns their health.
young contains handle if {
	some [handle, age] in ages
	age >= tables.settings.ages.own_consent
	age < tables.settings.ages.majority
}

children contains handle if {
	some subject in input.subjects
	subject.child_of_citizen == true
	handle := subject.handle
}

# Who holds custody of whom today.
custody contains [handle, holder] if {
	some subject in input.subjects
	some row in subject.custody
	lib.on_day(row)
	handle := subject.handle
	holder := row.holder
}

in_custody contains handle if some [handle, _] in custody

# Whom the register names as somebody's guardian, attorney or assistant, whatever they may do and when. What concerns
# a minor is the custody holders' and the minor's own.
represented contains handle if {
	some subject in input.subjects
	count(subject.representatives) > 0
	not subject.handle in minors
	handle := subject.handle
}

# Who may speak for somebody today, by area: within what the paper names, and only where it names what it must.
speaking contains [handle, holder, kind, area] if {
	some subject in input.subjects
	subject.handle in represented
	some row in subject.representatives
	lib.on_day(row)
	tables.settings.representation.kinds[row.kind].speaks == true
	every named in tables.settings.representation.kinds[row.kind].must_name {
		named in row.scope
	}
	some area in tables.settings.representation.areas
	area in row.scope
	handle := subject.handle
	holder := row.holder
	kind := row.kind
}

silenced contains [handle, area] if {
	some [handle, _, kind, area] in speaking
	tables.settings.representation.kinds[kind].silences == true
}

# Everybody speaks for themselves where nobody speaks in their stead.
voices contains [handle, handle, area] if {
	some subject in input.subjects
	some area in tables.settings.representation.areas
	not [subject.handle, area] in silenced
	handle := subject.handle
}

voices contains [handle, holder, area] if some [handle, holder, _, area] in speaking

unprotected contains handle if {
	some subject in input.subjects
	subject.protected == false
	handle := subject.handle
}

dead contains handle if {
	is_number(input.today)
	some subject in input.subjects
	is_number(subject.dead_on)
	subject.dead_on <= input.today
	handle := subject.handle
}

# --- the keys about them, by their place in the question ----------------------

of_adult contains i if {
	some i, key in input.keys
	key.subject in adults
}

of_minor contains i if {
	some i, key in input.keys
	key.subject in minors
}

of_young contains i if {
	some i, key in input.keys
	key.subject in young
}

of_child contains i if {
	some i, key in input.keys
	key.subject in children
}

# Keys about someone the register knows.
of_known contains i if {
	some i, key in input.keys
	key.subject in known
}

# Keys about someone over whom somebody holds custody today. The dead have no custody holder.
of_custody contains i if {
	held := in_custody - dead
	some i, key in input.keys
	key.subject in held
}

of_represented contains i if {
	some i, key in input.keys
	key.subject in represented
}

of_unprotected contains i if {
	some i, key in input.keys
	key.subject in unprotected
}
