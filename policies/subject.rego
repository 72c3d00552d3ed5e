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

# METADATA
# title: Keys this stage holds back
stopped := (protecting | of_whose_yes) | subject_deceased

protecting := address_protected | self_or_related

of_whose_yes := (child_own_consent | custody_unknown) | guardian_scope

self_or_related contains i if {
	not unrelated
	some i in lib.asked
}

unrelated if input.related == false

# Only the citizen's own death is told: a child's would tell of the child. A dead child has no custody holder.
subject_deceased contains i if {
	is_number(input.today)
	some subject in input.subjects
	subject.handle == input.ask.citizen
	is_number(subject.dead_on)
	subject.dead_on <= input.today
	some i in lib.asked
}

# Nobody to ask: not known at all, of unknown age, or a child over whom nobody holds custody.
custody_unknown := (lib.asked - person.of_known) | (consent.needed & (of_unknown_age | of_nobodys_child))

of_unknown_age := (lib.asked - person.of_adult) - person.of_minor

of_nobodys_child := (person.of_child | person.of_minor) - person.of_custody

# Someone else said yes, but not the young person whose yes it takes.
child_own_consent := (consent.by_young_person & consent.spoken) - consent.by_self

guardian_scope := ((person.of_guarded & person.of_adult) & consent.spoken) - consent.by_self

# Where the citizen is protected, so is what lives with them.
hidden := (lib.asked - person.of_unprotected) | of_protected_citizen

of_protected_citizen contains i if {
	not input.ask.citizen in person.unprotected
	some i in lib.asked
}

address_protected contains i if {
	some i in hidden
	tables.categories[input.keys[i].category].place == true
}
