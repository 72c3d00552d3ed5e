# METADATA
# scope: package
# title: What an OPA server decides in the golden vectors
# description: |
#   The bundle carries questions with the decisions that OPA gave when they were made. The broker asks for those of the
#   cases it names and holds them against what it has: a server that decides otherwise is not used.
package broker.vectors

# METADATA
# title: The decisions of the cases named, in their order
answers := [decision |
	some i in input.cases

	# regal ignore:comprehension-term-assignment
	decision := data.broker.share.decision with input as data.vectors.cases[i] with data.tables as data.vectors.tables
]
