"""Read XML that a stranger sent: one strict way, before anything it says is believed.

Rules kept here:
- Bytes are bounded, UTF-8 and nothing else; elements and depth are bounded before and after parsing.
- No markup declaration of any kind stands in it (`<!`, `<?`): so no DTD, entity, comment, CDATA or instruction, and
  nothing in it can mean one thing to one reader and another to the next.
- Nothing outside is read: no network, no file, no schema that the document names.
"""

from __future__ import annotations

import re

from lxml import etree

MOST_ELEMENTS = 1_000
DEEPEST = 10
_DECLARATION = re.compile(
    rb"""\A(\xef\xbb\xbf)?(<\?xml\s+version=["']1\.0["'](\s+encoding=["'][Uu][Tt][Ff]-8["'])?(\s+standalone=["']\w+["'])?\s*\?>\s*)?"""
)
# Also for whoever reads the same bytes again, such as the signature's library.
PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    huge_tree=False,
    recover=False,
)


class BadXml(ValueError):
    """The bytes are not XML that we read; says nothing of what stood there."""


def plain_xml(content: bytes, *, most_bytes: int) -> bytes:
    """Give the document without its declaration, once it holds nothing but elements and text. Raises `BadXml`."""
    if len(content) > most_bytes:
        raise BadXml("too large")
    body = _DECLARATION.sub(b"", content, count=1)
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadXml("not UTF-8") from None
    if b"<!" in body or b"<?" in body or b"\0" in body:
        raise BadXml("a declaration, comment or instruction")
    if body.count(b"<") > 2 * MOST_ELEMENTS:
        raise BadXml("too many elements")
    return body


def read_xml(body: bytes) -> etree._Element:
    """Parse what `plain_xml` gave. Raises `BadXml`."""
    try:
        root = etree.fromstring(body, parser=PARSER)
    except (etree.XMLSyntaxError, ValueError):
        # The library's own words may quote the document.
        raise BadXml("not well-formed") from None
    depth = deepest = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    if deepest > DEEPEST:
        raise BadXml("too deep")
    return root
