"""Cancelled visits as the clinic counts them, on the patient's page and in the reports alike: conditions in SQL.

`visit` is the alias of the table of visits in the statement.
"""


def was_booked(visit: str) -> str:
    """Return the condition for a cancelled visit that was booked once, which excludes released holds: their
    participants had not accepted.
    """
    return f"""NOT {visit}.participant @? '$[*].status ? (@ starts with "tentative")'"""


def was_late(visit: str) -> str:
    """The condition for a visit that was cancelled after the last moment at which patients may cancel, and not by the
    clinic. Its versions tell when that was: a cancelled visit can be restored, cancelled again, and changed later.
    """
    return f"""(
        {visit}.status = 'cancelled' AND {was_booked(visit)}
        AND NOT coalesce({visit}.cancelation_reason @? '$.coding[*].code ? (@ starts with "prov")', false)
        AND coalesce(
            (SELECT min(version.last_updated) FROM clinic_pastversion version
             WHERE version.resource_type = 'Appointment' AND version.row_id = {visit}.id
                AND version.row ->> 'status' = 'cancelled' AND version.version > coalesce(
                    (SELECT max(former.version) FROM clinic_pastversion former
                     WHERE former.resource_type = 'Appointment' AND former.row_id = {visit}.id
                        AND former.row ->> 'status' <> 'cancelled'),
                    0
                )),
            {visit}.last_updated
        ) > {visit}.start - coalesce(
            (SELECT service.cancellation_notice FROM clinic_healthcareservice service
             WHERE service.id = {visit}.service_id),
            interval '0'
        )
    )"""
