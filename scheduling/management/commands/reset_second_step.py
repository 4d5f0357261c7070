from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from scheduling import staff_accounts
from scheduling.errors import NotFound, RuleBroken


class Command(BaseCommand):
    help = "Remove the second step of an account of staff whose owner lost it, and end its sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="The address that signs in to the account.")

    def handle(self, *args: Any, email: str, **options: Any) -> None:
        try:
            staff_accounts.reset_second_step_by_operator(email, now=timezone.now())
        except NotFound:
            raise CommandError(f"No account of staff signs in as {email}.") from None
        except RuleBroken as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write("Removed. Its owner signs in with the password, and adds a second step again.")
