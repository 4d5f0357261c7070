"""The kinds of message: the events that messages are about, and the media by which they are sent."""

from clinic.labels import Choices


class Event(Choices):
    """The event that a message is about."""

    REQUEST = "request", "A visit is asked for"
    STAFF_REQUEST = "staff-request", "A request waits for the staff's answer"
    SUGGESTION = "suggestion", "The clinic suggests another time for a request"
    CONFIRMATION = "confirmation", "A visit is booked"
    CHANGE = "change", "A visit is moved or changed"
    CANCELLATION = "cancellation", "A visit is cancelled"
    REMINDER = "reminder", "A visit is near"
    PROOF = "proof", "A guest proves an email address"


class Medium(Choices):
    """The medium by which a message is sent."""

    EMAIL = "email", "Email"
    SMS = "sms", "Text message"
    IN_APP = "in-app", "On the pages"
