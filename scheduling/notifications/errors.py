"""Delivery errors."""


class Undeliverable(Exception):
    """Permanent failure. The text is a sentence for staff and names no patient."""


class NotNow(Exception):
    """Temporary failure. The text is a sentence for staff and names no patient."""
