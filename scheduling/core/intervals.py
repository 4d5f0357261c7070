"""Half-open spans of time, [start, end), in whole seconds since 1970-01-01T00:00Z.

Plain integers: the hot path sweeps thousands of them, and a local time cannot become one by accident.
A list of spans is *normal* when it is in order and no two of them overlap or touch. Every function here
returns normal lists; those that sweep two lists want both normal.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


def merge(spans: Iterable[Span]) -> list[Span]:
    """In order of time, those that overlap or touch joined into one, those without any time left out."""
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
    """What is left of `free` once `taken` is out."""
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
    """The time that lies in both."""
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
