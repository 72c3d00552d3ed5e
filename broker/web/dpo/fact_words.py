"""The fixed sentences of the facts for a municipality's own assessment, and what proves each safeguard."""

from __future__ import annotations

from dataclasses import dataclass

from broker.web.dpo.record_words import MEASURES
from broker.web.pages.words import marked

MISSING_WORDS = {
    "operator": marked("Who runs Borgerbro for the municipality"),
    "sub_processors": marked("Whom they let help them"),
    "duration": marked("How long their agreement lasts"),
    "arrangement": marked("What the municipalities have agreed with each other"),
    "dpo_contact": marked("How to reach the DPO"),
    "machines": marked("Where the machines stand"),
}
JUDGE_WORDS = {
    "whether": marked("If an assessment must be made"),
    "needed": marked("If each thing is needed, and no more than needed"),
    "risks": marked("What can go wrong for a citizen, and how much it weighs"),
    "enough": marked("If what is done to keep it safe is enough"),
    "advice": marked("What the DPO advises"),
    "views": marked("What the citizens think of it"),
    "joint": marked("If several municipalities answer for it together"),
}
WHO_WORDS = {
    "giver": marked("Who has the source"),
    "asker": marked("Who asks"),
    "each": marked("Each of them"),
}
TASK_WORDS = {
    "keeps": marked("Keeps the data in its own system, and hands out what the rules let go."),
    "told": marked("Has a line in its own log of each time its source was read."),
    "asks": marked("Says what it is for, and proves which system and which employee asks."),
    "consents": marked("Asks the citizen for a yes where one is needed, and keeps the answer."),
    "log": marked("Shows its own log to the citizen and to its own overseers."),
    "answers": marked("Answers the questions that citizens send to it."),
    "terms": marked("Decides how long its own log is kept."),
}
SERVICE_WORDS = {
    "citizen": marked("Citizens log in at"),
    "officer": marked("The DPO and leaders log in at"),
    "caseworker": marked("Caseworkers log in at"),
}
MATTER = marked(
    "To pass data between units of municipalities where the law or the citizen lets it, with a log of each time."
)
NATURE = marked(
    "Asks the sources, shows the answer and forgets it. Keeps the log, and the yeses and noes, under random names."
)
ADVICE = marked(
    "No machine decides about a citizen. The rules say who may see what. What the overview finds is advice."
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What holds a safeguard: its promise and place in SECURITY.md, a defence of `docs/defences.md`, and its test."""

    promise: str
    heading: str
    defence: str
    test: str

    @property
    def place(self) -> str:
        """Give where the promise stands, with its known limits below it."""
        return f"SECURITY.md#{self.heading}"


# One for each of `MEASURES`, in their order.
PROOFS = (
    Proof("P1", "p1-no-rule-no-data", "a-yes-rests-on-the-law-of-the-day",
          "tests/rules/test_law_rows.py::test_one_plan_by_its_day"),
    Proof("P2", "p2-no-log-line-no-data", "outcome-before-answer",
          "tests/laws/test_road.py::test_an_ask_has_two_entries_and_a_childs_data_has_its_own"),
    Proof("P3", "p3-withdrawal-bites-at-once-also-inside-running-asks", "withdrawal-moves-the-version",
          "tests/laws/test_withdrawal.py::test_no_release_after_a_withdrawal"),
    Proof("P4", "p4-no-copy", "answers-are-not-stored",
          "tests/unit/web/test_problems.py::test_every_answer_is_guarded_and_not_stored"),
    Proof("P5", "p5-only-what-was-permitted-is-asked-for", "permitted-keys-are-read",
          "tests/laws/test_road.py::test_only_what_was_permitted_is_asked_for"),
    Proof("P7", "p7-the-log-cannot-be-changed-unnoticed", "what-is-published-has-its-quorum",
          "tests/unit/audit/test_publication.py::test_without_its_quorum_the_last_published_one_stands"),
    Proof("P8", "p8-a-citizen-can-prove-completeness", "a-list-is-held-against-the-map",
          "tests/unit/audit/test_bundle.py::test_a_list_with_anything_left_out_is_not_whole"),
    Proof("P9", "p9-immutable-and-erasable", "reading-makes-no-key",
          "tests/unit/adapters/test_audit_reader.py::test_a_destroyed_key_leaves_an_erased_entry"),
    Proof("P11", "p11-a-caller-is-a-system-and-a-person", "caseworkers-are-named",
          "tests/unit/web/oauth/test_token_endpoint.py::test_a_system_alone_does_not_pass_for_a_caseworker"),
    Proof("P4", "p4-no-copy", "numbers-are-digested-with-pepper",
          "tests/contracts/test_handles.py::TestHandlesVault::test_nobody_without_the_pepper_makes_a_digest"),
)  # fmt: skip
SAFEGUARDS = tuple(zip(MEASURES, PROOFS, strict=True))
