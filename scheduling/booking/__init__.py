"""Use cases of an Appointment: one function and one transaction each.

The exclusion constraint `slot_never_sold_twice` decides every conflict; no code here can overrule it. All Slots of a
booking are inserted by one ordered INSERT ... ON CONFLICT DO NOTHING; fewer rows than requested means that another
booking was faster. Locks only keep writers in order, and are always taken in this order: the appointment, the holder of
holds, the patient, the bookables by primary key, the service. Bookings share the locks of their bookables. A use case
owns them exclusively when it releases time and takes other time in one transaction, extends the time during which rows
count, takes Slots that a client has stored, or counts seats or visits. A service is locked only if its visits are
counted together. `now` is read once, by the API, the page or the task that calls.
"""

from scheduling.booking.attendance import confirm_attendance, undo_attendance
from scheduling.booking.blocks import BlockRequest, Extent, block, is_repeated, unblock
from scheduling.booking.cancellation import cancel
from scheduling.booking.confirmation import confirm, refuse
from scheduling.booking.holds import (
    HOLD_EXPIRED,
    extend_hold,
    hold,
    name_patient,
    note_presence,
    release_expired_holds,
    support,
)
from scheduling.booking.idempotency import AlreadyAnswered, Once, Written, first_time, recall, visits_of
from scheduling.booking.identity_checks import Proof, is_birth_date, is_own_code, is_own_phone, proof_of
from scheduling.booking.judging import is_judged, judge_confirmations
from scheduling.booking.merged_visits import clashes, lock_records, move_visits, return_visits
from scheduling.booking.request import (
    BookingRequest,
    ConfirmRequest,
    RescheduleRequest,
    SeriesRequest,
    StatusRequest,
)
from scheduling.booking.resource_writes import (
    all_or_nothing,
    amend,
    create_visit,
    judge_visit,
    lock_conditions,
    lock_for,
    lock_registration,
    may_remove,
    record,
    record_all,
    remove,
    remove_slot,
    rewrite_slot,
    write_slots,
)
from scheduling.booking.responses import answer_suggestion, record_response, respond, suggest
from scheduling.booking.restoration import can_be_restored, restore
from scheduling.booking.series import Occurrences, book_series, cancel_series, confirm_series, hold_series
from scheduling.booking.slots import engagements_of, lock_holder
from scheduling.booking.steps import change_status, correct_status
from scheduling.booking.suggestions import standing_suggestions
from scheduling.booking.transitions import is_holder, require_day_reached
from scheduling.booking.visits import (
    annotate,
    book,
    reschedule,
)

__all__ = [
    "HOLD_EXPIRED",
    "AlreadyAnswered",
    "BlockRequest",
    "BookingRequest",
    "ConfirmRequest",
    "Extent",
    "Occurrences",
    "Once",
    "Proof",
    "RescheduleRequest",
    "SeriesRequest",
    "StatusRequest",
    "Written",
    "all_or_nothing",
    "amend",
    "annotate",
    "answer_suggestion",
    "block",
    "book",
    "book_series",
    "can_be_restored",
    "cancel",
    "cancel_series",
    "change_status",
    "clashes",
    "confirm",
    "confirm_attendance",
    "confirm_series",
    "correct_status",
    "create_visit",
    "engagements_of",
    "extend_hold",
    "first_time",
    "hold",
    "hold_series",
    "is_birth_date",
    "is_holder",
    "is_judged",
    "is_own_code",
    "is_own_phone",
    "is_repeated",
    "judge_confirmations",
    "judge_visit",
    "lock_conditions",
    "lock_for",
    "lock_holder",
    "lock_records",
    "lock_registration",
    "may_remove",
    "move_visits",
    "name_patient",
    "note_presence",
    "proof_of",
    "recall",
    "record",
    "record_all",
    "record_response",
    "refuse",
    "release_expired_holds",
    "remove",
    "remove_slot",
    "require_day_reached",
    "reschedule",
    "respond",
    "restore",
    "return_visits",
    "rewrite_slot",
    "standing_suggestions",
    "suggest",
    "support",
    "unblock",
    "undo_attendance",
    "visits_of",
    "write_slots",
]
