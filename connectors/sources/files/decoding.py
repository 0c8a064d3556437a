r"""Bytes as text, strictly: a byte that means nothing refuses the file, and so does the wrong encoding.

GB18030 holds GBK and GB2312, so it reads all three. Text of UTF-8 reads as GB18030 too, as other characters, and
nothing fails; but the other way round text of GB18030 is hardly ever valid UTF-8. So a file that is valid UTF-8
from end to end, with more than a few characters beyond ASCII, is UTF-8, whatever it is said to be.

>>> from io import BytesIO
>>> "\u793a\u4f8b".encode().decode("gb18030") == "\u793a\u4f8b"
False
>>> looks_like_utf8(BytesIO("\u793a\u4f8b\u6709\u9650\u516c\u53f8\u793a\u4f8b".encode()))
True
"""

import codecs
from typing import IO, BinaryIO, Final

from connectors.reading import Encoding
from connectors.sources.files.reject import Reject

BOM: Final = "\ufeff"
_AT_ONCE: Final = 1 << 16
# Bytes beyond one a character. A character of GB18030 passes for UTF-8 in one case of seven; sixteen in a row do not.
_TELLING: Final = 16


def refuse_mislabelled(file: BinaryIO, encoding: Encoding) -> None:
    """Raise `Reject` for a file that is said to be GB18030 and is UTF-8; leaves the file at its beginning."""
    if encoding == "gb18030":
        marked = file.read(3) == codecs.BOM_UTF8
        file.seek(0)
        if marked or looks_like_utf8(file):
            raise Reject("encoding_differs", encoding=encoding)
        file.seek(0)


def looks_like_utf8(file: BinaryIO) -> bool:
    """Whether all of it is UTF-8, and enough of it more than ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = characters = 0
    try:
        while block := file.read(_AT_ONCE):
            size, characters = size + len(block), characters + len(decoder.decode(block))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return size - characters >= _TELLING


class Utf8:
    """A file that reads as UTF-8 whatever it is written in, for a parser that knows no GB18030 of its own.

    So there is one decoder for every form, and a document cannot choose another one by what it declares.
    """

    def __init__(self, file: IO[bytes], encoding: Encoding) -> None:
        self._file, self._encoding = file, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._first = True

    def text(self, size: int = _AT_ONCE) -> str:
        """The next characters, about `size` bytes of the file; empty at its end."""
        while block := self._file.read(size):
            if text := self._decoded(block, final=False):
                return text
        return self._decoded(b"", final=True)

    def _decoded(self, block: bytes, *, final: bool) -> str:
        try:
            text = self._decoder.decode(block, final)
        except UnicodeDecodeError:
            raise Reject("not_decodable", encoding=self._encoding) from None
        if self._first and text:
            self._first = False
            text = text.removeprefix(BOM)
        return text
