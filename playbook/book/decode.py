"""Bytes to text, strictly: byte-order mark, else UTF-8, else GB18030, else refused.

GB18030 accepts many byte strings that were never meant for it, so a damaged UTF-8 file must not
slip through as Chinese nonsense: where most of the non-ASCII text is sound UTF-8, the rest is
damage.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

#: Byte-order marks, the longer ones first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_BAD = "\ufffd"
#: So many sound characters to a broken one make a file damaged UTF-8 rather than another encoding.
_MOSTLY = 4


class DecodeError(ValueError):
    """Bytes that are neither UTF-8 nor GB18030; ``line`` is where the first bad one stands."""

    def __init__(self, code: str, line: int) -> None:
        super().__init__(code)
        self.code = code
        self.line = line


@dataclass(frozen=True)
class Decoded:
    """A file as UTF-8 bytes without mark, and what it was encoded in."""

    data: bytes
    encoding: str


def decode(raw: bytes) -> Decoded:
    """Bring the bytes of a text file to UTF-8. Raises :class:`DecodeError`."""
    for mark, name in _MARKS:
        if raw.startswith(mark):
            if name == "utf-8":
                body = raw[len(mark):]
                _strict(body)
                return _checked(body, "utf-8-sig")
            try:
                return _checked(raw.decode(name).encode("utf-8"), name)
            except UnicodeDecodeError as error:
                raise DecodeError("encoding", _line(raw, error.start)) from None
    if b"\x00" in raw:
        raise DecodeError("nul", _line(raw, raw.index(b"\x00")))
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = _line(raw, error.start)
    else:
        return Decoded(raw, "utf-8")
    loose = raw.decode("utf-8", errors="replace")
    broken = loose.count(_BAD)
    sound = sum(1 for sign in loose if sign > "\x7f") - broken
    if sound > _MOSTLY * broken:
        raise DecodeError("encoding", line)
    try:
        return _checked(raw.decode("gb18030").encode("utf-8"), "gb18030")
    except UnicodeDecodeError as error:
        raise DecodeError("encoding", _line(raw, error.start)) from None


def _strict(body: bytes) -> None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DecodeError("encoding", _line(body, error.start)) from None


def _checked(data: bytes, encoding: str) -> Decoded:
    if b"\x00" in data:
        raise DecodeError("nul", _line(data, data.index(b"\x00")))
    return Decoded(data, encoding)


def _line(raw: bytes, at: int) -> int:
    return raw.count(b"\n", 0, at) + 1
