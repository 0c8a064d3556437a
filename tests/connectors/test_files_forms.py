"""What a plain writer writes is read back, in every form; anything else is refused with a code, and never an error."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from connectors.reading import Delimited, Encoding, Limits, Xlsx, Xml
from connectors.sources.files import delimited, markup, spreadsheet
from connectors.sources.files.decoding import looks_like_utf8
from connectors.sources.files.lines import Line, within
from connectors.sources.files.reject import Code, Reject
from process.messages import catalogue
from tests.connectors import drops
from tests.connectors.drops import COLUMNS, saved, xlsx
from tests.connectors.worlds import CODES, branch

TEXT = Delimited(separator="|", columns=COLUMNS)
MARKUP = Xml(row="ROW", optional=COLUMNS)
SHEET = Xlsx()
LIMITS = Limits()
ONE = ("ID", "NAME")

# Characters of every length in both encodings, and those that trouble readers: `亅` ends in the byte of `|`.
RARE = "䶮𠮷㐀㑇𫚭€·（）＊\"'亅皘\u3000\ufeff\u2028\x85\ue5e5\u00a0é1x -"
texts = st.text(
    st.one_of(st.sampled_from(RARE), st.characters(exclude_characters="|\r\n\0", exclude_categories=["Cs"]))
)


def read_text(
    data: bytes, form: Delimited = TEXT, encoding: Encoding = "gb18030", limits: Limits = LIMITS, wanted: Any = COLUMNS
) -> list[Line]:
    return list(within(delimited.rows(BytesIO(data), form, wanted, encoding, limits), wanted, limits))


def read_xml(
    data: bytes,
    wanted: Sequence[str] = COLUMNS,
    form: Xml = MARKUP,
    encoding: Encoding = "gb18030",
    limits: Limits = LIMITS,
) -> list[Line]:
    return list(within(markup.rows(BytesIO(data), form, wanted, encoding, limits), wanted, limits))


def read_sheet(data: bytes, wanted: Sequence[str] = COLUMNS, form: Xlsx = SHEET, limits: Limits = LIMITS) -> list[Line]:
    return list(within(spreadsheet.rows(BytesIO(data), form, wanted, limits), wanted, limits))


def refused(reading: Any, *given: Any, **more: Any) -> tuple[str, int | None]:
    """Code and line of what the reading is refused for; its text can be said."""
    with pytest.raises(Reject) as caught:
        reading(*given, **more)
    assert caught.value.text("FR.txt").startswith("FR.txt")
    return caught.value.code, caught.value.line


def test_every_code_has_its_text() -> None:
    said = {code.removeprefix("connectors.file_") for code in catalogue("connectors") if ".file_" in code}

    assert said == set(get_args(Code))


# -- delimited


@given(st.lists(st.lists(texts, min_size=6, max_size=6), max_size=6), st.sampled_from(["gb18030", "utf-8"]))
def test_delimited_text_is_read_back_exactly(rows: list[list[str]], encoding: Encoding) -> None:
    assume(not any(row[0].startswith("\ufeff") for row in rows))
    written = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    data = drops.delimited(written, encoding)
    assume(encoding == "utf-8" or not looks_like_utf8(BytesIO(data)))

    assert [list(line.values) for line in read_text(data, encoding=encoding)] == rows


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("cut", [True, False])
def test_lines_end_either_way_and_the_last_need_not(end: str, cut: bool) -> None:
    data = drops.delimited([branch("r1", None), branch("r2", None)], end=end)

    assert [line.number for line in read_text(data.removesuffix(end.encode()) if cut else data)] == [1, 2]


def test_a_header_names_the_columns_in_whatever_order() -> None:
    data = "NAME|X| ID\r\n示例|-|r1\r\n".encode("gb18030")

    assert read_text(data, Delimited(separator="|", header=True), wanted=ONE) == [Line(2, ["r1", "示例"])]


def test_a_quotation_mark_is_text_and_swallows_nothing() -> None:
    rows = [branch("r1", None, '"示例'), branch("r2", None, "示例"), branch("r3", None, '示"例"')]

    assert [line.values[2] for line in read_text(drops.delimited(rows))] == ['"示例', "示例", '示"例"']


def test_a_separator_is_no_byte_of_a_character() -> None:
    data = drops.delimited([branch("r1", None, "亅")])

    assert b"|" in "亅".encode("gb18030")
    assert [line.values[2] for line in read_text(data)] == ["亅"]


ROW = "r1||示例|1||0\r\n".encode("gb18030")


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (ROW + b"r2||a|1||0|\r\n", "field_count", 2),
        (ROW + b"\r\n", "field_count", 2),
        (ROW + b"r2||a\nb|1||0\r\n", "line_ends", 2),
        (ROW + b"r2||a\rb|1||0\r\n", "line_ends", 2),
        (ROW + b"r2||a|1||0\n" + ROW, "line_ends", 2),
        (ROW + b"r2||a\0b|1||0\r\n", "nul", 2),
        (ROW + "\ufeff".encode("gb18030") + ROW, "bom_inside", 2),
        (ROW + b"r2||\x81\r\n", "not_decodable", 2),
        (ROW + b"r2||\x81|1||0\r\n", "field_count", 2),
        (ROW + b"r2||\xff\xff|1||0\r\n", "not_decodable", 2),
        (ROW + b"r2||\xfe\x39\xfe\x39|1||0\r\n", "not_decodable", 2),
        (b"\xff\xfer\x001\x00|\x00", "not_decodable", 1),
        ("\ufeffr1||示例|1||0\r\n".encode(), "encoding_differs", None),
        ("r1||示例有限公司示例有限公司|1||0\r\n".encode(), "encoding_differs", None),
        (b"r1||" + b"x" * 70_000 + b"|1||0\r\n", "field_too_long", 1),
        (ROW + b"x" * (2 << 20), "line_too_long", 2),
    ],
)
def test_delimited_text_that_could_mean_two_things_is_refused(data: bytes, code: str, line: int | None) -> None:
    assert refused(read_text, data) == (code, line)


def test_text_of_gb18030_is_not_read_as_utf8() -> None:
    assert refused(read_text, ROW, encoding="utf-8") == ("not_decodable", 1)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_byte_order_mark_at_the_beginning_is_no_part_of_the_first_value(encoding: Encoding) -> None:
    data = ("\ufeff" + ROW.decode("gb18030")).encode(encoding)

    assert [line.values[0] for line in read_text(data, encoding=encoding)] == ["r1"]


def test_what_a_department_wrote_for_a_character_it_lacked_is_left_to_the_mapper() -> None:
    data = b"r1||\xa3\xa0\x84\x31\xa4\x39\xaa\xa1|1||0\r\n"

    assert [line.values[2] for line in read_text(data)] == ["\ue5e5\uffff\ue000"]


def test_one_gigantic_line_is_refused_in_little_memory() -> None:
    data = b"x" * (32 << 20)
    tracemalloc.start()
    said = refused(read_text, data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert said == ("line_too_long", 1)
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(rows=1), "rows_too_many"),
        (Limits(columns=3), "columns_too_many"),
        (Limits(line_bytes=9), "line_too_long"),
    ],
)
def test_a_limit_is_a_limit(limits: Limits, code: str) -> None:
    assert refused(read_text, ROW * 2, limits=limits)[0] == code


@pytest.mark.parametrize(
    ("header", "code"), [("ID|NAMES", "column_missing"), ("ID|NAME|ID", "column_twice"), ("", "column_missing")]
)
def test_a_header_without_the_mapped_columns_is_refused(header: str, code: str) -> None:
    data = f"{header}\r\n".encode()

    assert refused(read_text, data, Delimited(separator="|", header=True), wanted=ONE) == (code, 1)


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_lines_or_a_reject(data: bytes) -> None:
    for read in (read_text, read_xml, read_sheet):
        with suppress(Reject):
            read(data)


# -- XML

marked = st.text(
    st.one_of(
        st.sampled_from(RARE + "<&>|]"),
        st.characters(exclude_characters="\r\ufffe\uffff", exclude_categories=["Cs", "Cc"]),
    )
)


@given(st.lists(st.lists(marked, min_size=6, max_size=6), max_size=5), st.sampled_from(["gb18030", "utf-8"]))
def test_xml_is_read_back_exactly(rows: list[list[str]], encoding: Encoding) -> None:
    written = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    data = drops.xml(written, encoding)
    assume(encoding == "utf-8" or not looks_like_utf8(BytesIO(data)))

    assert [[value or "" for value in line.values] for line in read_xml(data, encoding=encoding)] == rows


def test_columns_are_child_elements_and_attributes() -> None:
    name = b'<NAME lang="zh">a<!-- b -->c<![CDATA[<d>]]></NAME>'
    data = b'<D xmlns="urn:x"><h><y>1</y></h><ROW no="7" x="8">' + name + b"<E/></ROW></D>"

    assert [line.values for line in read_xml(data, ("@no", "NAME", "E"))] == [["7", "ac<d>", ""]]


BOMB = """<!DOCTYPE D [<!ENTITY a "aaaaaaaaaa">""" + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (f"{BOMB}]><D><ROW><ID>&j;</ID></ROW></D>", "xml_doctype"),
        ('<!DOCTYPE D [<!ENTITY x SYSTEM "file:///etc/passwd">]><D><ROW><ID>&x;</ID></ROW></D>', "xml_doctype"),
        ('<?xml version="1.0"?>\n<!-- a --><?b c?><!DOCTYPE D SYSTEM "http://127.0.0.1:1/d.dtd"><D/>', "xml_doctype"),
        ("<!-- " + "x" * 100_000 + " --><!DOCTYPE D []><D/>", "xml_malformed"),
        ("<D><ROW><ID>&x;</ID></ROW></D>", "xml_malformed"),
        ("<D><ROW><ID>\x01</ID></ROW></D>", "xml_malformed"),
        ("<D><ROW><ID>1</ID></ROW>", "xml_malformed"),
        ("<D/><D/>", "xml_malformed"),
        ("", "xml_malformed"),
        ("示例", "xml_malformed"),
        ("<a>" * 300_000 + "</a>" * 300_000, "xml_too_deep"),
        ("<D>" + "<ROW>" * 20 + "</ROW>" * 20 + "</D>", "xml_too_deep"),
        ("<D><ROW><ID>1</ID><ID>2</ID></ROW></D>", "column_twice"),
        ("<D><ROW><ID>1<x/></ID></ROW></D>", "xml_nested"),
        ("<D><ROW><ROW><ID>1</ID></ROW></ROW></D>", "xml_nested"),
        ("<D><ROW>" + "<x/>" * 500 + "</ROW></D>", "columns_too_many"),
        (f"<D><ROW><ID>{'x' * 70_000}</ID></ROW></D>", "field_too_long"),
        ('<?xml version="1.0" encoding="UTF-8"?><D/>', "encoding_differs"),
    ],
)
def test_xml_that_is_more_than_rows_is_refused(data: str, code: str) -> None:
    assert refused(read_xml, data.encode("gb18030"))[0] == code


def test_a_document_cannot_choose_the_encoding_it_is_read_in() -> None:
    data = '<?xml version="1.0" encoding="UTF-16"?><D/>'

    assert refused(read_xml, data.encode("utf-16"))[0] in {"not_decodable", "xml_malformed"}
    assert refused(read_xml, data.encode())[0] == "encoding_differs"


def test_a_column_that_is_missing_is_refused_unless_a_row_may_lack_it() -> None:
    data = b"<D><ROW><ID>1</ID></ROW><ROW><ID>2</ID><NAME/></ROW></D>"

    assert refused(read_xml, data, ONE, Xml(row="ROW")) == ("column_missing", 1)
    assert [line.values for line in read_xml(data, ONE, Xml(row="ROW", optional=("NAME",)))] == [["1", None], ["2", ""]]


def test_a_document_of_any_length_takes_the_memory_of_a_row(tmp_path: Path) -> None:
    file = tmp_path / "long.xml"
    file.write_bytes(b"<D>" + b"<ROW><ID>1</ID><NAME>x</NAME></ROW>\n" * 20_000 + b"</D>")
    tracemalloc.start()
    with file.open("rb") as opened:
        count = sum(1 for _ in markup.rows(opened, Xml(row="ROW"), ONE, "gb18030", LIMITS))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 20_000
    assert peak < 1 << 20


# -- workbooks

cells = st.text(
    st.one_of(
        st.sampled_from(RARE + "<&>|=#"),
        st.characters(exclude_characters="\ufffe\uffff", exclude_categories=["Cs", "Cc"]),
    ),
    max_size=8,
).filter(lambda text: "_x" not in text)


@given(st.lists(st.lists(cells, min_size=6, max_size=6).filter(any), max_size=4))
def test_a_workbook_is_read_back_exactly(rows: list[list[str]]) -> None:
    data = xlsx([dict(zip(COLUMNS, row, strict=True)) for row in rows])

    assert [[value or "" for value in line.values] for line in read_sheet(data)] == rows


def sheet(*rows: Sequence[object], **formats: str) -> bytes:
    """A workbook of one sheet; `formats` are those of cells by place."""
    workbook = openpyxl.Workbook()
    active: Any = workbook.active
    for row in rows:
        active.append(row)
    for place, form in formats.items():
        active[place].number_format = form
    return saved(workbook)


def values(data: bytes, numbers: Sequence[str] = ("NAME",)) -> list[Any]:
    return [line.values[1] for line in read_sheet(data, ONE, Xlsx(numbers=tuple(numbers)))]


def test_a_number_is_taken_where_numbers_are_meant_and_refuses_its_row_elsewhere() -> None:
    data = sheet(ONE, ("r1", 20160301), ("r2", 1.5), ("r3", -100), ("r4", "0123"), ("r5", True))

    assert values(data) == ["20160301", "1.5", "-100", "0123", "1"]
    assert values(data, ()) == [b"20160301.0", b"1.5", b"-100.0", "0123", "1"]


def test_a_number_of_more_than_fifteen_digits_is_never_taken() -> None:
    data = sheet(ONE, ("r1", 350299199001010011), ("r2", 1e15), ("r3", 999_999_999_999_999))

    assert values(data) == [b"3.5029919900101e+17", b"1000000000000000.0", "999999999999999"]


def test_a_number_that_lost_its_digits_refuses_its_row_and_no_other(tmp_path: Path) -> None:
    from tests.connectors.worlds import mapper_of  # noqa: PLC0415

    source = drops.of(tmp_path, tmp_path, drops.XLSX)
    rows: list[dict[str, object]] = [dict(branch("r1", CODES[0])), {**branch("r2", None), "CODE": 911350299000000001}]
    lines = read_sheet(xlsx(rows), COLUMNS, Xlsx())
    first, second = (mapper_of(source).map(dict(zip(COLUMNS, line.values, strict=True))) for line in lines)

    assert first.refusal is None
    assert second.refusal
    assert (second.refusal.reason, second.refusal.fields) == ("not_text", ("CODE",))


@pytest.mark.parametrize(
    ("cell", "form", "told"),
    [
        (datetime(2016, 3, 1), "yyyy-mm-dd", "2016-03-01"),  # noqa: DTZ001 - a spreadsheet knows no time zones
        (datetime(2016, 2, 29, 4, 5, 6), "yyyy-mm-dd", "2016-02-29 04:05:06"),  # noqa: DTZ001
        (1, "yyyy-mm-dd", "1900-01-01"),
        (59, "yyyy-mm-dd", b"datetime.date(1900, 2, 28)"),
        (60, "yyyy-mm-dd", b"datetime.date(1900, 2, 28)"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (2_958_465, "yyyy-mm-dd", "9999-12-31"),
        (0, "yyyy-mm-dd", b"datetime.time(0, 0)"),
        (-5, "yyyy-mm-dd", b"datetime.time(0, 0)"),
        (timedelta(hours=30), "[h]:mm", b"datetime.timedelta(days=1, seconds=21600)"),
    ],
)
def test_a_day_is_a_day_unless_it_could_be_two(cell: object, form: str, told: object) -> None:
    assert values(sheet(ONE, ("r1", cell), B2=form)) == [told]


def test_a_day_of_a_workbook_that_counts_from_1904_is_the_same_day() -> None:
    workbook = openpyxl.Workbook()
    workbook.epoch = CALENDAR_MAC_1904
    active: Any = workbook.active
    active.append(ONE)
    active.append(("r1", date(2016, 3, 1)))

    assert values(saved(workbook)) == ["2016-03-01"]


def test_blank_rows_and_what_stands_above_the_header_are_no_rows() -> None:
    data = sheet(("示例",), ONE, ("r1", "a"), (), ("", ""), ("r2", "b"))

    assert read_sheet(data, ONE, Xlsx(header=2)) == [Line(3, ["r1", "a"]), Line(6, ["r2", "b"])]


def test_a_sheet_is_found_by_its_name_and_must_be_the_only_one_without() -> None:
    workbook = openpyxl.Workbook()
    workbook.create_sheet("企业").append(ONE)
    data = saved(workbook)

    assert read_sheet(data, ONE, Xlsx(sheet="企业")) == []
    assert refused(read_sheet, data, ONE) == ("sheet_unclear", None)
    assert refused(read_sheet, data, ONE, Xlsx(sheet="个体")) == ("sheet_missing", None)


def test_merged_cells_and_errors_refuse_the_file() -> None:
    workbook = openpyxl.load_workbook(BytesIO(sheet(ONE, ("r1", "a"), ("r2", "b"))))
    workbook.active.merge_cells("B2:B3")

    assert refused(read_sheet, saved(workbook), ONE) == ("cells_merged", None)
    assert refused(read_sheet, sheet(ONE, ("r1", "a"), ("r2", "#N/A")), ONE) == ("cell_error", 3)


def test_a_header_of_a_sheet_without_the_mapped_columns_is_refused() -> None:
    assert refused(read_sheet, sheet(("ID", "NAMES")), ONE) == ("column_missing", 1)
    assert refused(read_sheet, sheet(("ID", "NAME", "ID")), ONE) == ("column_twice", 1)
    assert refused(read_sheet, sheet(), ONE) == ("column_missing", 1)


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET_PATH = "xl/worksheets/sheet1.xml"


def replaced(documents: Mapping[str, str | bytes]) -> bytes:
    """A workbook with other documents in place of some of its own."""
    written = BytesIO()
    with zipfile.ZipFile(BytesIO(sheet(ONE, ("r1", "a")))) as packed:
        parts: dict[str, str | bytes] = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as again:
        for name, content in {**parts, **documents}.items():
            again.writestr(name, content)
    return written.getvalue()


def altered(was: bytes, becomes: bytes, member: str = SHEET_PATH) -> bytes:
    """A workbook with something else in one of its documents."""
    with zipfile.ZipFile(BytesIO(sheet(ONE, ("r1", "a")))) as packed:
        content = packed.read(member)
    assert was in content
    return replaced({member: content.replace(was, becomes, 1)})


def test_texts_that_cells_share_are_read_and_cells_need_not_say_where_they_stand() -> None:
    texts = "".join(f"<si>{text}</si>" for text in ("<t>ID</t>", "<t>NAME</t>", "<r><t>示</t></r><r><t>例</t></r>"))
    header = '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
    row = '<row><c t="str"><v>r1</v></c><c t="s"><v>2</v></c></row>'
    data = replaced(
        {
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
            SHEET_PATH: f'<worksheet xmlns="{MAIN}"><sheetData>{header}{row}</sheetData></worksheet>',
        }
    )

    assert read_sheet(data, ONE) == [Line(2, ["r1", "示例"])]


def with_member(name: str, content: bytes = b"") -> bytes:
    written = BytesIO(sheet(ONE, ("r1", "a")))
    with zipfile.ZipFile(written, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return written.getvalue()


@pytest.mark.parametrize("place", [b"XFD1048576", b"ZZZ9999999", b"AAA1"])
def test_a_cell_in_the_farthest_corner_is_refused_before_memory_is_asked_for(place: bytes) -> None:
    data = altered(b'<c r="B2"', b'<c r="' + place + b'"')

    assert refused(read_sheet, data, ONE)[0] in {"cells_too_many", "columns_too_many"}


def test_a_styled_but_empty_cell_in_the_farthest_corner_does_no_harm() -> None:
    data = altered(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>')

    assert read_sheet(data, ONE) == [Line(2, ["r1", "a"])]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "zip_unreadable"),
        (b"PK\x05\x06", "zip_unreadable"),
        (b"ID,NAME\r\nr1,a\r\n", "zip_unreadable"),
        (sheet(ONE)[:-400], "zip_unreadable"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "zip_encrypted"),
        (with_member("/etc/passwd"), "zip_name"),
        (with_member("xl/../../x"), "zip_name"),
        (with_member("c:\\x"), "zip_name"),
        (with_member("xl/media/zeros.bin", b"\0" * (32 << 20)), "zip_ratio"),
        (altered(b"<sheetData>", b"<sheetData>&x;"), "xml_malformed"),
        (altered(b"<worksheet", b'<!DOCTYPE w [<!ENTITY x "y">]><worksheet'), "xml_doctype"),
        (
            altered(b"<styleSheet", b'<!DOCTYPE w SYSTEM "http://127.0.0.1:1/"><styleSheet', "xl/styles.xml"),
            "xml_doctype",
        ),
        (altered(b"<worksheet", b"<w>" * 100 + b"<worksheet"), "xml_too_deep"),
        (altered(b'r="B2"', b'r="two"'), "xlsx_unreadable"),
        (altered(b't="inlineStr"><is><t>a</t></is>', b't="s"><v>9999</v>'), "xlsx_unreadable"),
        (altered(b't="inlineStr"><is><t>a</t></is>', b"><v>a</v>"), "cells_lost"),
        (altered(b"worksheets/sheet1.xml", b"../../sheet1.xml", "xl/_rels/workbook.xml.rels"), "zip_unreadable"),
    ],
)
def test_a_workbook_that_is_none_or_more_than_one_is_refused(data: bytes, code: str) -> None:
    assert refused(read_sheet, data, ONE)[0] == code


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(members=3), "zip_members"),
        (Limits(unpacked_bytes=1_000), "zip_too_large"),
        (Limits(cells=3), "cells_too_many"),
        (Limits(columns=1), "columns_too_many"),
        (Limits(rows=1), "rows_too_many"),
    ],
)
def test_a_workbook_above_a_limit_is_refused(limits: Limits, code: str) -> None:
    assert refused(read_sheet, sheet(ONE, ("r1", "a"), ("r2", "b")), ONE, limits=limits)[0] == code


def test_an_encrypted_member_is_refused() -> None:
    data = bytearray(sheet(ONE, ("r1", "a")))
    for header, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(header) + at] |= 1

    assert refused(read_sheet, bytes(data), ONE) == ("zip_encrypted", None)


def test_a_member_that_unpacks_to_more_than_it_says_is_refused() -> None:
    data = bytearray(with_member("xl/worksheets/sheet1.bin", b"\0" * 10_000).replace(b"sheet1.bin", b"sheet2.xml"))
    data = bytearray(altered(b"<sheetData>", b"<sheetData>" + b" " * 50_000))
    where = data.index(SHEET_PATH.encode(), data.index(b"PK\x01\x02"))
    struct.pack_into("<I", data, where - 46 + 24, 100)

    assert refused(read_sheet, bytes(data), ONE) == ("zip_unreadable", None)


def test_a_directory_of_millions_of_entries_is_not_even_read() -> None:
    data = bytearray(sheet(ONE))
    struct.pack_into("<I", data, data.rindex(b"PK\x05\x06") + 12, 1 << 30)
    longer = data[:-22] + b"PK\x06\x07" + b"\0" * 16 + data[-22:]

    assert refused(read_sheet, bytes(data), ONE) == ("zip_members", None)
    assert refused(read_sheet, bytes(longer), ONE) == ("zip_members", None)
