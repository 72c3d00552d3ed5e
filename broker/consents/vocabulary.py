"""What our words are called in the Data Privacy Vocabulary of the W3C group (DPV 2), as IRIs. Plain values."""

from __future__ import annotations

from broker.domain.consents import GRANTED, REFUSED, WITHDRAWN

DPV = "https://w3id.org/dpv#"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"

RECEIPT = DPV + "ConsentReceipt"
NOTICE = DPV + "ConsentNotice"
CONSENT = DPV + "ExplicitlyExpressedConsent"
CONTROLLER, RECIPIENT, SOURCE = DPV + "DataController", DPV + "Recipient", DPV + "DataSource"
AUTHORITY = DPV + "DataProtectionAuthority"
PURPOSE = DPV + "PublicBenefit"
ORDINARY, SPECIAL = DPV + "PersonalData", DPV + "SpecialCategoryPersonalData"
WITHDRAW = DPV + "WithdrawConsent"
FREQUENCY = DPV + "Frequency"
DENMARK = "https://w3id.org/dpv/loc#DK"

GIVEN, NO, TAKEN_BACK = DPV + "ConsentGiven", DPV + "ConsentRefused", DPV + "ConsentWithdrawn"
LAPSED, AT_REST = DPV + "ConsentExpired", DPV + "ConsentStatusInvalidForProcessing"

# GDPR arts 7(3), 15, 16, 17, 18, 21 and 77: to withdraw, see, correct, erase, restrict, object and complain.
RIGHTS = tuple(GDPR + article for article in ("A7-3", "A15", "A16", "A17", "A18", "A21", "A77"))

_STATES = {GRANTED: GIVEN, REFUSED: NO, WITHDRAWN: TAKEN_BACK}


def state_term(state: str) -> str:
    """Name a state of a line; one that opens nothing and has no name of its own there is plainly not valid."""
    return _STATES.get(state, AT_REST)
