r"""How text is cleaned at the source's door, and when two texts say the same.

Cleaning keeps what a department wrote but for invisible padding; comparing forgives what people vary.
`NORMALISER` names this version of the rules: it travels with every fact that was compared by them.

>>> clean(" 示例（厦门）有限公司\u200b ")
'示例（厦门）有限公司'
>>> alike("示例（厦门）有限公司") == alike("示例(厦门)有限 公司")
True
"""

import re
import unicodedata

NORMALISER = "text-1"

_PADDING = " \t\r\n\f\v\u00a0\u3000\ufeff\u200b\u200c\u200d\u2060"
_ZERO_WIDTH = re.compile("[\ufeff\u200b\u200c\u200d\u2060]")
_SPACE = re.compile(r"\s+")
_DOTS = str.maketrans(dict.fromkeys("\u2022\u2027\u30fb\uff65\u0387", "\u00b7"))

# GB18030-2000 put characters that Unicode did not have yet at private-use points; GB18030 decoders still
# give these points for the same two bytes. The first fourteen are row FE; the others are vertical forms.
_GB18030_PRIVATE_USE = {
    0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9,
    0xE854: 0x9FBA, 0xE864: 0x9FBB, 0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE831: 0x215D7,
    0xE83B: 0x2298F, 0xE855: 0x241FE, 0xE5E5: 0x3000, 0xE7C7: 0x1E3F,
    0xE78D: 0xFE10, 0xE78E: 0xFE12, 0xE78F: 0xFE11, 0xE790: 0xFE13, 0xE791: 0xFE14, 0xE792: 0xFE15,
    0xE793: 0xFE16, 0xE794: 0xFE17, 0xE795: 0xFE18, 0xE796: 0xFE19,
}  # fmt: skip


class UnmappedCharacterError(ValueError):
    """The text holds a private-use point that stands for no known character."""


def clean(text: str) -> str:
    """`text` without padding and zero-width marks, private-use points of GB18030-2000 as their characters.

    Raises `UnmappedCharacterError` where a private-use point, a noncharacter or the mark of a lost character
    (U+FFFD) remains: what it stood for is not known, and a name with a wrong character is another name.
    """
    if text.isascii():  # most columns of most rows: nothing but padding can be in the way
        return text.strip(_PADDING)
    plain = _ZERO_WIDTH.sub("", text).translate(_GB18030_PRIVATE_USE).strip(_PADDING)
    if any(_unmapped(character) for character in plain):
        raise UnmappedCharacterError
    return plain


def _unmapped(character: str) -> bool:
    point = ord(character)
    if point < 0xD800:  # below the surrogates nothing is private or a noncharacter
        return False
    noncharacter = point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
    return noncharacter or character == "\N{REPLACEMENT CHARACTER}" or unicodedata.category(character) in {"Co", "Cs"}


def alike(text: str) -> str:
    """The comparison form: equal for two texts that differ in width, case, spaces, brackets or dots only."""
    folded = _SPACE.sub("", unicodedata.normalize("NFKC", text).translate(_DOTS)).casefold()
    return unicodedata.normalize("NFKC", folded)  # folding and lost spaces leave marks that compose


def code_form(text: str) -> str:
    """A number or code as compared and stored: NFKC, no spaces or hyphens, upper case."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", _ZERO_WIDTH.sub("", text))).replace("-", "").upper()
