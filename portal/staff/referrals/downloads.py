"""The columns of the referrals as a CSV file."""

from django.utils.translation import gettext_lazy as _

from clinic.translations import text_of
from portal.appointments.referrals import STATE_WORDS
from portal.common.csv_lists import Column, CsvList, DateColumn, PatientColumns
from scheduling.referrals import Referral

REFERRALS: CsvList[Referral] = CsvList(
    name="referrals",
    about=lambda referral: [referral.row],
    columns=(
        Column(_("Reference"), lambda referral: referral.reference),
        PatientColumns(lambda referral: referral.row.patient),
        Column(_("Name as referred"), lambda referral: referral.row.patient_name),
        Column(_("Service"), lambda referral: text_of(referral.row.service, "name")),
        Column(_("Referrer"), lambda referral: referral.row.referrer),
        DateColumn(_("Made on"), lambda referral: referral.made),
        Column(_("State"), lambda referral: STATE_WORDS[referral.state].word),
    ),
)
