"""Photos of the demo's invented practitioners: their initials on a colour."""

from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from clinic.photos import SIDE

COLOURS = ("#0b5f6b", "#7a4b12", "#5b3a7d", "#2f5d2f")


def drawn(initials: str) -> bytes:
    """Return a portrait as a JPEG."""
    image = Image.new("RGB", (SIDE, SIDE), COLOURS[sum(map(ord, initials)) % len(COLOURS)])
    font = ImageFont.load_default(SIDE // 3)
    ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), initials, "white", font, anchor="mm")
    stored = BytesIO()
    image.save(stored, "JPEG", quality=85)
    return stored.getvalue()
