"""The kinds of message: the events that messages are about, and the media by which they are sent."""

from clinic.labels import Choices


class Event(Choices):
    """The event that a message is about."""

    REQUEST = "request", "A visit is asked for"
    STAFF_REQUEST = "staff-request", "A request waits for the staff's answer"
    STAFF_NEWS = "staff-news", "Staff are told of changes to visits"
    SUGGESTION = "suggestion", "The clinic suggests another time for a request"
    OFFER = "offer", "A time comes free for somebody on the waiting list"
    CONFIRMATION = "confirmation", "A visit is booked"
    CHANGE = "change", "A visit is moved or changed"
    CANCELLATION = "cancellation", "A visit is cancelled"
    REMINDER = "reminder", "A visit is near"
    RECALL = "recall", "A patient is to be seen again"
    REBOOKING = "rebooking", "Another time is needed, since the clinic cannot keep a visit"
    KEPT = "kept", "A visit stays as booked after all"
    DELAY = "delay", "A visit begins later than planned"
    RECEIPT = "receipt", "Something is paid after booking"
    REFUND = "refund", "Money is given back"
    TIME_LOST = "time-lost", "A payment came after the time was gone"
    FEE = "fee", "A fee for a missed visit is charged"
    COVERAGE_VERIFIED = "coverage-verified", "The clinic has checked an insurance"
    COVERAGE_REJECTED = "coverage-rejected", "The clinic cannot accept an insurance"
    PROOF = "proof", "A guest proves an email address or a number"
    REPLY = "reply", "A patient answers by text message"
    ANSWER = "answer", "The clinic answers a patient's text message"
    REFERRAL = "referral", "A referrer hears what became of a referral"
    TICKET = "ticket", "The link of a referral is sent to the patient"
    NOTE = "note", "Staff write in their own words"
    INVITATION = "invitation", "A patient invites somebody to manage their visits"
    OF_AGE = "of-age", "A young patient becomes an adult"


class Medium(Choices):
    """The medium by which a message is sent."""

    EMAIL = "email", "Email"
    SMS = "sms", "Text message"
    IN_APP = "in-app", "On the pages"


# Events whose messages have no template: what people write, answers to that, and news for staff.
WITHOUT_TEMPLATE = frozenset({Event.REPLY, Event.ANSWER, Event.NOTE, Event.STAFF_NEWS})
