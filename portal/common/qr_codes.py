"""QR codes as SVG drawings, which a phone or the scanner at the front desk reads."""

from itertools import groupby

import qrcode
from django.utils.html import format_html
from django.utils.safestring import SafeString


def drawing(address: str, label: str) -> SafeString:
    """Return the code of an address, dark on white in both themes: many scanners read no other."""
    code = qrcode.QRCode(border=4, error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(address)
    rows = code.get_matrix()
    return format_html(
        '<svg class="qr-code" viewBox="0 0 {size} {size}" role="img" aria-label="{label}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"></path><path fill="#000" d="{dark}"></path></svg>',
        size=len(rows),
        label=label,
        dark="".join(run for number, row in enumerate(rows) for run in _dark_runs(number, row)),
    )


def _dark_runs(number: int, row: list[bool]) -> list[str]:
    """The dark squares of a row as rectangles, one for each run of them."""
    runs, at = [], 0
    for is_dark, squares in groupby(row):
        length = len(list(squares))
        if is_dark:
            runs.append(f"M{at} {number}h{length}v1h-{length}z")
        at += length
    return runs
