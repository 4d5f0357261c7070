"""Translation catalogs: extract the texts, merge and compile translations, and find texts without a translation tag.

For developers and tests. It uses Babel instead of the gettext programs; a running clinic reads the compiled files only.
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

from portal.management.labels import admin_labels

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

# Attributes that are seen or heard, elements whose content is not text, and words that are the same in all languages.
SHOWN = frozenset({"alt", "aria-description", "aria-label", "aria-roledescription", "content", "placeholder", "title"})
UNREAD = frozenset({"code", "script", "style"})
SAME_EVERYWHERE = frozenset({"UTC"})


# Extraction


def python_files() -> Iterator[Path]:
    """Yield the Python files of the apps, without migrations."""
    for app in APPS:
        yield from sorted(each for each in (ROOT / app).rglob("*.py") if "migrations" not in each.parts)


def templates() -> Iterator[Path]:
    """Yield the templates of pages and messages."""
    for folder in (ROOT, *(ROOT / app for app in APPS)):
        yield from sorted(each for each in (folder / "templates").rglob("*") if each.suffix in (".html", ".txt"))


def extracted() -> Catalog:
    """Return a catalog of all texts that code and templates mark for translation, and of the models' labels."""
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
    for file, label in admin_labels():
        catalog.add(label, locations=[(file, 1)])
    return catalog


# Translations


def po_file(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def read(path: Path, language: str) -> Catalog:
    """Read a .po file; a missing file gives an empty catalog."""
    if not path.exists():
        return Catalog(language, charset="utf-8", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, language, ignore_obsolete=True)


def merged(language: str, translated: Path | None = None) -> Catalog:
    """Return the current texts with the existing translations; those in the file `translated` take precedence."""
    catalog = read(po_file(language), language)
    template = extracted()
    template.creation_date = catalog.creation_date  # or every run would change the file
    catalog.update(template, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    for message in read(translated, language) if translated else ():
        current = catalog.get(message.id, message.context)
        if message.id and current is not None and is_complete(message):
            current.string = message.string
            current.flags.discard("fuzzy")
    return catalog


def untranslated_part(catalog: Catalog, language: str) -> Catalog:
    """Return the texts that are not translated yet, as a catalog to send to a translator."""
    part = Catalog(language, charset="utf-8", fuzzy=False)
    for message in missing(catalog):
        part.add(message.id, locations=message.locations, context=message.context)
    return part


def write(catalog: Catalog, path: Path) -> None:
    """Write a .po file with the file of each text, but without line numbers, which change too often."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=0, sort_by_file=True, include_lineno=False, ignore_obsolete=True)


def compiled(catalog: Catalog) -> bytes:
    """Return the catalog as a .mo file."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def is_complete(message: Message) -> bool:
    """True if a text is translated in all its plural forms, and not marked as fuzzy."""
    return not message.fuzzy and all(_forms(message.string))


def missing(catalog: Catalog) -> list[Message]:
    return [each for each in catalog if each.id and not is_complete(each)]


def misplaced(catalog: Catalog) -> list[str]:
    """Return the translations whose placeholders differ from those of the text."""
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


# Texts without a translation tag


class _Reader(HTMLParser):
    """Parser that collects the text of a page and of its visible or spoken attributes."""

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
    """Return the words of a template that are outside of translation tags."""
    words = _own_words(source)
    if "<" not in words and '="' in words:  # a template that is included inside a tag
        words = f"<x {words}>"
    reader = _Reader()
    reader.feed(words)
    reader.close()
    lines = (" ".join(each.split()) for each in reader.seen)
    return [each for each in lines if re.search(r"[^\W\d_]{2}", each) and each not in SAME_EVERYWHERE]


def _own_words(source: str) -> str:
    """Return a template's text without its tags, and without comments and translated blocks."""
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
