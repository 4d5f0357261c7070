"""The pages of each reader, with the rows in their addresses; and the addresses that are no pages."""

from collections.abc import Iterator

from django.urls import reverse

# Name of a page, rows in its address (keys of `world`), query; "= 403" where it is refused.
GUEST = """
services
services ?q=teeth
services ?service=gone
choose-time checkup
choose-time advice ?zone=Europe/Berlin
choose-time checkup ?practitioner=nobody
choose-time checkup ?visits=3&every=2
choose-time checkup ?month=2027-01
choose-time nothing = 404
together
together ?service={checkup}&service={checkup}
together ?service={checkup}&service={advice}&any_order=on
deep-link checkup ?time=2026-01-01T10:00:00Z~gone = 409
manage link
manage late_link
manage moving_link
manage suggested_link
manage past_link
manage nothing = 410
carer-invitation invitation
carer-invitation nothing = 410
staff-invitation nothing = 410
staff-invitation staff_invitation
manage-move link
manage-cancel link
manage-wait link
manage-balance link
payment-back reference
wait checkup
wait nothing = 404
waiting wait_link
waiting offer_link
waiting nothing = 410
waiting-change wait_link
manage-cancel late_link
manage-check-in late_link
find-visit site
find-visit nothing = 404
ticket ticket
ticket used_ticket
ticket nothing = 404
recall recall
recall ended_recall
recall nothing = 404
unsubscribe unsubscribe
practitioner chen
practitioner nobody = 404
site site
site nobody = 404
authorize ?client_id=nobody = 400
"""
PATIENT = """
services
choose-time checkup
visits
visit booked
visit video
visit open
visit late
visit requested
visit fulfilled
visit cancelled
visit nothing = 404
cancel booked
cancel late
wait checkup
wait-visit booked
waiting offer_link
waiting left_link
visit first
cancel first ?which=all
move first ?which=all
move booked
booked booked
join video
join over
check-in booked
check-in near
check-in here
answers booked
about held
about-details held someone
also held ?for={leo_patient}
questions-part held 1
coverage held
new-coverage held
details-check asked
needs ready
confirm ready
confirm gone = 409
pay unpaid
pay unpaid ?cancelled
payment paying
payment lost = 409
balance deposit
balance paid
balance returned ?paid
visit paid
my-details
details-of leo_patient
details-name own
details-address own
details-needs own
details-coverage-new own
details-coverage own insurance
details-coverage-end own insurance
details-data own
details-data leo_patient
details-erase own
details-card own insurance
feeds
apps
app-stop app
family
family-add
family-change leo
family-remove leo
carer-invite
carer-end invited
messages
preferences
preferences-of leo_patient
board = 403
"""
PRACTITIONER = """
day
week
month
agenda
board
worklist
worklist ?who=later
staff-notices
staff-notices-settings
worklist-item unconfirmed late_key
waiting-list
staff-visit arrived
staff-visit booked
staff-visit nothing = 404
staff-cancel booked
staff-cancel-several first
staff-move-several first
staff-move-several first ?which=all&date=2027-06-01&time=10:00
staff-visit requested
staff-move booked
staff-suggest requested
staff-peek booked
staff-peek requested
staff-new-visit
staff-walk-in
staff-new-block
staff-block block
staff-group class ?schedule={schedule}&start={class_start}
sheets
staff-why
feeds
hours
hours-edit schedule checkup
hours-settings schedule checkup
questionnaire-preview questionnaire
"""
FRONT_DESK = """
staff-patients
staff-patient own
staff-patient own ?past=2&audit=2
staff-patient leo_patient
staff-patient nothing = 404
staff-patient-edit own
labels
patient-labels own
coming-visits own
coming-visits nothing = 404
staff-duplicates
staff-compare own leo_patient
staff-note patient_note
staff-visit paid
staff-payment paid
staff-payment missed
staff-cancel paid
day
board
staff-check-in site
staff-embed
staff-messages
staff-new-message
staff-message note
staff-message sent_note
staff-message-change note
staff-absences
staff-new-absence
staff-absence absence
staff-absence-change absence
staff-payments
staff-late
staff-late ?person={schedule}&minutes=20
staff-referrals
staff-referrals ?state=no-show
staff-referral referral
staff-visit in_room
staff-room in_room
staff-room cancelled
staff-visit cancelled
staff-new-visit
waiting-list
waiting-list-offers
waiting-list-gaps
waiting-list-gaps ?view=week
waiting-list-find
waiting-list-join checkup leo_patient
report visits
report time ?first=2026-01-01&last=2026-01-31&by=person
report visits ?first=2026-01-31&last=2026-01-01&by=week
report-free-times
hours
feeds = 403
"""
REFERRER = """
referrals
referral-new
referral referral
referral used_referral
referral-book referral
referral-withdraw referral
referral nothing = 404
services
"""
ADMINISTRATOR = """
day
setup
setup-clinic
setup-sites
setup-site site
setup-people
setup-person chen
setup-rooms
setup-room room
setup-device device
setup-services
setup-services ?kind=dentist
setup-service-new
setup-service checkup
setup-questionnaires
setup-questionnaire questionnaire
setup-question-new questionnaire
setup-question questionnaire allergies
setup-types
setup-type service_type
setup-hours
setup-week schedule
setup-calendar schedule
setup-messages
setup-preview
closures
closures-holidays
closures-holidays ?country=DE&region=BY
people
people-invite
people-second-step
people-person chen_account
exports
imports
import sent_file
import checked_file
import file_in_work
import done_file
import 0 = 404
board
worklist
staff-patient-data own
staff-patient-data leo_patient
staff-erasure-decline leo_patient
staff-erasures
checklist
sheets
staff-why
hours
hours-edit checkup
hours-settings checkup
"""
# Pages that need steps before them: below.
BY_DOING = {
    "course", "found-visit", "found-visits", "wait-about", "wait-proof", "proof", "questions", "questions-stop",
    "details", "details-number", "details-number-code", "start", "hold",
}  # fmt: skip
# Responses to forms and scripts, and files.
NO_PAGES = {
    "referral-send",
    "staff-referral-send",
    "export-file",
    "people-invite-again",
    "people-withdraw",
    "people-active",
    "people-end-sessions",
    "people-end-session",
    "people-reset-second-step",
    "sessions-end",
    "session-end",
    "near", "let-go", "keep", "presence", "ics", "manage-attend", "feed", "feed-revoke", "messages-read", "sms-status",
    "send-again", "questions-save", "answer-file", "set-language", "theme", "photo", "text-read", "text-reply",
    "calendar-choose", "calendar-events", "calendar-changes", "staff-find-patients", "staff-step", "staff-answer",
    "authorize-decide", "closures-remove", "closures-restore", "hours-remove",
    "setup-type-remove", "setup-questions-arrange",
    "hours-closures", "hours-closures-remove", "hours-kept", "hours-kept-remove", "hours-undo", "hours-extra",
    "referral-document", "staff-referral-document", "staff-referral-withdraw", "recall-decline", "recall-end",
    "staff-recall",
    "waiting-answer", "waiting-leave", "waiting-list-give", "waiting-list-priority",
    "waiting-list-remove",
    "hours-extra-remove", "payment-webhook", "staff-restore", "staff-attendance", "answer-suggestion",
    "manage-suggestion", "answer-times", "manage-times", "staff-absence-step", "staff-absence-book",
    "staff-absence-called", "staff-message-step", "embed-script", "staff-kiosk", "staff-late-undo", "details-right",
    "staff-undo-walk-in", "label-styles",
    "card-photo",
    "staff-coverage", "staff-identity", "staff-details", "report-file", "report-free-times-file",
    "staff-patient-coverage", "staff-notes", "staff-note-remove",
    "staff-duplicate-reject", "staff-unmerge", "worklist-own", "waiting-list-call", "waiting-list-call-remove",
    "staff-notices-latest", "staff-notices-seen",
    "import-refused",
    "details-export", "details-erase-withdraw", "staff-patient-export",
}  # fmt: skip


def rows(table: str, world: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Return the addresses of a table, and the expected status of each."""
    for line in filter(None, table.splitlines()):
        words, _equals, status = line.partition(" = ")
        name, *named = words.split()
        query = named.pop() if named and named[-1].startswith("?") else ""
        address = reverse(f"portal:{name}", args=[world.get(each, each) for each in named])
        yield address + query.format_map(world), int(status or 200)
