"""XML: an element a row, its columns the text of child elements (`NAME`) and attributes of its own (`@NAME`).

A document declares no types and no entities: one that does is refused before the parser sees it, and the parser
fetches and expands nothing. Elements are forgotten once they are read, so that a document of any length takes the
memory of one row.

>>> from io import BytesIO
>>> written = '<?xml version="1.0" encoding="GBK"?><D><R no="1"><NAME>示例</NAME></R></D>'.encode("gb18030")
>>> [line.values for line in rows(BytesIO(written), Xml(row="R"), ("NAME", "@no"), "gb18030", Limits())]
[['示例', '1']]
"""

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any, BinaryIO, Final

from lxml import etree

from connectors.reading import Encoding, Limits, Xml
from connectors.sources.files.decoding import Utf8, refuse_mislabelled
from connectors.sources.files.lines import Line, Value
from connectors.sources.files.reject import Reject

# An element of lxml, which brings no annotations.
Element = Any

_PROLOG: Final = re.compile(r"\s*(?:<\?xml\s.*?\?>)?(?:\s|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
_DECLARED: Final = re.compile(r"""<\?xml\s[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_READ_BY: Final[dict[Encoding, set[str]]] = {
    "gb18030": {"gb18030", "gbk", "gb2312", "cp936"},
    "utf-8": {"utf-8", "utf8", "us-ascii"},
}


def rows(file: BinaryIO, form: Xml, wanted: Sequence[str], encoding: Encoding, limits: Limits) -> Iterator[Line]:
    """Every row, with the columns that are wanted, numbered by its place among the rows."""
    refuse_mislabelled(file, encoding)
    document = each(file, form.row, encoding, limits.depth, limits.columns)
    for number, element in enumerate(document, 1):
        yield Line(number, _values(element, form, wanted, number))


def each(file: IO[bytes], name: str, encoding: Encoding, deepest: int, most_inside: int) -> Iterator[Element]:
    """Every element of this name as it stands there whole; it is forgotten after its turn."""
    inside: Element = None
    depth = within = 0
    for event, element in _events(_Document(file, encoding)):
        if event == "start":
            depth, within = depth + 1, within + 1
            inside, within = (element, 0) if inside is None and local(element) == name else (inside, within)
            if depth > deepest:
                raise Reject("xml_too_deep", limit=deepest)
            if inside is not None and within > most_inside:
                raise Reject("columns_too_many", limit=most_inside)
            continue
        depth -= 1
        if element is inside:
            yield element
            inside = None
        if inside is None:
            _forget(element)


def local(element: Element) -> str:
    """Its name without a namespace."""
    return str(element.tag).rpartition("}")[2]


def _events(document: "_Document") -> Iterator[tuple[str, Element]]:
    parsing = etree.iterparse(
        document,
        events=("start", "end"),
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from parsing
    except etree.XMLSyntaxError as exc:
        raise Reject("xml_malformed", exc.position[0] or None) from None


def _forget(element: Element) -> None:
    element.clear(keep_tail=False)
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _values(row: Element, form: Xml, wanted: Sequence[str], number: int) -> list[Value]:
    found: dict[str, Value] = {f"@{name.rpartition('}')[2]}": value for name, value in row.attrib.items()}
    for child in row:
        name = local(child)
        if name in found and name in wanted:
            raise Reject("column_twice", number, column=name)
        if name == form.row or (len(child) and name in wanted):
            raise Reject("xml_nested", number, column=name)
        found[name] = child.text or ""
    for column in wanted:
        if column not in found and column not in form.optional:
            raise Reject("column_missing", number, column=column)
    return [found.get(column) for column in wanted]


class _Document:
    """The document as the parser reads it: in UTF-8, and only if it begins as one should."""

    def __init__(self, file: IO[bytes], encoding: Encoding) -> None:
        self._text, self._encoding = Utf8(file, encoding), encoding
        self._first = True

    def read(self, size: int) -> bytes:
        text = self._text.text(size)
        if self._first:
            self._first = False
            self._refuse_beginning(text)
        return text.encode()

    def _refuse_beginning(self, text: str) -> None:
        declared = _DECLARED.match(text)
        if declared and declared[1].lower() not in _READ_BY[self._encoding]:
            raise Reject("encoding_differs", encoding=self._encoding)
        prolog = _PROLOG.match(text)
        rest = text[prolog.end() if prolog else 0 :]
        if rest.startswith("<!DOCTYPE"):
            raise Reject("xml_doctype")
        if not re.match(r"<[^!?]", rest):
            # No document, or one whose comments would hide from us what follows them.
            raise Reject("xml_malformed", 1)
