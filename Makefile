# Thin names for `python3 run.py`, which does the work.
.PHONY: demo test check fix docs

demo test check fix docs:
	@python3 run.py $@
