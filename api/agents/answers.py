"""The answers of the tools, whose schemas agents read."""

from pydantic import BaseModel, Field


class BookableService(BaseModel):
    """A kind of visit that can be booked."""

    service: str = Field(description="The id, for find_times.")
    name: str
    about: str
    how_to_prepare: str
    by_video: bool
    for_patients: str = Field(description="`everyone`, or only `new` or `returning` patients.")
    needs_referral: bool = Field(description="A patient books it only with a referral.")
    needs_insurance: bool
    needs_answers: bool = Field(
        description="The patient must fill in a form first, which is done on the clinic's site."
    )
    is_requested: bool = Field(description="book_time asks the clinic, which accepts or declines; the time is kept.")


class Services(BaseModel):
    """The services that can be booked."""

    services: list[BookableService]


class FreeTime(BaseModel):
    """A free time. It is not held: somebody else may take it meanwhile."""

    time: str = Field(description="Send this back unchanged to hold_time, book_time or move_visit.")
    start: str = Field(description="Local time of the place, with its offset from UTC.")
    end: str
    time_zone: str
    service: str
    practitioner: str
    place: str


class FreeTimes(BaseModel):
    """Free times in order, the first first."""

    times: list[FreeTime]
    more: bool = Field(description="True if there may be more in this window: search again from the last start on.")


class AgentVisit(BaseModel):
    """A visit."""

    visit: str = Field(description="The id, for book_time, move_visit and cancel_visit.")
    status: str = Field(
        description="`held` until hold_expires_at, `requested` until the clinic answers, `booked`, `cancelled`, ..."
    )
    service: str
    start: str = Field(description="Local time of the place, with its offset from UTC.")
    end: str
    time_zone: str
    practitioner: str
    place: str
    patient: str
    reference: str = Field(description="Short, to read out on the phone.")
    hold_expires_at: str | None = Field(description="The instant from which a held time is free for others again.")
    can_be_moved: bool
    can_be_cancelled: bool
    notes: list[str] = Field(default=[], description="Remarks of the clinic about this visit.")


class AgentVisits(BaseModel):
    """Visits of one patient."""

    visits: list[AgentVisit]
