"""The English texts for people are plain, and have one word for one thing."""

import re

import pytest

from portal.management import texts

# The reason, or the word to use, and what is refused.
REFUSED = {
    "it is a visit": r"(?<![/\w])appointments?\b(?!-)",  # codes, as patient/Appointment.rs, are the software's
    "it is an email": r"\be-mails?\b",
    "it is a No-show": r"\bno shows?\b|\bnoshows?\b|\bnot shown up\b",
    "it is Done": r"\bfulfil",
    "check the spam folder": r"\bunwanted (mail|email|messages)\b|\bjunk (mail|email)\b",
    "it has expired": r"\b(is|are) (good )?no longer good\b|\bgood no longer\b|\bno good\b",
    "too many wrong tries": r"\bwrong too often\b|\btoo often wrong\b",
    "times are held for you": r"\byou hold\b",
    "how are they related to you": r"\bwhat (are|is) (you|he|she|they) to (you|them|him|her)\b",
    "undo, withdraw or end it": r"\b(take|took|taken|takes) (it|this|that|them) back\b|\btake back\b",
    "say the day": r"\bsince always\b|\bsince ever\b",
    "it applies": r"\b(they|it|these|this) holds? (for|on|in|from|until|when|as)\b",
    "name the other calendar": r"\byour calendar elsewhere\b|\bcalendars? elsewhere\b",
    "should, or will": r"\bshall\b",
    "no riddles": r"\bthereof\b|\bthereby\b|\bhereby\b|\bwherein\b|\bwhereupon\b|\bmade out\b|\bthat is to be\b",
}
# The resource of FHIR, in Administration and in answers to software.
FHIR_RESOURCE = {"appointment", "appointments", "Appointment %(number)s of %(count)s"}


def refused(text: str) -> set[str]:
    return {instead for instead, pattern in REFUSED.items() if re.search(pattern, text, re.IGNORECASE)}


def test_no_text_has_words_that_nobody_says_at_a_desk():
    ids = [message.id for message in texts.extracted()]
    found = {text for each in ids for text in (each if isinstance(each, tuple) else (each,))} - FHIR_RESOURCE
    assert {text: refused(text) for text in sorted(found) if refused(text)} == {}


@pytest.mark.parametrize(
    "text",
    [
        "Your appointment is booked.",
        "Send an e-mail",
        "no show",
        "Look among unwanted mail.",
        "The code is good no longer.",
        "That was wrong too often.",
        "You hold two times already.",
        "What are you to them?",
        "Take it back",
        "Since always",
        "They hold for all visits.",
        "Your calendar elsewhere",
    ],
)
def test_they_are_found(text):
    assert refused(text)
