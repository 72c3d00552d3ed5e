"""What `run.py` stands on: set-up, optional real parts, checks. Standard library only."""
