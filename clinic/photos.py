"""Photos of practitioners: read from an uploaded file, made small, and stored without what the camera wrote into it."""

from hashlib import sha256
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from clinic.models import Practitioner, PractitionerPhoto

SIDE = 480  # pixels of the stored square
MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


def read_photo(file: Any) -> bytes:
    """Return a square JPEG of SIDE pixels without metadata. Raises ValidationError for a file that is no such image."""
    if file.size > MOST_BYTES:
        raise ValidationError(_("This file is too large. A photo has 10 MB at most."))
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValidationError(_("This photo has too many pixels."))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        raise ValidationError(_("This is not a photo. Choose a JPEG, PNG or WebP file.")) from None
    square = ImageOps.fit(upright, (SIDE, SIDE), centering=(0.5, 0.4))  # a face is above the middle
    stored = BytesIO()
    square.save(stored, "JPEG", quality=85, optimize=True)
    return stored.getvalue()


def store_photo(practitioner: Practitioner, image: bytes | None) -> None:
    """Store the photo of a saved practitioner, or remove it."""
    digest = sha256(image).hexdigest() if image else ""
    if image:
        PractitionerPhoto.objects.update_or_create(
            practitioner=practitioner, defaults={"digest": digest, "image": image}
        )
    else:
        PractitionerPhoto.objects.filter(practitioner=practitioner).delete()
    practitioner.photo_digest = digest
    practitioner.save(update_fields=["photo_digest"])
