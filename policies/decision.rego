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

# Rules of other packages are named in full, here and elsewhere: of a package that is imported, the embedded engine
# works out every rule, also those that the answer does not need.
import data.broker.lib
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

after_1 := lib.asked - data.broker.caller.stopped

after_2 := after_1 - data.broker.case.stopped

after_3 := after_2 - data.broker.purpose.stopped

after_4 := after_3 - data.broker.subject.stopped

# --- what goes out -----------------------------------------------------------

by_consent contains i if some [i, _, _] in data.broker.consent.relied_on

# Nothing goes out without a basis, even where no rule has a reason against it.
released := (after_4 - data.broker.consent.stopped) & (data.broker.statute.grounded | by_consent)

masked := released & (data.broker.obligation.child_name | data.broker.obligation.address)

# --- the answer --------------------------------------------------------------

verdicts contains verdict if {
	some i in data.broker.caller.stopped
	codes := {code | some code, stopped in data.broker.caller.codes; i in stopped}
	verdict := refused(i, codes)
}

verdicts contains verdict if {
	some i in (data.broker.case.stopped & after_1)
	codes := {code | some code, stopped in data.broker.case.codes; i in stopped}
	verdict := refused(i, codes)
}

verdicts contains verdict if {
	some i in (data.broker.purpose.stopped & after_2)
	codes := {code | some code, stopped in data.broker.purpose.codes; i in stopped}
	verdict := refused(i, codes)
}

verdicts contains verdict if {
	some i in (data.broker.subject.stopped & after_3)
	codes := {code | some code, stopped in data.broker.subject.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in (data.broker.consent.stopped & after_4)
	codes := {code | some code, stopped in data.broker.consent.codes; i in stopped}
	verdict := withheld(i, codes)
}

verdicts contains verdict if {
	some i in ((after_4 - data.broker.consent.stopped) - released)
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
	"address": data.broker.obligation.address,
	"child_name": data.broker.obligation.child_name,
}

# Keys that something the asker may not learn holds back in stage 4; and those held back for want of a line, as far as
# the asker is told.
hushed_4 := (data.broker.subject.stopped & after_3) - data.broker.shown.told_of_person

wanting_lines := hushed_4 | (data.broker.consent.stopped & after_4)

hushed := hushed_4 | ((data.broker.consent.stopped & after_4) - data.broker.shown.told_of_consent)

asking := {
	"citizen": data.broker.consent.wants_citizen,
	"custody_holder": data.broker.consent.wants_holder,
}

given(i, outcome) := verdict if {
	key := input.keys[i]
	own := i in data.broker.statute.own
	basis := (own_case(i) | by_statute(i)) | (by_consents(i) | in_emergency(i))
	masks := {mask | some mask, hiding in masking; i in hiding}
	periods := {days |
		some [key_at, voice] in data.broker.period.voices_bounded
		key_at == i
		days := said_of(i, voice)
	}
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
		"periods": periods,
	}
}

said_of(i, voice) := days if {
	days := {{"from": from, "to": to} |
		some [key_at, whose, from, to] in data.broker.period.bounds
		key_at == i
		whose == voice
	}
}

own_case(i) := basis if {
	basis := {{"kind": "own_case", "id": "OWN_CASE", "version": tables.statutes.OWN_CASE.version, "law": "OWN_CASE"} |
		i in data.broker.statute.own
	}
}

by_statute(i) := basis if {
	basis := {{"kind": "statute", "id": id, "version": tables.statutes[id].version, "law": id} |
		some id in data.broker.statute.in_force
		[i, id] in data.broker.statute.by_statute
	}
}

in_emergency(i) := basis if {
	basis := {{"kind": "statute", "id": id, "version": tables.statutes[id].version, "law": id} |
		some id in data.broker.emergency.law
		[i, id] in data.broker.emergency.by_statute
	}
}

by_consents(i) := basis if {
	basis := {{"kind": "consent", "id": id, "version": version, "law": law} |
		some [id, version] in data.broker.consent.versions
		[i, id, version] in data.broker.consent.relied_on
		some law in data.broker.basis.in_force
		[i, law] in data.broker.basis.by_row
	}
}

withheld(i, codes) := verdict if {
	key := input.keys[i]
	own := i in data.broker.statute.own
	stand_ins := {code |
		i in hushed
		some code in data.broker.shown.stand_ins
		[i, code] in data.broker.shown.instead
	}
	told := (codes & data.broker.shown.visible) | stand_ins
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
		"periods": set(),
	}
}

# What stages 1 to 3 say is told as it stands, and no line would turn it.
refused(i, codes) := verdict if {
	key := input.keys[i]
	own := i in data.broker.statute.own
	verdict := {
		"source": key.source,
		"category": key.category,
		"subject": key.subject,
		"outcome": "withhold",
		"own": own,
		"basis": set(),
		"reasons": codes,
		"shown": codes & data.broker.shown.visible,
		"masks": set(),
		"missing": set(),
		"periods": set(),
	}
}
