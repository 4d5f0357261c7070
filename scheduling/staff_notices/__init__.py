"""Notices to staff by email, on the open pages, and as a daily digest, by the settings of each member of staff.

Nothing here is done while a visit is booked: a worker reads the feed of visit events (scheduling.events) and what else
calls for a notice, and writes a StaffNotice for each member of staff who sees the visit and wants to know, but not for
whoever did it. What happens within minutes makes one email. Emails name no patient.
"""

from scheduling.staff_notices.collecting import collect
from scheduling.staff_notices.digests import send_digests
from scheduling.staff_notices.emails import GATHERED_FOR, send_emails
from scheduling.staff_notices.pages import KEPT_ON_PAGES, dismiss, notices_of, unseen_notices_of
from scheduling.staff_notices.preferences import Preferences, preferences_of, save_preferences

__all__ = [
    "GATHERED_FOR",
    "KEPT_ON_PAGES",
    "Preferences",
    "collect",
    "dismiss",
    "notices_of",
    "preferences_of",
    "save_preferences",
    "send_digests",
    "send_emails",
    "unseen_notices_of",
]
