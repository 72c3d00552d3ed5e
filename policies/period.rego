# METADATA
# scope: package
# title: Which days of the data a yes names, and an ask wants
# description: |
#   A line may name a period of the data, both ends inside it, and so may an ask; who names none means every day. A line
#   whose period has no day in common with the ask's opens nothing. Where they meet, the answer says which days were
#   said yes to, and the broker drops what does not touch them.
# custom:
#   law: RSL § 11 a, stk. 1; databeskyttelsesforordningen art. 5, stk. 1, litra c
package broker.period

import data.tables
import future.keywords.not

# METADATA
# title: Lines that have a day in common with what is asked for
meeting contains n if {
	is_number(input.ask.data_from)
	is_number(input.ask.data_to)
	some n, line in input.consents
	is_number(line.data_from)
	is_number(line.data_to)
	first := max([line.data_from, input.ask.data_from])
	is_number(first)
	last := min([line.data_to, input.ask.data_to])
	is_number(last)
	first <= last
}

# Lines that do not reach over every day.
named contains n if {
	some n in meeting
	line := input.consents[n]
	is_number(line.data_from)
	line.data_from > 0
}

named contains n if {
	some n in meeting
	line := input.consents[n]
	is_number(line.data_to)
	line.data_to < 99991231
}

limited contains [source, category, subject, giver, from, to] if {
	some n in (data.broker.consent.live & named)
	line := input.consents[n]
	source := line.source
	category := line.category
	subject := line.subject
	giver := line.giver
	from := line.data_from
	to := line.data_to
}

unlimited contains [source, category, subject, giver] if {
	some n in (data.broker.consent.live - named)
	line := input.consents[n]
	source := line.source
	category := line.category
	subject := line.subject
	giver := line.giver
}

# Whose word each complete key rests on. Of those who share a voice, one word is enough.
heard contains [i, "own", giver] if {
	some i in (data.broker.consent.complete & (data.broker.consent.by_one | data.broker.consent.together))
	key := input.keys[i]
	some [handle, giver, area] in data.broker.person.voices
	handle == key.subject
	area == tables.categories[key.category].area
}

heard contains [i, voice, giver] if {
	some i in ((data.broker.consent.complete & data.broker.consent.by_holders) & data.broker.consent.all_holders)
	key := input.keys[i]
	some [handle, giver] in data.broker.person.custody
	handle == key.subject
	voice := concat(" ", ["holder", giver])
}

heard contains [i, "holders", giver] if {
	some i in ((data.broker.consent.complete & data.broker.consent.by_holders) - data.broker.consent.all_holders)
	key := input.keys[i]
	some [handle, giver] in data.broker.person.custody
	handle == key.subject
}

unbounded contains [i, voice] if {
	some [i, voice, giver] in heard
	key := input.keys[i]
	[key.source, key.category, key.subject, giver] in unlimited
}

# METADATA
# title: Each complete key with the periods of the data said yes to, by the voice they come from
# description: What goes out must touch one period of every voice. A voice that named none once sets no bound.
# scope: document
bounds contains [i, voice, from, to] if {
	count(limited) > 0
	some [i, voice, giver] in heard
	not [i, voice] in unbounded
	key := input.keys[i]
	some [source, category, subject, said_by, from, to] in limited
	source == key.source
	category == key.category
	subject == key.subject
	said_by == giver
}

# METADATA
# title: Each key and voice that has a bound
voices_bounded contains [i, voice] if some [i, voice, _, _] in bounds
