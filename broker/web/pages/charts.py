"""Pictures of counts, drawn by the server: columns, bars, a punch card, and boxes that fill. Pure; it knows no names.

Rules kept here:
- Whatever is told is told by length or size, never by colour alone; each picture stands beside the table it is made of.
- Widths fit a telephone: the picture is 300 units wide, and the page makes it larger where there is room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, FOOT, HEAD = 300, 18, 16
TALL, BAR, ROW = 110, 12, 32
# So that the longest label of a bar ends inside the picture.
LETTERS = 46
MOST_BARS = 15
DAY_LABELS, CARD = 34, 11
BOX, BOX_GAP = 20, 2


@dataclass(frozen=True, slots=True)
class Mark:
    """One rectangle; `share` is how much of it is filled."""

    x: float
    y: float
    width: float
    height: float
    share: float = 1.0
    light: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """A word of the picture, where it begins, and which end of it stands there."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture: how high it is, its rectangles and words, and the lines that are laid across it."""

    height: float
    marks: tuple[Mark, ...]
    words: tuple[Words, ...]
    lines: tuple[float, ...] = ()
    width: int = WIDTH


def columns(counts: Sequence[tuple[str, int, bool]]) -> Chart:
    """Draw (label, count, light) side by side; the highest count, each fifth label and the last are written."""
    most, wide = max((count for _, count, _ in counts), default=0) or 1, WIDTH / max(len(counts), 1)
    marks, words = list[Mark](), [Words(0, 11, str(most))]
    for place, (label, count, light) in enumerate(counts):
        tall = round(TALL * count / most, 1)
        marks.append(Mark(round(place * wide + 1, 1), HEAD + TALL - tall, round(wide - 2, 1), tall, light=light))
        if place % 5 == 0 and place < len(counts) - 3:
            words.append(Words(round((place + 0.5) * wide, 1), HEAD + TALL + 13, label, "middle" if place else "start"))
    words += [Words(WIDTH, HEAD + TALL + 13, label, "end") for label, _, _ in counts[-1:]]
    return Chart(HEAD + TALL + FOOT, tuple(marks), tuple(words), (HEAD, HEAD + TALL))


def bars(counts: Sequence[tuple[str, int]]) -> Chart:
    """Draw (label, count) as bars under one another, the label above its bar and the count behind it."""
    shown = counts[:MOST_BARS]
    most = max((count for _, count in shown), default=0) or 1
    marks, words = list[Mark](), list[Words]()
    for place, (label, count) in enumerate(shown):
        top, long = place * ROW, round((WIDTH - 60) * count / most, 1)
        words.append(Words(0, top + 12, _short(label)))
        words.append(Words(long + 5, top + 27, str(count)))
        marks.append(Mark(0, top + 17, max(long, 1), BAR))
    return Chart(max(len(shown), 1) * ROW, tuple(marks), tuple(words))


def punch_card(days: Sequence[str], counts: Mapping[tuple[int, int], int]) -> Chart:
    """Draw counts by (row from 1, hour) as squares, the larger the more; every sixth hour is written."""
    most = max(counts.values(), default=0) or 1
    words = [Words(DAY_LABELS + (hour + 0.5) * CARD, 11, str(hour), "middle") for hour in range(0, 24, 6)]
    words += [Words(0, HEAD + place * CARD * 1.5 + 12, day) for place, day in enumerate(days)]
    marks = []
    for (row, hour), count in sorted(counts.items()):
        # The area tells, not the side; what happened at all can be seen.
        side = round(max(1.5, (CARD - 1) * (count / most) ** 0.5), 1)
        middle = (DAY_LABELS + (hour + 0.5) * CARD, HEAD + (row - 1) * CARD * 1.5 + CARD * 0.75)
        marks.append(Mark(round(middle[0] - side / 2, 1), round(middle[1] - side / 2, 1), side, side))
    return Chart(HEAD + len(days) * CARD * 1.5 + 4, tuple(marks), tuple(words))


def boxes(months: Sequence[str], rows: Sequence[tuple[str, Mapping[str, float]]]) -> Chart:
    """Draw one row a name with a box a month, filled as far as its share (0 to 1); no box where there is no share."""
    words = [Words(place * (BOX + BOX_GAP), 11, month[-2:]) for place, month in enumerate(months)]
    marks = []
    for row, (name, shares) in enumerate(rows):
        top = HEAD + row * ROW
        words.append(Words(0, top + 12, _short(name)))
        for place, month in enumerate(months):
            if month in shares:
                marks.append(Mark(place * (BOX + BOX_GAP) + 0.5, top + 16, BOX, BAR, share=round(shares[month], 3)))
    return Chart(HEAD + len(rows) * ROW, tuple(marks), tuple(words))


def _short(label: str) -> str:
    return label if len(label) <= LETTERS else label[: LETTERS - 1].rstrip() + "…"
