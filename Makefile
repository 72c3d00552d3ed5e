# Thin names for `python3 run.py`, which does the work.
.PHONY: demo test check fix

demo test check fix:
	@python3 run.py $@
