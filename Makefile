# Thin names for `python3 run.py`, which does the work.
.PHONY: demo test check fix bench shape defences soak docs

demo test check fix bench shape defences soak docs:
	@python3 run.py $@
