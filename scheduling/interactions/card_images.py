"""Photos of insurance cards: checked, turned upright, without metadata, and small enough to store."""

from io import BytesIO

from django.utils.translation import gettext as _

from scheduling.errors import RuleBroken

MEGABYTE = 1024 * 1024
MOST_MEGABYTES = 15  # as sent: phones take photos of a few megabytes
MOST_PIXELS = 60_000_000  # as sent, so that a small file cannot fill the memory
LONGEST_SIDE = 1600  # as stored: all that is printed on a card can be read
FORMATS = ("JPEG", "PNG", "WEBP")


def card_image(data: bytes) -> bytes:
    """Return the photo as a JPEG image of the card alone. Raises RuleBroken if it is no photo, or too large."""
    from PIL import Image, ImageOps, UnidentifiedImageError  # pages without photos do not load it

    if len(data) > MOST_MEGABYTES * MEGABYTE:
        raise RuleBroken(_("The photo is too large. Send one of %(most)d MB at most.") % {"most": MOST_MEGABYTES})
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as photo:
            if photo.width * photo.height > MOST_PIXELS:
                raise RuleBroken(_("The photo has too many pixels. Take it with your phone's usual camera settings."))
            photo.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is read in a smaller size at once
            upright = ImageOps.exif_transpose(photo).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        raise RuleBroken(_("This is not a photo that we can read. Send a JPEG, PNG or WebP image.")) from None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    stored = BytesIO()
    upright.save(stored, "JPEG", quality=80, optimize=True)
    return stored.getvalue()
