"""The texts that people see: which there are, how they are translated, and which escaped translation.

For developers and tests, with Babel in place of the gettext programs; a running clinic reads the compiled files alone.
"""

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.template.base import Lexer, TokenType
from django.utils.translation.template import templatize

APPS = ("api", "clinic", "demo", "portal", "scheduling")
ROOT = Path(settings.BASE_DIR)
KEYWORDS = {
    name + lazy: spec
    for lazy in ("", "_lazy")
    for name, spec in (
        ("gettext", None),
        ("ngettext", (1, 2)),
        ("pgettext", ((1, "c"), 2)),
        ("npgettext", ((1, "c"), 2, 3)),
    )
} | {"_": None, "lazy": None, "gettext_noop": None}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")

# Attributes that are seen or heard, elements whose content is no text, and words that are the same in any language.
SHOWN = frozenset({"alt", "aria-description", "aria-label", "aria-roledescription", "content", "placeholder", "title"})
UNREAD = frozenset({"code", "script", "style"})
SAME_EVERYWHERE = frozenset({"UTC"})


# Which texts there are


def python_files() -> Iterator[Path]:
    """Our own code, without what a migration says to a developer."""
    for app in APPS:
        yield from sorted(each for each in (ROOT / app).rglob("*.py") if "migrations" not in each.parts)


def templates() -> Iterator[Path]:
    """Pages, parts of pages and messages."""
    for folder in (ROOT, *(ROOT / app for app in APPS)):
        yield from sorted(each for each in (folder / "templates").rglob("*") if each.suffix in (".html", ".txt"))


def extracted() -> Catalog:
    """Every text that our code and templates mark for translation."""
    catalog = Catalog()
    for path in (*python_files(), *templates()):
        source = path.read_text()
        if path.suffix != ".py":
            # A template is indented as HTML is, which Python's own tokenizer refuses.
            source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
        found = extract("python", io.BytesIO(source.encode()), KEYWORDS, ["Translators:"], {"encoding": "utf-8"})
        for line, message, comments, context in found:
            place = (str(path.relative_to(ROOT)), line)
            catalog.add(message, locations=[place], auto_comments=comments, context=context)
    return catalog


# How they are translated


def po_file(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(path: Path, language: str) -> Catalog:
    """A translator's file; an empty one where there is none."""
    if not path.exists():
        return Catalog(language, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, language, ignore_obsolete=True)


def merged(language: str, translated: Path | None = None) -> Catalog:
    """The texts of today with the translations that there are; those of the file `translated` come first."""
    catalog = read(po_file(language), language)
    template = extracted()
    template.creation_date = catalog.creation_date  # or every run would change the file
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    for message in read(translated, language) if translated else ():
        own = catalog.get(message.id, message.context)
        if message.id and own is not None and is_complete(message):
            own.string = message.string
            own.flags.discard("fuzzy")
    return catalog


def untranslated_part(catalog: Catalog, language: str) -> Catalog:
    """What is still to be translated, to send to a translator."""
    part = Catalog(language, charset="utf-8", fuzzy=False)
    for message in missing(catalog):
        part.add(message.id, locations=message.locations, context=message.context)
    return part


def write(catalog: Catalog, path: Path) -> None:
    """A file that a translator reads: where each text is, without line numbers, for they always change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=0, sort_by_file=True, include_lineno=False, ignore_obsolete=True)


def compiled(catalog: Catalog) -> bytes:
    """What Django reads."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def is_complete(message: Message) -> bool:
    """True if a text, in each of its plural forms, is translated by somebody who meant it."""
    return not message.fuzzy and all(_forms(message.string))


def missing(catalog: Catalog) -> list[Message]:
    return [each for each in catalog if each.id and not is_complete(each)]


def misplaced(catalog: Catalog) -> list[str]:
    """Translations that do not say what the text says: a placeholder is missing, or there is one too many."""
    return [
        f"{each.id!r}: {string!r}"
        for each in catalog
        if each.id and is_complete(each)
        for string in _forms(each.string)
        if placeholders(string) not in [placeholders(text) for text in _forms(each.id)]
    ]


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _forms(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return list(text) if isinstance(text, list | tuple) else [text or ""]


# Which escaped it


class _Reader(HTMLParser):
    """Collects what a person would see or hear of a page that shows nothing but its own words."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNREAD:
            self.within.append(tag)
        if tag != "meta":
            self.seen += [value for name, value in attrs if name in SHOWN and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.within:
            self.within.remove(tag)

    def handle_data(self, data: str) -> None:
        if not self.within:
            self.seen.append(data)


def untranslated(source: str) -> list[str]:
    """The words of a template that stand outside of every translation."""
    words = _own_words(source)
    if "<" not in words and '="' in words:  # a part of a page that is included within a tag
        words = f"<x {words}>"
    reader = _Reader()
    reader.feed(words)
    reader.close()
    lines = (" ".join(each.split()) for each in reader.seen)
    return [each for each in lines if re.search(r"[^\W\d_]{2}", each) and each not in SAME_EVERYWHERE]


def _own_words(source: str) -> str:
    """A template without its tags, and without what they put aside or translate."""
    kept: list[str] = []
    until = ""
    for token in Lexer(source).tokenize():
        name, *rest = token.contents.split() if token.token_type == TokenType.BLOCK else [""]
        if until:
            until = "" if name == until else until
        elif name in ("comment", "blocktranslate", "blocktrans") or (name == "block" and rest[0].endswith("_class")):
            until = f"end{name}"
        elif token.token_type == TokenType.TEXT:
            kept.append(token.contents)
    return "".join(kept)
