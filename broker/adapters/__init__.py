"""The real thing behind each door: `<door>_<technology>.py`, one door and one technology each."""
