# METADATA
# scope: package
# title: "Stage 5: who has said yes, to what, until when?"
# description: |
#   A yes counts when it is granted, open today, and names this recipient, purpose, case, source, category and
#   subject, and when it comes from everyone whose yes it takes. A block beats every yes.
#   A paused yes is told as no consent: it is neither withdrawn nor expired.
# custom:
#   law: RSL § 11 a, stk. 1; SUL §§ 43-44; forældreansvarsloven § 3
package broker.consent

import data.broker.lib
import data.tables
import future.keywords.not

# METADATA
# title: Each code of this stage and the keys it holds back
codes := {
	"BLOCKED_BY_CITIZEN": blocked,
	"CONSENT_EXPIRED": consent_expired,
	"CONSENT_NOT_YET_VALID": consent_not_yet_valid,
	"CONSENT_REVOKED": consent_revoked,
	"CONSENT_TOO_GENERAL": consent_too_general,
	"CUSTODY_INCOMPLETE": custody_incomplete,
	"EMERGENCY_NOT_JUSTIFIED": emergency_not_justified,
	"NO_CONSENT": no_consent,
	"OUT_OF_SCOPE_CATEGORY": out_of_scope_category,
	"OUT_OF_SCOPE_PERIOD": out_of_scope_period,
	"OUT_OF_SCOPE_RECIPIENT": out_of_scope_recipient,
	"OUT_OF_SCOPE_SOURCE": out_of_scope_source,
	"SSD_LIMIT_REACHED": ssd_limit_reached,
}

# METADATA
# title: Keys this stage holds back
# description: All but those that rest on the law or on a complete consent that no block stands against.
stopped := incomplete | blocked

# METADATA
# title: Keys that rest on consent or on nothing
needed := lib.asked - data.broker.statute.grounded

# --- the lines given to this unit for this purpose and case ------------------

# Where the law alone is the basis, no yes is asked for and none counts.
ours contains n if {
	count(tables.purposes[input.ask.purpose].consent_bases) > 0
	some n, line in input.consents
	line.recipient == input.caller.unit
	line.purpose == input.ask.purpose
	line.case == input.ask.case
}

standing contains n if {
	some n in (ours - data.broker.basis.outlived)
	line := input.consents[n]
	line.state == "granted"
	lib.on_day(line)
}

# A yes to other days of the data than those asked for opens nothing.
live := standing & data.broker.period.meeting

spoken_in contains [source, category, subject, giver, consent, version] if {
	some n in live
	line := input.consents[n]
	source := line.source
	category := line.category
	subject := line.subject
	giver := line.giver
	consent := line.consent
	version := line.version
}

# METADATA
# title: The consents that live lines belong to, each with the version that holds now
versions contains [consent, version] if some [_, _, _, _, consent, version] in spoken_in

lines contains [source, category, subject, giver] if some [source, category, subject, giver, _, _] in spoken_in

named contains [source, category, subject] if some [source, category, subject, _] in lines

named_pairs contains [source, category] if some [source, category, _, _] in lines

named_sources contains source if some [source, _, _, _] in lines

named_categories contains category if some [_, category, _, _] in lines

# Lines that no longer, or not yet, count: why, and for what. That it is paused is told of one that nothing else ends.
idle contains ["withdrawn", source, category, subject] if {
	some n in ours
	line := input.consents[n]
	line.state == "withdrawn"
	source := line.source
	category := line.category
	subject := line.subject
}

idle contains ["expired", source, category, subject] if {
	is_number(input.today)
	some n in ours
	line := input.consents[n]
	line.state in {"granted", "paused"}
	is_number(line.to)
	line.to < input.today
	source := line.source
	category := line.category
	subject := line.subject
}

idle contains ["expired", source, category, subject] if {
	some n in (ours & data.broker.basis.outlived)
	line := input.consents[n]
	line.state in {"granted", "paused"}
	source := line.source
	category := line.category
	subject := line.subject
}

idle contains ["early", source, category, subject] if {
	is_number(input.today)
	some n in ours
	line := input.consents[n]
	line.state in {"granted", "paused"}
	is_number(line.from)
	is_number(line.to)
	line.from > input.today
	line.to >= input.today
	source := line.source
	category := line.category
	subject := line.subject
}

idle contains ["paused", source, category, subject] if {
	some n in ours
	line := input.consents[n]
	line.state == "paused"
	source := line.source
	category := line.category
	subject := line.subject
}

