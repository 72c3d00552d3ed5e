# METADATA
# scope: package
# title: What must be hidden in what goes out
# custom:
#   law: CPR-loven § 28; databeskyttelsesforordningen art. 5, stk. 1, litra c
package broker.obligation

import data.tables
import future.keywords.not

# METADATA
# title: Keys whose items do not name the child
# description: The unit that helps the child knows the child, so its own data keep the name.
child_name contains i if {
	some i in data.broker.person.of_child
	tables.categories[input.keys[i].category].child == true
	not i in data.broker.statute.own
}

# METADATA
# title: Keys whose items tell no place
address := data.broker.subject.hidden - data.broker.emergency.placed
