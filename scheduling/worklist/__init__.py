"""The staff's worklist: items that need action by the clinic, and who deals with each.

What waits is derived from the rows that call for it (scheduling.worklist.parts), and leaves by itself when they no
longer do. Only the owner of an item and the day until which it is put off are stored (scheduling.worklist.ownership).
"""

from scheduling.worklist.colleagues import colleagues, find_row
from scheduling.worklist.counts import FILTERS, Holder, WorkCounts, count_work, held_by, items_of
from scheduling.worklist.ownership import MOST_DAYS_OFF, ItemName, ItemTaken, arrange, put_back, take
from scheduling.worklist.parts import PARTS, Part

__all__ = [
    "FILTERS",
    "MOST_DAYS_OFF",
    "PARTS",
    "Holder",
    "ItemName",
    "ItemTaken",
    "Part",
    "WorkCounts",
    "arrange",
    "colleagues",
    "count_work",
    "find_row",
    "held_by",
    "items_of",
    "put_back",
    "take",
]
