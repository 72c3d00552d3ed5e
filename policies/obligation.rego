# METADATA
# scope: package
# title: What must be hidden in what goes out
# custom:
#   law: CPR-loven § 28; databeskyttelsesforordningen art. 5, stk. 1, litra c
package broker.obligation

import data.broker.person
import data.broker.statute
import data.broker.subject
import data.tables
import future.keywords.not

# METADATA
# title: Each key and a mask it carries
# description: The unit that helps the child knows the child, so its own data keep the name.
masks contains [i, "child_name"] if {
	some i, key in input.keys
	key.subject in person.children
	tables.categories[key.category].child == true
	not i in statute.own
}

masks contains [i, "address"] if some i in subject.hidden
