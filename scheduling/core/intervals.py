"""Half-open spans of time, [start, end), in whole seconds since 1970-01-01T00:00Z.

Spans are plain integers, because the hot path processes thousands of them and integers cannot be mistaken for local
times. A list of spans is *normal* if it is sorted and no two spans overlap or touch. Every function returns normal
lists; functions with two lists require both to be normal.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


def merge(spans: Iterable[Span]) -> list[Span]:
    """The spans sorted, with overlapping and touching ones joined and empty ones removed."""
    merged: list[Span] = []
    last_start = last_end = 0
    for start, end in sorted(spans):
        if start >= end:
            continue
        if merged and start <= last_end:
            if end > last_end:
                last_end = end
                merged[-1] = (last_start, last_end)
        else:
            last_start, last_end = start, end
            merged.append((start, end))
    return merged


def subtract(free: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """The parts of `free` that do not overlap `taken`."""
    left: list[Span] = []
    first = 0
    for start, end in free:
        while first < len(taken) and taken[first][1] <= start:
            first += 1
        at = first
        while at < len(taken) and taken[at][0] < end:
            taken_start, taken_end = taken[at]
            if start < taken_start:
                left.append((start, taken_start))
            start = max(start, taken_end)
            at += 1
        if start < end:
            left.append((start, end))
    return left


def intersect(ones: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """The time in both lists."""
    both: list[Span] = []
    one = other = 0
    while one < len(ones) and other < len(others):
        start = max(ones[one][0], others[other][0])
        end = min(ones[one][1], others[other][1])
        if start < end:
            both.append((start, end))
        if ones[one][1] < others[other][1]:
            one += 1
        else:
            other += 1
    return both


def clip(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """The part of `spans` that lies in [start, end)."""
    return intersect(spans, [(start, end)]) if start < end else []


def covers(spans: Sequence[Span], start: int, end: int) -> bool:
    """True if all of [start, end) lies in one of `spans`."""
    return any(first <= start and end <= last for first, last in spans)
