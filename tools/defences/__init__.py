"""Defences as evidence: each is switched off in a copy of the tree, and the tests named beside it must then fail."""
