# METADATA
# scope: package
# title: "Stage 4: does anything about the person hold it back?"
# description: |
#   Death, custody, a young person's own yes, protection, kinship, a case under protection. Unknown custody refuses and
#   unknown protection protects. A rule about who may say yes is asked only where a yes is needed.
# custom:
#   law: SUL § 17, stk. 3; forældreansvarsloven § 3; CPR-loven § 28
package broker.subject

import data.broker.lib
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
	"VIP_NO_GROUNDS": vip_no_grounds,
}

# METADATA
# title: Keys this stage holds back
stopped := (protecting | of_whose_yes) | subject_deceased

protecting := (address_protected | self_or_related) | vip_no_grounds

of_whose_yes := (child_own_consent | custody_unknown) | guardian_scope

self_or_related contains i if {
	not unrelated
	some i in lib.asked
}

unrelated if input.related == false

# A case that is specially protected is for whoever is named on it, not for the team, with a role of the highest level.
vip_no_grounds contains i if {
	not ordinary
	not on_vip_case
	some i in lib.asked
}

ordinary if input.case.vip == false

on_vip_case if {
	input.case.caseworker_named == true
	some n in data.broker.caller.covering
	is_number(input.caller.roles[n].sensitivity)
	input.caller.roles[n].sensitivity >= tables.settings.vip.level
}

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
custody_unknown := unknown | (data.broker.consent.needed & (of_unknown_age | of_nobodys_child))

unknown := lib.asked - data.broker.person.of_known

of_unknown_age := (lib.asked - data.broker.person.of_adult) - data.broker.person.of_minor

of_nobodys_child := (data.broker.person.of_child | data.broker.person.of_minor) - data.broker.person.of_custody

# Someone else said yes, but not the young person whose yes it takes.
child_own_consent := (data.broker.consent.by_young_person & data.broker.consent.spoken) - data.broker.consent.by_self

# A yes that is neither the person's own to say nor within what anybody may say for them today.
guardian_scope := (of_represented_adult & data.broker.consent.spoken) - data.broker.consent.by_self

of_represented_adult := data.broker.person.of_represented & data.broker.person.of_adult

# Where the citizen is protected, so is what lives with them.
hidden := (lib.asked - data.broker.person.of_unprotected) | of_protected_citizen

of_protected_citizen contains i if {
	not input.ask.citizen in data.broker.person.unprotected
	some i in lib.asked
}

address_protected contains i if {
	some i in (hidden - data.broker.emergency.placed)
	tables.categories[input.keys[i].category].place == true
}
