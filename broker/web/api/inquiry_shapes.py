"""The forms of answers about citizens' questions, and of all that is held about one (`shapes.py` has all others)."""

from __future__ import annotations

from collections.abc import Mapping

from broker.domain.inquiries import AIMS, ANSWERED, PASSED_ON, READ, SENT
from broker.web.api.shapes import (
    COUNT,
    DAY,
    MOMENT,
    MY_CONSENT,
    MY_ENTRY,
    MY_REQUEST,
    NEXT,
    RECEIPT,
    SHAPES,
    TEXT,
    YES_NO,
    Schema,
    form,
    many,
    maybe,
    one_of,
)
from broker.web.export_wire import FORMAT
from broker.web.recipient_wire import FORMAT as RECIPIENTS_FORMAT

PLAIN: Mapping[str, Schema] = {
    "id": TEXT,
    "municipality": TEXT,
    "log": TEXT,
    "index": COUNT,
    "aim": one_of(*AIMS),
    "state": one_of(SENT, READ, PASSED_ON, ANSWERED),
    "sent_at": MOMENT,
    "read_at": maybe(MOMENT),
    "passed_on_at": maybe(MOMENT),
    "told": many(TEXT),
    "answered_at": maybe(MOMENT),
    "answer_by": DAY,
    "days_left": {"type": "integer"},
}
WITH_WORDS = form({**PLAIN, "text": TEXT, "answer": maybe(TEXT)})
GOT: Mapping[str, Schema] = {
    "unit": TEXT, "source": TEXT, "category": TEXT, "first": MOMENT, "last": MOMENT, "times": COUNT,
}  # fmt: skip
RECIPIENTS = form(
    {"format": one_of(RECIPIENTS_FORMAT), "whole": YES_NO, "recipients": many(form({"municipality": TEXT, **GOT}))}
)
EXPORT: Mapping[str, Schema] = {
    "format": one_of(FORMAT),
    "made_at": MOMENT,
    "whole": YES_NO,
    "consents": many(MY_CONSENT),
    "requests": many(MY_REQUEST),
    "blocks": SHAPES["MyBlocks"]["properties"]["blocks"],
    "entries": many(MY_ENTRY),
    "recipients": many(form(GOT)),
    "inquiries": many(WITH_WORDS),
}
INQUIRY_SHAPES: Mapping[str, Schema] = {
    "Inquiry": form(PLAIN),
    "Inquiries": form({"inquiries": many(form(PLAIN)), **NEXT}),
    "InquiryRead": form(
        {**PLAIN, "text": TEXT, "answer": maybe(TEXT), "concerned": many(form({"id": TEXT, "got": many(form(GOT))}))}
    ),
    "MyInquiries": form({"inquiries": many(WITH_WORDS)}),
    "MyExport": form(EXPORT),
    "Recipients": RECIPIENTS,
    "InquiryPassedOn": form({"inquiry": TEXT, "receipt": RECEIPT}),
    "InquiryAnswered": form({"inquiry": TEXT, "receipt": RECEIPT}),
}
