"""A municipality's year of accesses, honest and not: what a ranking of accesses is tried on, written apart from it."""
