"""Why a message does not go."""


class Undeliverable(Exception):
    """It never will, however often one tries. The message is a sentence for staff and names no patient."""


class NotNow(Exception):
    """It may, if one tries later. The message is a sentence for staff and names no patient."""
