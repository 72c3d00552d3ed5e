# METADATA
# scope: package
# title: Sharing personal data between Danish authorities
# description: |
#   Default deny. One evaluation answers for every key asked (source, category, subject): released on a named basis,
#   released masked, or withheld for named reasons. Stages run in order (caller, case, purpose, person, consent) and the
#   first that holds a key back ends it. Everything the rules rest on is in the question and the tables. `reasons` are
#   for the log; `shown` and `missing` are what the asker may see.
# custom:
#   owner: data-protection
package broker.share

import data.broker.caller
import data.broker.case
import data.broker.consent
import data.broker.lib
import data.broker.obligation
import data.broker.purpose
import data.broker.shown
import data.broker.statute
import data.broker.subject
import data.tables
import future.keywords.not

# METADATA
# title: The decision that the broker enforces and logs
# entrypoint: true
decision := {
	"schema": "borgerbro/decision/1",
	"verdicts": verdicts,
}

# --- where each key ends -----------------------------------------------------

after_1 := lib.asked - caller.stopped

after_2 := after_1 - case.stopped

after_3 := after_2 - purpose.stopped

after_4 := after_3 - subject.stopped

# --- what goes out -----------------------------------------------------------

by_consent contains i if some [i, _, _] in consent.relied_on

# Nothing goes out without a basis, even where no rule has a reason against it.
released := (after_4 - consent.stopped) & (statute.grounded | by_consent)

masked := released & (obligation.child_name | obligation.address)

# --- the answer --------------------------------------------------------------

verdicts contains verdict if {
	some i in caller.stopped
	codes := {code | some code, stopped in caller.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (case.stopped & after_1)
	codes := {code | some code, stopped in case.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (purpose.stopped & after_2)
	codes := {code | some code, stopped in purpose.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (subject.stopped & after_3)
	codes := {code | some code, stopped in subject.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	heard := {code: stopped | some code, stopped in consent.codes; count(stopped) > 0}
	some i in (consent.stopped & after_4)
	codes := {code | some code, stopped in heard; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in ((after_4 - consent.stopped) - released)
	verdict := withheld(i, {"POLICY_ERROR"})
}

verdicts contains verdict if {
	some i in (released - masked)
	verdict := given(i, "release")
}

verdicts contains verdict if {
	some i in masked
	verdict := given(i, "mask")
}

masking := {
	"address": obligation.address,
	"child_name": obligation.child_name,
}

# Keys that something the asker may not learn holds back in stage 4; and those held back for want of a line, as far as
# the asker is told.
hushed_4 := (subject.stopped & after_3) - shown.told_of_person

wanting_lines := hushed_4 | (consent.stopped & after_4)

hushed := hushed_4 | ((consent.stopped & after_4) - shown.told_of_consent)

asking := {
	"citizen": consent.wants_citizen,
	"custody_holder": consent.wants_holder,
}

given(i, outcome) := verdict if {
	key := input.keys[i]
	own := i in statute.own
	basis := (own_case(i) | by_statute(i)) | by_consents(i)
	masks := {mask | some mask, hiding in masking; i in hiding}
	verdict := {
		"source": key.source,
		"category": key.category,
		"subject": key.subject,
		"outcome": outcome,
		"own": own,
		"basis": basis,
		"reasons": set(),
		"shown": set(),
		"masks": masks,
		"missing": set(),
	}
}

own_case(i) := basis if {
	basis := {{"kind": "own_case", "id": "OWN_CASE", "version": tables.statutes.OWN_CASE.version} | i in statute.own}
}

by_statute(i) := basis if {
	basis := {{"kind": "statute", "id": id, "version": tables.statutes[id].version} |
		some id in statute.in_force
		[i, id] in statute.by_statute
	}
}

by_consents(i) := basis if {
	basis := {{"kind": "consent", "id": id, "version": version} |
		some [id, version] in consent.versions
		[i, id, version] in consent.relied_on
	}
}

withheld(i, codes) := verdict if {
	key := input.keys[i]
	own := i in statute.own
	told := (codes & shown.visible) | {code | i in hushed; some code in shown.stand_ins; [i, code] in shown.instead}
	missing := {{"source": key.source, "category": key.category, "giver": giver} |
		i in wanting_lines
		some giver, wanting in asking
		i in wanting
	}
	verdict := {
		"source": key.source,
		"category": key.category,
		"subject": key.subject,
		"outcome": "withhold",
		"own": own,
		"basis": set(),
		"reasons": codes,
		"shown": told,
		"masks": set(),
		"missing": missing,
	}
}