idle contains ["beside", source, category, subject] if {
	some n in (standing - data.broker.period.meeting)
	line := input.consents[n]
	source := line.source
	category := line.category
	subject := line.subject
}

# --- whose yes it takes ------------------------------------------------------

# The subject alone: an adult, or a young person in what concerns their health.
by_one := needed & (data.broker.person.of_adult | alone)

alone contains i if {
	some i in data.broker.person.of_young
	tables.categories[input.keys[i].category].young_person == "alone"
}

# The holders of custody.
by_holders := (needed & data.broker.person.of_minor) - by_one

# Holders and young person together.
together contains i if {
	some i in (by_holders & data.broker.person.of_young)
	tables.categories[input.keys[i].category].young_person == "together"
}

# METADATA
# title: Keys that take the yes of a person between 15 and 17
by_young_person := together | (by_one & data.broker.person.of_young)

# Those the holders would speak for if the young person's own yes were not asked: also a child of unknown age. Stage 4
# holds back what this adds to the keys that holders do speak for; it tells what the asker is shown of those.
held := needed & ((data.broker.person.of_minor | data.broker.person.of_child) - data.broker.person.of_adult)

# Every holder must agree on what is sensitive or a child's; one is enough for the rest.
all_holders contains i if {
	some i in held
	tables.categories[input.keys[i].category].level >= tables.settings.custody.all_holders_from_level
}

all_holders contains i if {
	tables.settings.custody.all_holders_for_child_categories == true
	some i in held
	tables.categories[input.keys[i].category].child == true
}

# --- who has said it ---------------------------------------------------------

# METADATA
# title: Keys that someone has said yes to
spoken contains i if {
	count(named) > 0
	some i in needed
	key := input.keys[i]
	[key.source, key.category, key.subject] in named
}

# METADATA
# title: Keys that the subject, or who may speak for them in this, has said yes to
by_self contains i if {
	some i in spoken
	key := input.keys[i]
	some [handle, giver, area] in data.broker.person.voices
	handle == key.subject
	area == tables.categories[key.category].area
	[key.source, key.category, handle, giver] in lines
}

by_some_holder contains i if {
	some i in held
	key := input.keys[i]
	some [handle, holder] in data.broker.person.custody
	handle == key.subject
	[key.source, key.category, handle, holder] in lines
}

lacks_holder contains i if {
	some i in (by_some_holder & all_holders)
	key := input.keys[i]
	some [handle, holder] in data.broker.person.custody
	handle == key.subject
	not [key.source, key.category, handle, holder] in lines
}

holders_agree := by_some_holder - lacks_holder

# METADATA
# title: Keys that everyone whose yes it takes has said yes to
complete := ((by_one & by_self) | ((by_holders - together) & holders_agree)) | ((together & holders_agree) & by_self)

own_word contains i if {
	some i in spoken
	key := input.keys[i]
	handle := key.subject
	[key.source, key.category, handle, handle] in lines
}

# METADATA
# title: Keys that would be complete but for what the asker may not learn
# description: |
#   But for a young person's own yes, a guardian, an unknown age. What is complete belongs here too: where it is held
#   back, that is for some other such fact.
# scope: document
seemingly_complete := (complete | (held & holders_agree)) | ((spoken - held) & (by_self | own_word))

# METADATA
# title: The consents each complete key rests on
# scope: document
relied_on contains [i, consent, version] if {
	some i in (complete & (by_one | together))
	key := input.keys[i]
	some [handle, giver, area] in data.broker.person.voices
	handle == key.subject
	area == tables.categories[key.category].area
	some [consent, version] in versions
	[key.source, key.category, handle, giver, consent, version] in spoken_in
}

relied_on contains [i, consent, version] if {
	some i in (complete & by_holders)
	key := input.keys[i]
	some [handle, giver] in data.broker.person.custody
	handle == key.subject
	some [consent, version] in versions
	[key.source, key.category, handle, giver, consent, version] in spoken_in
}

# --- blocks ------------------------------------------------------------------

blocked contains i if {
	some i in needed
	key := input.keys[i]
	some block in input.blocks
	block.subject == key.subject
	meets(block.source, key.source)
	meets(block.category, key.category)
	meets(block.unit, input.caller.unit)
}

# A block that cannot be read blocks everything.
blocked contains i if {
	not blocks_readable
	some i in needed
}

# A block names a value, or null for any.
meets(block, _) if block == null

meets(block, value) if block == value

blocks_readable if count(readable) == count(input.blocks)

