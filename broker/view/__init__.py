"""The whole-person view: plans, people, weeks, findings and gaps, made from the items an asker may see.

Rules kept here:
- Pure: items in, values out. No clock, no door, no source; nothing here reads what a `Personal` holds.
- Only items of this one answer count. What is withheld is not among them, so it can move no figure (P6).
- Findings are advice for a talk with the citizen, never decisions (GDPR art. 22; `design.md` 6, 8).
- Items are named by their place in the answer (an index), so that no id has to be opened to point at one.
"""
