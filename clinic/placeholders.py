"""Placeholders in the subject and body of a message template: their names, the check of a text, and filling them in.

A text may hold `{{ name }}` for the names in PLACEHOLDERS and nothing else of Django's template language.
"""

from collections.abc import Mapping
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.template import Context, Engine, Template, TemplateSyntaxError
from django.template.base import Node, TextNode, VariableNode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.message_kinds import Event

PLACEHOLDERS = {
    "name": gettext_lazy("the given names of the patient"),
    "when": gettext_lazy("day, time and zone of the visit, in full"),
    "time": gettext_lazy("day, time and zone of the visit, short"),
    "old_when": gettext_lazy("the time before a visit was moved, or the one that was requested, in full"),
    "place": gettext_lazy("the site and its address, or that it is a video visit"),
    "link": gettext_lazy("where the visit is confirmed, moved and cancelled"),
    "clinic": gettext_lazy("the name of the clinic"),
    "phone": gettext_lazy("the telephone number of the site, or of the clinic"),
    "service": gettext_lazy("what the visit is for; think of who may read the message"),
    "with_whom": gettext_lazy("the people who give the care; think of who may read the message"),
    "preparation": gettext_lazy("how to prepare; think of who may read the message"),
    "reference": gettext_lazy("the short reference of the visit"),
    "deadline": gettext_lazy("until when the patient can move or cancel online; empty where they cannot"),
    "until": gettext_lazy("until when the patient can take the time that is kept for them"),
    "notice": gettext_lazy("what you have written for patients about the absence"),
    "expected": gettext_lazy("when a visit of today is expected to begin that is late"),
    "amount": gettext_lazy("the amount that is paid, given back, or charged as a fee"),
    "rest": gettext_lazy("the amount that is still due after a payment, or that it is nothing"),
    "insurer": gettext_lazy("the insurer of the patient"),
    "reason": gettext_lazy("why the clinic cannot accept the insurance"),
    "due": gettext_lazy("the month in which the patient is to be seen again"),
    "code": gettext_lazy("the code that proves an address"),
    "outcome": gettext_lazy("what became of a referral"),
    "referrer": gettext_lazy("the person or practice that refers the patient"),
    "day": gettext_lazy("the day on which a young patient becomes an adult"),
}
_OF_PROOF = ("code", "clinic", "phone")
_OF_REFERRALS = ("reference", "outcome", "link", "clinic", "phone")
_OF_TICKETS = ("name", "referrer", "reference", "link", "clinic", "phone")
_OF_COVERAGE = ("name", "insurer", "link", "clinic", "phone")
# In what staff write themselves: to patients with visits, and to those who wait for one.
OF_NOTES = ("name", "when", "time", "place", "service", "with_whom", "reference", "link", "clinic", "phone")
OF_NOTES_TO_WAITING = ("name", "clinic", "phone")
_OF_INVITATIONS = ("name", "link", "clinic", "phone")
_OF_FEW = (
    "code",
    "until",
    "notice",
    "expected",
    "amount",
    "rest",
    "outcome",
    "referrer",
    "insurer",
    "reason",
    "day",
    "due",
)
_OF_VISITS = tuple(name for name in PLACEHOLDERS if name not in _OF_FEW)
_OF_MONEY = (*_OF_VISITS, "amount")
_OF_RECALLS = ("name", "clinic", "phone", "service", "with_whom", "due", "link")
_OF_EVENTS = {
    Event.RECALL: _OF_RECALLS,
    Event.NOTE: OF_NOTES,
    Event.PROOF: _OF_PROOF,
    Event.REFERRAL: _OF_REFERRALS,
    Event.TICKET: _OF_TICKETS,
    Event.SUGGESTION: (*_OF_VISITS, "until"),
    Event.OFFER: (*_OF_VISITS, "until"),
    Event.REBOOKING: (*_OF_VISITS, "until", "notice"),
    Event.DELAY: (*_OF_VISITS, "expected"),
    Event.RECEIPT: (*_OF_MONEY, "rest"),
    Event.REFUND: _OF_MONEY,
    Event.TIME_LOST: _OF_MONEY,
    Event.FEE: _OF_MONEY,
    Event.COVERAGE_VERIFIED: _OF_COVERAGE,
    Event.COVERAGE_REJECTED: (*_OF_COVERAGE, "reason"),
    Event.INVITATION: _OF_INVITATIONS,
    Event.OF_AGE: (*_OF_INVITATIONS, "day"),
}
_ENGINE = Engine(autoescape=False)


def placeholders_of(event: str) -> tuple[str, ...]:
    """Return the names of the placeholders that the template of an event can use."""
    return _OF_EVENTS.get(Event(event), _OF_VISITS)


def check(text: str, event: str, among: tuple[str, ...] = ()) -> None:
    """Raise ValidationError, with a sentence on how to correct the text, unless it can be filled in for the event, or
    with the placeholders `among` alone.
    """
    try:
        nodes = list(_compiled(text).nodelist)
    except TemplateSyntaxError as error:
        raise ValidationError(_("This cannot be read: %(error)s.") % {"error": str(error).rstrip(".")}) from None
    known = among or placeholders_of(event)
    for node in nodes:
        if isinstance(node, TextNode):
            continue
        if not isinstance(node, VariableNode):
            raise ValidationError(_("Only placeholders such as {{ when }} can be used, no {% tags %}."))
        name = node.filter_expression.token
        if name not in known:
            raise ValidationError(
                _("There is no placeholder {{ %(name)s }}. You can use: %(known)s.")
                % {"name": name, "known": ", ".join(f"{{{{ {known_name} }}}}" for known_name in known)}
            )


def pieces(text: str, values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the filled-in text in pieces: a placeholder's name with its value, or an empty name with text between."""
    context = Context(dict(values), autoescape=False)
    return [(_name_of(node), node.render(context)) for node in _compiled(text).nodelist]


def _name_of(node: Node) -> str:
    return node.filter_expression.token if isinstance(node, VariableNode) else ""


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return Template(text, engine=_ENGINE)
