"""Checks of an installation: its settings are safe, all that it needs answers, and its bookings are whole."""

from clinic.doctor.certificates import CHECKS as CHECKS_OF_CERTIFICATES
from clinic.doctor.check import Check
from clinic.doctor.disk import CHECKS as CHECKS_OF_DISK
from clinic.doctor.rows import CHECKS as CHECKS_OF_ROWS
from clinic.doctor.servers import CHECKS as CHECKS_OF_SERVERS
from clinic.doctor.work import CHECKS as CHECKS_OF_WORK

__all__ = ["CHECKS", "CHECKS_OF_ROWS", "Check"]

CHECKS = (*CHECKS_OF_SERVERS, *CHECKS_OF_DISK, *CHECKS_OF_CERTIFICATES, *CHECKS_OF_WORK, *CHECKS_OF_ROWS)
