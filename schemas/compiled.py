"""Writers and readers made from a schema: Python source, generated and compiled once per published file.

They know only the one way in which we write: null-first unions, arrays in one block, shortest numbers. What
they do not know they give up (any exception), and fastavro decides: it stays the reference for every byte
and every error. A property test holds both to that.

Why: walking a schema for every value costs more than writing the bytes does.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

Write = Callable[[Any, bytearray], None]
Read = Callable[[bytes, int], tuple[dict[str, Any], int]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SMALL = 8192


class GivenUpError(Exception):
    """Not written the way we write: the reference decides."""


def _long(number: int) -> bytes:
    """A number as Avro writes it: zigzag, seven bits to a byte, least first."""
    if not -(1 << 63) <= number < 1 << 63:
        raise GivenUpError
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_LONGS = tuple(_long(number) for number in range(_SMALL))


def _more(data: bytes, at: int, first: int) -> tuple[int, int]:
    """The rest of a number whose first byte was not its last: zigzag value and where it ends."""
    value, shift = first & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 or value >= 1 << 64:  # longer than it has to be, or than it may
                raise GivenUpError
            return value, at
        shift += 7


def _milliseconds(time: datetime) -> int:
    since = time - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _amount(value: Decimal, size: int, scale: int, precision: int) -> bytes:
    sign, digits, exponent = value.as_tuple()
    shift = int(exponent) + scale
    if shift < 0 or len(digits) + shift > precision:
        raise GivenUpError
    unscaled = int("".join(map(str, digits)) + "0" * shift)
    return (-unscaled if sign else unscaled).to_bytes(size, "big", signed=True)


def _decimal(data: bytes, scale: int) -> Decimal:
    return Decimal(int.from_bytes(data, "big", signed=True)).scaleb(-scale)


def writer(document: Mapping[str, Any]) -> Write:
    """Appends a value of this schema to a buffer; raises anything where the value is not plainly one."""
    source = _Source(document)
    source.function("write", "v, o", lambda: source.write(document, "v"))
    made: Write = source.compiled("write")
    return made


def reader(document: Mapping[str, Any]) -> Read:
    """Reads a value of this schema that begins at an offset: the value and where it ends."""
    source = _Source(document)

    def body() -> None:
        source.line("end = len(b)")
        source.read(document, "r")
        source.line("return r, i")

    source.function("read", "b, i", body)
    made: Read = source.compiled("read")
    return made


class _Source:
    """Python source under construction; variables are numbered, so nothing is ever written over."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._lines: list[str] = []
        self._depth = 0
        self._count = 0
        self._names: dict[str, Mapping[str, Any]] = {}
        self._constants: dict[str, Any] = {}
        self._learn(document, "")

    def _learn(self, schema: Any, namespace: str) -> None:
        """Note every named type, for later places that only name it."""
        if isinstance(schema, list):
            for branch in schema:
                self._learn(branch, namespace)
        elif isinstance(schema, Mapping):
            namespace = schema.get("namespace", namespace)
            if "name" in schema:
                self._names[f"{namespace}.{schema['name']}"] = schema
            self._learn(schema.get("items"), namespace)
            for field in schema.get("fields", ()):
                self._learn(field["type"], namespace)

    # --- text --------------------------------------------------------------------------------------------------------
    def line(self, text: str) -> None:
        self._lines.append("    " * self._depth + text)

    def function(self, name: str, arguments: str, body: Callable[[], None]) -> None:
        self.block(f"def {name}({arguments}):", body)

    def block(self, head: str, body: Callable[[], None]) -> None:
        self.line(head)
        self._depth += 1
        body()
        self._depth -= 1

    def fresh(self) -> str:
        self._count += 1
        return f"x{self._count}"

    def constant(self, value: Any) -> str:
        name = f"C{len(self._constants)}"
        self._constants[name] = value
        return name

    def compiled(self, name: str) -> Any:
        scope = {
            "LONGS": _LONGS,
            "long": _long,
            "more": _more,
            "millis": _milliseconds,
            "amount": _amount,
            "decimal": _decimal,
            "day": date.fromordinal,
            "delta": timedelta,
            "EPOCH": _EPOCH,
            "GivenUp": GivenUpError,
            **self._constants,
        }
        exec(compile("\n".join(self._lines), "<made from an Avro schema>", "exec"), scope)  # noqa: S102 - our own files only
        return scope[name]

    def _resolved(self, schema: Any) -> tuple[str, Mapping[str, Any]]:
        """The kind of a schema (logical types by their own name), and its definition."""
        if isinstance(schema, list):
            if len(schema) != 2 or schema[0] != "null":
                raise GivenUpError("a union is null and one other type")
            return "union", {"other": schema[1]}
        if isinstance(schema, str):
            return (schema, {}) if schema not in self._names else self._resolved(self._names[schema])
        return str(schema.get("logicalType", schema["type"])), schema

    # --- writing -----------------------------------------------------------------------------------------------------
    def write(self, schema: Any, value: str) -> None:
        kind, definition = self._resolved(schema)
        match kind:
            case "record":
                self._write_record(definition, value)
            case "union":
                self._write_union(definition["other"], value)
            case "array":
                self._write_array(definition["items"], value)
            case "string":
                text = self.fresh()
                self.line(f"{text} = {value}.encode()")
                self._write_bytes(text)
            case "bytes":
                self.line(f"if {value}.__class__ is not bytes: raise GivenUp")
                self._write_bytes(value)
            case "fixed":
                self.line(f"if {value}.__class__ is not bytes or len({value}) != {definition['size']}: raise GivenUp")
                self.line(f"o += {value}")
            case "boolean":
                self.line(f"if {value}.__class__ is not bool: raise GivenUp")
                self.line(f"o += b'\\1' if {value} else b'\\0'")
            case _:
                self._write_number(kind, definition, value)

    def _write_record(self, definition: Mapping[str, Any], value: str) -> None:
        fields = definition["fields"]
        self.line(f"if len({value}) != {len(fields)}: raise GivenUp")
        for field in fields:
            inner = self.fresh()
            self.line(f"{inner} = {value}[{field['name']!r}]")
            self.write(field["type"], inner)

    def _write_union(self, other: Any, value: str) -> None:
        self.line(f"if {value} is None: o += b'\\0'")

        def present() -> None:
            self.line("o += b'\\2'")
            self.write(other, value)

        self.block("else:", present)

    def _write_array(self, items: Any, value: str) -> None:
        def every() -> None:
            self._write_length(f"len({value})")
            item = self.fresh()
            self.block(f"for {item} in {value}:", lambda: self.write(items, item))

        self.line(f"if {value}.__class__ is not list: raise GivenUp")
        self.block(f"if {value}:", every)
        self.line("o += b'\\0'")

    def _write_bytes(self, value: str) -> None:
        self._write_length(f"len({value})")
        self.line(f"o += {value}")

    def _write_length(self, length: str) -> None:
        number = self.fresh()
        self.line(f"{number} = {length}")
        self.line(f"o += LONGS[{number}] if {number} < {_SMALL} else long({number})")

    def _write_number(self, kind: str, definition: Mapping[str, Any], value: str) -> None:
        match kind:
            case "enum":
                symbols = {symbol: _long(at) for at, symbol in enumerate(definition["symbols"])}
                self.line(f"o += {self.constant(symbols)}[{value}]")
                return
            case "decimal":
                size, scale, precision = (definition[name] for name in ("size", "scale", "precision"))
                self.line(f"o += amount({value}, {size}, {scale}, {precision})")
                return
            case "date":
                given = f"{value} if {value}.__class__ is int else {value}.toordinal() - {_EPOCH_DAY}"
            case "timestamp-millis":
                given = f"{value} if {value}.__class__ is int else millis({value})"
            case "int" | "long":
                self.line(f"if {value}.__class__ is not int: raise GivenUp")
                given = value
            case _:
                raise GivenUpError(kind)
        number = self.fresh()
        self.line(f"{number} = {given}")
        self.line(f"o += LONGS[{number}] if 0 <= {number} < {_SMALL} else long({number})")

    # --- reading -----------------------------------------------------------------------------------------------------
    def read(self, schema: Any, target: str) -> None:
        kind, definition = self._resolved(schema)
        match kind:
            case "record":
                self._read_record(definition, target)
            case "union":
                self._read_union(definition["other"], target)
            case "array":
                self._read_array(definition["items"], target)
            case "string" | "bytes":
                shape = "str({}, 'utf-8')" if kind == "string" else "{}"
                self._read_bytes(target, self._read_number(), shape)
            case "fixed" | "decimal":
                shape = "{}" if kind == "fixed" else f"decimal({{}}, {definition['scale']})"
                self._read_bytes(target, str(definition["size"]), shape)
            case "boolean":
                self.line("if b[i] > 1: raise GivenUp")
                self.line(f"{target} = b[i] == 1")
                self.line("i += 1")
            case _:
                self.line(f"{target} = {self._number_as(kind, definition)}")

    def _number_as(self, kind: str, definition: Mapping[str, Any]) -> str:
        number = self._read_number()
        match kind:
            case "enum":
                return f"{self.constant(dict(enumerate(definition['symbols'])))}[{number}]"
            case "date":
                return f"day({number} + {_EPOCH_DAY})"
            case "timestamp-millis":
                return f"EPOCH + delta(microseconds={number} * 1000)"
            case "int" | "long":
                return number
        raise GivenUpError(kind)

    def _read_record(self, definition: Mapping[str, Any], target: str) -> None:
        named = []
        for field in definition["fields"]:
            inner = self.fresh()
            self.read(field["type"], inner)
            named.append(f"{field['name']!r}: {inner}")
        self.line(f"{target} = {{{', '.join(named)}}}")

    def _read_union(self, other: Any, target: str) -> None:
        branch = self.fresh()
        self.line(f"{branch} = b[i]")
        self.line("i += 1")
        self.line(f"if {branch} == 0: {target} = None")
        self.block(f"elif {branch} == 2:", lambda: self.read(other, target))
        self.line("else: raise GivenUp")

    def _read_array(self, items: Any, target: str) -> None:
        count = self._read_number()
        # Every item has a byte at least: a count beyond what is left is no count.
        self.line(f"if {count} < 0 or {count} > end - i: raise GivenUp")
        self.line(f"{target} = []")
        item = self.fresh()

        def every() -> None:
            self.read(items, item)
            self.line(f"{target}.append({item})")

        def whole() -> None:
            self.block(f"for _ in range({count}):", every)
            self.line("if b[i]: raise GivenUp")
            self.line("i += 1")

        self.block(f"if {count}:", whole)

    def _read_bytes(self, target: str, length: str, as_: str) -> None:
        after = self.fresh()
        self.line(f"{after} = i + {length}")
        self.line(f"if {after} < i or {after} > end: raise GivenUp")
        self.line(f"{target} = {as_.format(f'b[i:{after}]')}")
        self.line(f"i = {after}")

    def _read_number(self) -> str:
        number = self.fresh()
        self.line(f"{number} = b[i]")
        self.line("i += 1")
        self.line(f"if {number} > 127: {number}, i = more(b, i, {number})")
        self.line(f"{number} = ({number} >> 1) ^ -({number} & 1)")
        return number
