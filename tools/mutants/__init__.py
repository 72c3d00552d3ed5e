"""Damage the rules one line at a time and see that the tests notice: `python3 run.py mutants`."""
