"""The columns of the board of a day as a CSV file."""

from django.utils.translation import gettext_lazy as _

from portal.common.csv_lists import Column, CsvList, PatientColumns, VisitColumns
from portal.staff.board.cards import VisitCard
from scheduling.facts import VisitFacts

BOARD: CsvList[VisitCard] = CsvList(
    name="board",
    about=lambda card: [card.appointment],
    columns=(
        VisitColumns(lambda card: VisitFacts(card.appointment, card.zone)),
        Column(_("Room"), lambda card: card.room),
        PatientColumns(lambda card: card.appointment.patient),
        Column(_("Status"), lambda card: card.where),
        Column(_("Needs"), lambda card: card.needs),
    ),
)
