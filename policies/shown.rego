# METADATA
# scope: package
# title: What the asker is shown of a key that is held back
# description: |
#   Reasons that the asker may see are shown, and nothing of those that only the log may hold beside them. Where only
#   such reasons hold a key back, the asker is shown what stage 5 would say of it were the hidden fact not there: two
#   worlds that differ in that fact alone look alike (P6). Where nothing else stands against it, that is no consent.
#   Only stages 4 and 5 have such reasons: a rule that gave one earlier would show nothing, and so void the answer.
# custom:
#   owner: data-protection
package broker.shown

import data.broker.lib
import data.tables

# METADATA
# title: The codes that the asker may see
visible contains code if {
	some code, row in tables.reasons
	row.caller == true
}

# METADATA
# title: Keys of which stage 4 tells the asker a reason
told_of_person contains i if {
	some code, stopped in data.broker.subject.codes
	code in visible
	some i in stopped
}

# METADATA
# title: Keys of which stage 5 tells the asker a reason
told_of_consent contains i if {
	some code, stopped in data.broker.consent.codes
	code in visible
	some i in stopped
}

# METADATA
# title: What is shown of each key that only a reason of the log holds back
# scope: document
instead contains [i, code] if {
	some code, stopped in data.broker.consent.codes
	code in visible
	some i in (stopped - data.broker.consent.seemingly_complete)
}

instead contains [i, "NO_CONSENT"] if some i in ((lib.asked - told_of_consent) | data.broker.consent.seemingly_complete)

# METADATA
# title: The codes that stand in for others
stand_ins contains code if some [_, code] in instead
