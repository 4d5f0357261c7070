"""The verification of webhooks, as docs/integrate.md shows it to other software."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.conf import settings

PAGE = (Path(settings.BASE_DIR) / "docs" / "integrate.md").read_text()
BLOCK = re.compile(r"^```python\n(?P<code>.*?def is_signed\(.*?)^```\n", re.DOTALL | re.MULTILINE)


def is_signed(body: bytes, headers: Mapping[str, str], secret: str, *, now: float | None = None) -> bool:
    """The function of the page, with a clock that shows `now`: the moment of sending unless another is given."""
    match = BLOCK.search(PAGE)
    assert match is not None, "docs/integrate.md shows how to verify a webhook"
    names: dict[str, Any] = {}
    exec(match["code"], names)
    moment = float(headers["webhook-timestamp"]) if now is None else now
    names["time"] = SimpleNamespace(time=lambda: moment)
    return bool(names["is_signed"](body, headers, secret))
