"""Why a file is not taken: a code and a line, never a value of it; its text is in the message catalogue."""

from typing import Literal

from process.messages import say

Code = Literal[
    # the delivery
    "control_missing",
    "data_missing",
    "control_form",
    "control_name",
    "control_rows",
    "control_bytes",
    "control_md5",
    "not_a_file",
    "not_readable",
    "too_large",
    "changing",
    "empty",
    # its place in the order
    "batch_twice",
    "batch_differs",
    "name_taken",
    "goes_back",
    "hole",
    "in_future",
    # text
    "not_decodable",
    "encoding_differs",
    "bom_inside",
    "nul",
    "line_too_long",
    "line_ends",
    "field_too_long",
    "field_count",
    "rows_too_many",
    "columns_too_many",
    "column_missing",
    "column_twice",
    # XML
    "xml_malformed",
    "xml_doctype",
    "xml_too_deep",
    "xml_nested",
    # workbooks
    "zip_unreadable",
    "zip_encrypted",
    "zip_name",
    "zip_members",
    "zip_ratio",
    "zip_too_large",
    "sheet_missing",
    "sheet_unclear",
    "cells_too_many",
    "cells_merged",
    "cell_error",
    "cells_lost",
    "xlsx_unreadable",
]


class Reject(Exception):
    """The file is not taken; what is wrong is in the file, and nothing is wrong with us."""

    def __init__(self, code: Code, line: int | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code, self.line, self.facts = code, line, facts

    def text(self, file: str) -> str:
        """What is said of it, in both languages."""
        place = file if self.line is None else f"{file}:{self.line}"
        return say(f"connectors.file_{self.code}", place=place, **self.facts)
