# METADATA
# scope: package
# title: Sharing personal data between Danish authorities
# description: |
#   Default deny. One evaluation answers for every key asked (source, category, subject): released on a named basis,
#   released masked, or withheld for named reasons. Stages run in order (caller, case, purpose, person, consent) and the
#   first that holds a key back ends it. Everything the rules rest on is in the question and the tables.
# custom:
#   owner: data-protection
package broker.share

import data.broker.caller
import data.broker.case
import data.broker.consent
import data.broker.lib
import data.broker.obligation
import data.broker.purpose
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

stopped_1 contains i if {
	some stopped in caller.codes
	some i in stopped
}

stopped_2 contains i if {
	some stopped in case.codes
	some i in stopped
}

stopped_3 contains i if {
	some stopped in purpose.codes
	some i in stopped
}

stopped_4 contains i if {
	some stopped in subject.codes
	some i in stopped
}

stopped_5 contains i if {
	some stopped in consent.codes
	some i in stopped
}

after_1 := lib.asked - stopped_1

after_2 := after_1 - stopped_2

after_3 := after_2 - stopped_3

after_4 := after_3 - stopped_4

# --- what goes out -----------------------------------------------------------

bases contains [i, "own_case", "OWN_CASE", version] if {
	some i in after_4
	i in statute.own
	version := tables.statutes.OWN_CASE.version
}

bases contains [i, "statute", id, version] if {
	some [i, id] in statute.by_statute
	i in after_4
	version := tables.statutes[id].version
}

bases contains [i, "consent", id, version] if {
	some [i, id, version] in consent.relied_on
	i in after_4
}

based contains i if some [i, _, _, _] in bases

# Nothing goes out without a basis, even where no rule has a reason against it.
released contains i if {
	some i in after_4
	i in based
	not i in stopped_5
}

masked contains i if {
	some [i, _] in obligation.masks
	i in released
}

# --- the answer --------------------------------------------------------------

verdicts contains verdict if {
	some i in stopped_1
	codes := {code | some code, stopped in caller.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (stopped_2 & after_1)
	codes := {code | some code, stopped in case.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (stopped_3 & after_2)
	codes := {code | some code, stopped in purpose.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (stopped_4 & after_3)
	codes := {code | some code, stopped in subject.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (stopped_5 & after_4)
	codes := {code | some code, stopped in consent.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in ((after_4 - stopped_5) - released)
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

given(i, outcome) := verdict if {
	key := input.keys[i]
	own := i in statute.own
	basis := {{"kind": kind, "id": id, "version": version} | some [n, kind, id, version] in bases; n == i}
	masks := {mask | some mask in {"address", "child_name"}; [i, mask] in obligation.masks}
	verdict := {
		"source": key.source,
		"category": key.category,
		"subject": key.subject,
		"outcome": outcome,
		"own": own,
		"basis": basis,
		"reasons": set(),
		"masks": masks,
		"missing": set(),
	}
}

withheld(i, codes) := verdict if {
	key := input.keys[i]
	own := i in statute.own
	missing := {{"source": key.source, "category": key.category, "giver": giver} |
		some giver in {"citizen", "custody_holder"}
		i in after_4
		[i, giver] in consent.wanting
	}
	verdict := {
		"source": key.source,
		"category": key.category,
		"subject": key.subject,
		"outcome": "withhold",
		"own": own,
		"basis": set(),
		"reasons": codes,
		"masks": set(),
		"missing": missing,
	}
}
