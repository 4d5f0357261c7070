"""The sheet on which labels are printed: the size of a label, and the stylesheet with it.

The security policy does not allow inline styles.
"""

from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

LEAST, MOST = 5, 300  # millimetres


@dataclass(frozen=True, slots=True)
class LabelSheet:
    """A sheet of labels, in millimetres: the width and height of a label, and the margins at the top and the left."""

    width: float
    height: float
    top: float
    left: float

    @property
    def css(self) -> str:
        """The size as CSS custom properties, and the margins of the printed page."""
        return (
            f":root {{ --label-width: {self.width:g}mm; --label-height: {self.height:g}mm; }}\n"
            f"@page labels {{ margin: {self.top:g}mm 0 0 {self.left:g}mm; }}\n"
        )


def label_sheet(size: str, margins: str) -> LabelSheet:
    """Return the sheet for a size such as 70x36 and margins such as 4.5x0. Raises ImproperlyConfigured."""
    return LabelSheet(*_pair("LABEL_SIZE", size, LEAST), *_pair("LABEL_MARGINS", margins, 0))


def _pair(name: str, text: str, least: float) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.lower().split("x"))
    except ValueError:
        first = second = -1
    if not (least <= first <= MOST and least <= second <= MOST):
        raise ImproperlyConfigured(
            f"{name} is two lengths in millimetres with an x between them, each from {least} to {MOST}, not {text!r}."
        )
    return first, second
