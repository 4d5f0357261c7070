"""The time zones that people choose from."""

from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from zoneinfo import ZoneInfo


@lru_cache
def zones_by_region() -> tuple[tuple[str, tuple[ZoneInfo, ...]], ...]:
    """One for each place that the pinned tzdata package lists, under its part of the world."""
    lines = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines()
    names = sorted(line.split("\t")[2] for line in lines if line and not line.startswith("#"))
    regions = groupby(names, key=lambda name: name.partition("/")[0])
    return tuple((region, tuple(ZoneInfo(name) for name in inside)) for region, inside in regions)
