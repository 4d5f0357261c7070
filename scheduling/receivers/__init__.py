"""Receivers of visit events: signed webhooks of other software (https://www.standardwebhooks.com), and plug-ins.

`collect` plans a delivery for each receiver and event of the feed (scheduling.events), and `deliver_next` sends them.
"""

from scheduling.receivers.delivery import deliver_next
from scheduling.receivers.planning import collect, follow_feed, send_again, send_test
from scheduling.receivers.signing import renew_secret

__all__ = ["collect", "deliver_next", "follow_feed", "renew_secret", "send_again", "send_test"]
