# METADATA
# scope: package
# title: "Stage 4: does anything about the person hold it back?"
# description: |
#   Death, custody, a young person's own yes, protection, kinship. Unknown custody refuses and unknown protection
#   protects. A rule about who may say yes is asked only where a yes is needed.
# custom:
#   law: SUL § 17, stk. 3; forældreansvarsloven § 3; CPR-loven § 28
package broker.subject

import data.broker.consent
import data.broker.lib
import data.broker.person
import data.tables
import future.keywords.not

# METADATA
# title: Each code of this stage and the keys it holds back
codes := {
	"ADDRESS_PROTECTED": address_protected,
	"CHILD_OWN_CONSENT": child_own_consent,
	"CUSTODY_UNKNOWN": custody_unknown,
	"GUARDIAN_SCOPE": guardian_scope,
	"SELF_OR_RELATED": self_or_related,
	"SUBJECT_DECEASED": subject_deceased,
}

self_or_related contains i if {
	not unrelated
	some i in lib.asked
}

unrelated if input.related == false

# Only the citizen's own death is told: a child's would tell of the child. A dead child has no custody holder.
subject_deceased contains i if {
	some subject in input.subjects
	subject.handle == input.ask.citizen
	is_number(subject.dead_on)
	is_number(input.today)
	subject.dead_on <= input.today
	some i in lib.asked
}

custody_unknown contains i if {
	some i, key in input.keys
	not key.subject in person.known
}

custody_unknown contains i if {
	some i in consent.needed
	not input.keys[i].subject in person.adults
	not input.keys[i].subject in person.in_custody
}

custody_unknown contains i if {
	some i in consent.needed
	input.keys[i].subject in person.children
	not input.keys[i].subject in person.in_custody
}

custody_unknown contains i if {
	some i in consent.needed
	input.keys[i].subject in person.children
	input.keys[i].subject in person.dead
}

# Someone else said yes, but not the young person whose yes it takes.
child_own_consent contains i if {
	some i in consent.by_young_person
	i in consent.spoken
	not i in consent.by_self
}

guardian_scope contains i if {
	some i in consent.needed
	input.keys[i].subject in person.guarded
	input.keys[i].subject in person.adults
	i in consent.spoken
	not i in consent.by_self
}

# Where the citizen is protected, so is what lives with them.
hidden contains i if {
	some i, key in input.keys
	not key.subject in person.unprotected
}

hidden contains i if {
	not input.ask.citizen in person.unprotected
	some i in lib.asked
}

address_protected contains i if {
	some i in hidden
	tables.categories[input.keys[i].category].place == true
}
