"""The words of breach files on pages: states, kinds of notes, risks, and what is wrong with a field."""

from __future__ import annotations

from broker.domain.breaches import (
    ASSESSED,
    CLOSED,
    EFFECTS,
    FACTS,
    FOUND,
    HIGH,
    MEASURES,
    NO_RISK,
    NOT_NOTIFIED,
    NOT_TOLD,
    NOTIFIED,
    OPEN,
    REOPENED,
    RISK,
    TOLD,
)
from broker.web.pages.words import marked

STATE_WORDS = {
    OPEN: marked("Not assessed yet"),
    ASSESSED: marked("Assessed"),
    NOTIFIED: marked("Datatilsynet was told"),
    NOT_NOTIFIED: marked("Datatilsynet is not to be told"),
    CLOSED: marked("Closed"),
}
BADGES = {OPEN: "warning", ASSESSED: "warning", NOTIFIED: "info", NOT_NOTIFIED: "info", CLOSED: "success"}
NOTE_WORDS = {
    FACTS: marked("What happened"),
    EFFECTS: marked("What it may mean for the citizens"),
    MEASURES: marked("What was done about it"),
    ASSESSED: marked("The risk was assessed"),
    NOTIFIED: marked("Datatilsynet was told"),
    NOT_NOTIFIED: marked("Why Datatilsynet is not told"),
    TOLD: marked("The citizens were told"),
    NOT_TOLD: marked("Why the citizens are not told"),
    FOUND: marked("Counted on the log"),
    CLOSED: marked("Closed"),
    REOPENED: marked("Opened again"),
}
RISK_WORDS = {
    NO_RISK: marked("No risk is likely"),
    RISK: marked("A risk"),
    HIGH: marked("A high risk"),
}
SENT_BEFORE = marked("This was sent before, with other words. Look for the file above, or send it again as a new one.")
FAULTS: dict[tuple[str, str], str] = {
    ("/text", "a_number"): marked("There is a number in the text that looks like a CPR number. Take it out."),
    ("/known_at", "still_to_come"): marked("That moment is still to come."),
    ("/known_at", "too_early"): marked("That day is too long ago."),
    ("/since", "too_early"): marked("That day is too long ago."),
    ("/until", "still_to_come"): marked("The end is still to come. Leave it empty to count until now."),
    ("/until", "before_the_beginning"): marked("The end lies before the beginning."),
    ("/employee", "no_such_line"): marked("There is no such line in the log."),
    ("/employee", "no_employee"): marked("No employee looked at anybody in that line."),
}
FIELD_FAULTS = {
    "/nature": marked("Choose what happened to the information."),
    "/advice": marked("Choose what the citizens should do."),
    "/count": marked("Choose a count."),
    "/numbers": marked("Write CPR numbers, one a line. At most 2,000."),
    "/text": marked("Write what happened or was done. At most 4,000 signs."),
    "/once": marked("Send it once more."),
    "/kind": marked("Choose what you write."),
    "/risk": marked("Choose how great the risk is."),
    "/reference": marked("Write Datatilsynet's number of the case, such as 2026-33-0123."),
    "/known_at": marked("Write the day as year-month-day and the time as hour:minute."),
    "/since": marked("Write the day as year-month-day and the time as hour:minute."),
    "/until": marked("Write the day as year-month-day and the time as hour:minute."),
    "/employee": marked("Write a line of the log as year/number, such as 2026/17."),
}
WHY_NOT = {
    "same_person": marked("You prepared these letters yourself. Somebody else must let them go."),
    "ended_before": marked("These letters wait no more: they were let go, taken back, or waited too long."),
    "closed": marked("The file is closed. Open it again first."),
    "not_closed": marked("The file is open already."),
    "not_assessed": marked("Assess the risk first."),
    "must_be_notified": marked("There is a risk, so Datatilsynet must be told."),
    "not_whole": marked("Something is still missing in the file. See the list above."),
    "count_runs": marked("Somebody reads this log in the same way just now. Try again in a moment."),
    "written_meanwhile": marked("Somebody else wrote in the file just now. Look, and try again."),
}
