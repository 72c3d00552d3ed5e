# METADATA
# scope: package
# title: Small rules that several packages share
# description: |
#   Days are YYYYMMDD numbers in Danish time and both ends of a window are inside it.
#   Nothing here reads a clock.
package broker.lib

# METADATA
# title: The keys asked, by their place in the question
# scope: document
asked contains i if some i, _ in input.keys

# METADATA
# title: The units that hold the window open today
# description: Both ends must be numbers, for null sorts below every number.
on_day(window) if {
	is_number(window.from)
	is_number(window.to)
	is_number(input.today)
	window.from <= input.today
	input.today <= window.to
}

# METADATA
# title: A KLE limit covers a KLE number
# description: "`27.18.*` covers 27.18 and all below it; a limit without a star covers itself only."
# scope: document
covers(limit, kle) if trim_suffix(limit, ".*") == kle

covers(limit, kle) if {
	is_string(kle)
	endswith(limit, ".*")
	startswith(kle, trim_suffix(limit, "*"))
}
