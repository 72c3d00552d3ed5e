"""What is printed can be read back, by people and by screen readers, and holds nothing but the text it was given."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from broker.web.printed import (
    MOST_ROWS,
    Heading,
    NotPrinted,
    Paragraph,
    Part,
    Picture,
    Printed,
    Table,
    TooLongToPrint,
    pdf,
)

MADE = datetime(2019, 3, 4, 10, tzinfo=UTC)
DRAWN = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 20"><rect width="50" height="10"/></svg>'


def made_of(*parts: Part) -> bytes:
    """Print these parts in Danish."""
    return asyncio.run(pdf(Printed("da", "Hvem har set dine oplysninger", MADE, parts)))


def read(*parts: Part) -> PdfReader:
    """Print these parts, and open what came."""
    return PdfReader(BytesIO(made_of(*parts)))


def words(*parts: Part) -> str:
    """Print these parts, and read the text of every page back."""
    return "\n".join(page.extract_text() for page in read(*parts).pages)


def test_it_says_what_it_was_given() -> None:
    """Headings, text, tables with their captions: all of it stands in the text of the file."""
    text = words(
        Heading("Marts 2019"),
        Paragraph("Her står, hvem der har set noget."),
        Table(
            "Opslag", ("Tid", "Enhed"), [("4. marts", "Korsbæk Jobcenter"), ("5. marts", "Nørrestrand Skole")], (1, 3)
        ),
        Picture(DRAWN, "En søjle"),
    )
    for said in (
        "Hvem har set dine oplysninger",
        "Marts 2019",
        "Her står, hvem",
        "Opslag",
        "Enhed",
        "Nørrestrand Skole",
    ):
        assert said in text


def test_it_is_made_for_screen_readers() -> None:
    """The file is tagged, says its language and title, and that it keeps to PDF/UA-1 (ISO 14289-1)."""
    made = made_of(Table("Opslag", ("Tid",), [("4. marts",)]), Picture(DRAWN, "En søjle på tolv opslag"))
    file = PdfReader(BytesIO(made))
    root: Any = file.root_object
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("da", True)
    assert b"pdfuaid:part>1<" in root["/Metadata"].get_data()
    assert file.metadata is not None
    assert file.metadata.title == "Hvem har set dine oplysninger"
    assert file.metadata.creation_date == MADE
    things: list[Any] = [file.get_object(number) for number in range(1, len(file.xref[0]) + 1)]
    assert [thing["/Alt"] for thing in things if isinstance(thing, dict) and "/Alt" in thing] == [
        "En søjle på tolv opslag"
    ]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_text_is_printed(text: str) -> None:
    """Whatever signs a name holds, the page is printed: what the font cannot show stands as a question mark."""
    assert read(Paragraph(text), Table(text, (text,), [(text,)])).pages


def test_a_sign_that_cannot_be_shown_is_seen_to_be_missing() -> None:
    """A lost sign leaves its mark, a sign that only turns the direction of text leaves none, a line end is a space."""
    assert "Han ? er\nher" not in (text := words(Paragraph("Han 漢 er\u202e\nher")))
    assert "Han ? er her" in text


def test_too_many_rows_are_refused() -> None:
    """More rows than a reader wants, and than a node should set, are not printed."""
    with pytest.raises(TooLongToPrint):
        read(*[Table("Opslag", ("Tid",), [("4. marts",)] * (MOST_ROWS // 2 + 1))] * 2)


def test_a_fault_quotes_nothing() -> None:
    """What could not be printed stands neither in the error nor in what led to it."""
    with pytest.raises(NotPrinted) as fault:
        read(Picture("<svg 1512801234", "En søjle"))
    assert (str(fault.value), fault.value.__cause__, fault.value.__suppress_context__) == ("", None, True)


@pytest.mark.parametrize(
    "text",
    ['#read("printed.typ")', "#{1 + 1}", "*fed* _skrå_ `kode` $x^2$", '#import "@preview/a:1.0.0": *', "<mærke>"],
)
def test_text_is_never_markup(text: str) -> None:
    """Text that is markup to typst stands on the page as it was given, in every place that text can stand."""
    printed = words(Heading(text), Paragraph(text), Table(text, (text,), [(text,)]))
    assert printed.replace("\n", "").replace(" ", "").count(text.replace(" ", "")) == 5
