# METADATA
# scope: package
# title: "Stage 2: is there a case, and is it this caseworker's?"
# description: |
#   The unit's own case system was asked live. A citizen no register knows gives the same code as a case that is
#   another's, so that an answer never tells whether a number belongs to anybody. In an emergency the call-out stands
#   for the case: what its holder has not opened to this ask ends here, whoever the number belongs to.
# custom:
#   law: FVL § 32; RSL § 11 a, stk. 1
package broker.case

import data.broker.lib
import future.keywords.not

# METADATA
# title: Each code of this stage and the keys it holds back
codes := {
	"CASE_MISMATCH": case_mismatch,
	"DELEGATION_EXPIRED": delegation_expired,
	"EMERGENCY_NOT_JUSTIFIED": emergency_not_justified,
	"NO_CASE_RELATION": no_case_relation,
	"NO_DELEGATION": no_delegation,
	"OUTSIDE_DELEGATION": outside_delegation,
	"SOURCE_UNAVAILABLE": source_unavailable,
}

# METADATA
# title: Keys this stage holds back
stopped := (of_the_case | of_the_border) | (source_unavailable | emergency_not_justified)

of_the_case := case_mismatch | no_case_relation

of_the_border := (no_delegation | delegation_expired) | outside_delegation

# METADATA
# title: Every register that was consulted gave an answer
registers_answered if count(input.failed_registers) == 0

# METADATA
# title: The case exists and is about the citizen, whom the register knows
is_citizens if {
	registers_answered
	input.case.exists == true
	input.case.concerns_citizen == true
	some subject in input.subjects
	subject.handle == input.ask.citizen
	subject.known == true
}

fits if {
	is_citizens
	input.case.open == true
	input.case.unit == input.caller.unit
}

related if {
	fits
	input.case.caseworker_on_case == true
}

residence_matters if {
	related
	not "residence" in data.broker.emergency.relaxed
}

# Where the call-out stands for the case, and residence is asked for all the same.
residence_matters if {
	registers_answered
	"case" in data.broker.emergency.relaxed
	not "residence" in data.broker.emergency.relaxed
}

source_unavailable contains i if {
	not registers_answered
	some i in lib.asked
}

emergency_not_justified contains i if {
	registers_answered
	data.broker.emergency.asked
	some i in (lib.asked - data.broker.emergency.granted)
}

case_mismatch contains i if {
	registers_answered
	not "case" in data.broker.emergency.relaxed
	not fits
	some i in lib.asked
}

no_case_relation contains i if {
	not "case" in data.broker.emergency.relaxed
	fits
	not related
	some i in lib.asked
}

no_delegation contains i if {
	residence_matters
	data.broker.delegation.absent
	some i in lib.asked
}

delegation_expired contains i if {
	residence_matters
	data.broker.delegation.ended
	some i in lib.asked
}

outside_delegation contains i if {
	residence_matters
	data.broker.delegation.elsewhere
	some i in lib.asked
}
