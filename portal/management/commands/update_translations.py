"""`manage.py update_translations es`: update a language's catalog, and list the texts that are not translated yet."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Collects the texts of code and templates into locale/, compiles them, and prints those not translated yet."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("language", nargs="?", default="es", help="such as es")
        parser.add_argument("--from", dest="translated", type=Path, help="a .po file with translations to take over")
        parser.add_argument("--missing", type=Path, help="write what is to be translated to this .po file")

    def handle(self, *, language: str, translated: Path | None, missing: Path | None, **options: Any) -> None:
        try:
            from portal.management import texts
        except ImportError as error:
            raise CommandError(f"This needs the development packages: {error}.") from error
        if language not in dict(settings.LANGUAGES):
            raise CommandError(f"{language} is not one of LANGUAGES.")
        if translated and not translated.exists():
            raise CommandError(f"{translated} does not exist.")
        catalog = texts.merged(language, translated)
        path = texts.po_file(language)
        texts.write(catalog, path)
        path.with_suffix(".mo").write_bytes(texts.compiled(catalog))
        left = texts.missing(catalog)
        for message in left:
            context = f" (context: {message.context})" if message.context else ""
            self.stdout.write(f"{message.id!r}{context}")
        if missing:
            texts.write(texts.untranslated_part(catalog, language), missing)
        self.stderr.write(f"{len(left)} of {len(catalog)} texts are still to be translated into {language}.")
