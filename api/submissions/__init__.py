"""A proposed Appointment that comes back to be held or booked: https://www.medplum.com/docs/scheduling/appointment-book

All that is wrong with it is told at once. Whether its time can be had is not asked here, but of scheduling.booking.
"""

from api.submissions.proposal import Proposal, read_proposal
from api.submissions.slots import is_slot
from api.submissions.submission import HERE

__all__ = ["HERE", "Proposal", "is_slot", "read_proposal"]
