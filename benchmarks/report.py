"""Tables on standard output."""

from collections.abc import Mapping, Sequence


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A heading and a Markdown table, as it stands in README.md."""
    cells = [[_text(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def compare(
    title: str, what: str, old: Mapping[str, Mapping[str, float]], new: Mapping[str, Mapping[str, float]]
) -> None:
    """A table of both products' figures and their ratio: by name of the figure, then of the row."""
    head = [what, *(text for name in new for text in (f"{name}: old", "new", "new / old"))]
    rows = [
        [row, *(cell for name in new for cell in _compared(old[name][row], new[name][row]))]
        for row in next(iter(new.values()))
    ]
    table(title, head, rows)


def _compared(old: float, new: float) -> tuple[float, float, str]:
    return old, new, f"x {new / old:.2f}" if old else ""


def _text(cell: object) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
