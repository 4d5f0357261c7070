"""Ids that are made of numbers and sealed, so that nothing has to be stored to know them again.

FHIR's id has 64 characters of 64 kinds (https://hl7.org/fhir/R4/datatypes.html#id): base64 with `.` for `_`, 48 bytes.
Ten of them are the seal; the numbers have the others. They are no secret, but nobody else can make such an id.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence

from django.utils.crypto import constant_time_compare, salted_hmac

SEAL = 10
MOST_BYTES = 48 - SEAL


class TooLong(Exception):
    """These numbers do not fit into an id."""


def seal(purpose: str, numbers: Iterable[int]) -> str:
    """An id of these numbers, none of them negative, for this purpose. The same ones always make the same id."""
    packed = b"".join(map(_pack, numbers))
    if len(packed) > MOST_BYTES:
        raise TooLong
    sealed = packed + _seal_of(purpose, packed)
    return urlsafe_b64encode(sealed).decode().rstrip("=").replace("_", ".")


def unseal(purpose: str, text: str) -> Sequence[int] | None:
    """The numbers of an id that `seal` made for the same purpose; None for any other text."""
    try:
        sealed = urlsafe_b64decode(text.replace(".", "_") + "=" * (-len(text) % 4))
    except ValueError:
        return None
    packed, mark = sealed[:-SEAL], sealed[-SEAL:]
    # Ids are compared as texts: the one text that stands for these numbers is theirs, and no other.
    canonical = urlsafe_b64encode(sealed).decode().rstrip("=").replace("_", ".") == text
    if not (packed and canonical and constant_time_compare(mark, _seal_of(purpose, packed))):
        return None
    return list(_unpack(packed))


def _seal_of(purpose: str, packed: bytes) -> bytes:
    return salted_hmac(f"scheduling.sealed_ids.{purpose}", packed, algorithm="sha256").digest()[:SEAL]


def _pack(number: int) -> bytes:
    """Seven bits in each byte, the eighth says that there are more: https://en.wikipedia.org/wiki/LEB128"""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _unpack(packed: bytes) -> Iterator[int]:
    number = shift = 0
    for each in packed:
        number |= (each & 0x7F) << shift
        shift += 7
        if not each & 0x80:
            yield number
            number = shift = 0