readable contains n if {
	some n, block in input.blocks
	is_string(block.subject)
	nameable(block.source)
	nameable(block.category)
	nameable(block.unit)
}

nameable(value) if value == null

nameable(value) if is_string(value)

# --- why not -----------------------------------------------------------------

incomplete := needed - complete

custody_incomplete := incomplete & (((held & by_some_holder) - holders_agree) | (together & by_self))

unsaid := incomplete - custody_incomplete

because contains [i, why] if {
	count(idle) > 0
	some i in unsaid
	key := input.keys[i]
	some why in {"withdrawn", "expired", "early", "paused", "beside"}
	[why, key.source, key.category, key.subject] in idle
}

consent_revoked contains i if some [i, "withdrawn"] in because

consent_expired contains i if some [i, "expired"] in because

consent_not_yet_valid contains i if some [i, "early"] in because

out_of_scope_period contains i if some [i, "beside"] in because

paused contains i if some [i, "paused"] in because

explained := ((consent_revoked | consent_expired) | consent_not_yet_valid) | out_of_scope_period

unexplained := (unsaid - explained) - paused

# Where a statute is the basis, its row says what to say when it does not reach.
by_consent contains i if {
	count(data.broker.statute.otherwise) == 0
	some i in (unexplained - consent_too_general)
}

# A yes that names no source or category one by one is no yes; it may stand in a record that came from elsewhere.
consent_too_general contains i if {
	some [source, category, subject] in general
	some i in unexplained
	key := input.keys[i]
	key.subject == subject
	spans(source, key.source)
	spans(category, key.category)
}

general contains [source, category, subject] if {
	some [source, category, subject, _] in lines
	source in tables.settings.consents.too_general
}

general contains [source, category, subject] if {
	some [source, category, subject, _] in lines
	category in tables.settings.consents.too_general
}

spans(word, value) if word == value

spans(word, _) if word in tables.settings.consents.too_general

# What the citizen said yes to for the same purpose, but to another unit. That the other unit has a case is not told.
elsewhere contains [source, category, subject] if {
	some line in input.consents
	line.recipient != input.caller.unit
	line.purpose == input.ask.purpose
	not line.state in {"paused", "withdrawn"}
	lib.on_day(line)
	source := line.source
	category := line.category
	subject := line.subject
}

out_of_scope_recipient contains i if {
	count(elsewhere) > 0
	some i in nowhere_named
	key := input.keys[i]
	[key.source, key.category, key.subject] in elsewhere
}

source_named contains i if {
	count(named_sources) > 0
	some i in by_consent
	input.keys[i].source in named_sources
}

category_named contains i if {
	count(named_categories) > 0
	some i in by_consent
	input.keys[i].category in named_categories
}

pair_named contains i if {
	some i in source_named
	key := input.keys[i]
	[key.source, key.category] in named_pairs
}

out_of_scope_category := source_named - pair_named

out_of_scope_source := category_named - source_named

nowhere_named := ((by_consent - source_named) - category_named) | pair_named

no_consent := ((paused - explained) | (nowhere_named - out_of_scope_recipient)) | unreached

unreached contains i if {
	"NO_CONSENT" in data.broker.statute.otherwise
	some i in unexplained
}

ssd_limit_reached contains i if {
	"SSD_LIMIT_REACHED" in data.broker.statute.otherwise
	some i in unexplained
}

emergency_not_justified contains i if {
	"EMERGENCY_NOT_JUSTIFIED" in data.broker.statute.otherwise
	some i in unexplained
}

# --- whose line would help ---------------------------------------------------

# METADATA
# title: Keys that a custody holder's further line would turn
# description: |
#   For a child's category it is always the custody holder, also where the citizen has no child, so that the answer
#   tells nothing of children. Where a statute is the basis nobody is to be asked. Neither blocks nor anything else the
#   asker may not learn counts here; what such a fact alone holds back asks as if no line were there.
wants_holder := askable & of_a_child

# METADATA
# title: Keys that the citizen's own further line would turn
wants_citizen := (askable - of_a_child) | ((askable & (together & of_citizen)) - (by_self - seemingly_complete))

askable contains i if {
	count(data.broker.statute.otherwise) == 0
	some i in needed
}

of_a_child := (of_child_category | data.broker.person.of_child) | by_holders

of_child_category contains i if {
	some i in needed
	tables.categories[input.keys[i].category].child == true
}

of_citizen contains i if {
	some i in together
	input.keys[i].subject == input.ask.citizen
}
