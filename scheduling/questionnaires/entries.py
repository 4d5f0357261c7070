"""Entries: texts typed into the form of a questionnaire, read from answers or from a posted form."""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha1
from zoneinfo import ZoneInfo

from clinic.fhir.codes import TYPED
from scheduling.questionnaires.control_names import (
    NAME,
    Indices,
    indices_of,
    joined,
    link,
    link_of,
    name_of,
    placed,
    question_of,
    rows_of,
)
from scheduling.questionnaires.items import MOST_ROWS, Item, Json, walk
from scheduling.questionnaires.values import write


@dataclass(frozen=True)
class Entries:
    """Typed texts by the names of their controls, and files by their hash."""

    typed: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class PostedForm:
    """The form posted by a page. `shown` has the names of the questions on the page; `files` are new files."""

    typed: dict[str, list[str]]
    shown: frozenset[str]
    files: dict[str, Json] = field(default_factory=dict)


def first_entries(items: Iterable[Item], zone: ZoneInfo, indices: Indices = ()) -> Entries:
    """The entries of the questionnaire's FHIR initial values."""
    typed: dict[str, list[str]] = {}
    for item in items:
        typed |= typed_values(item, name_of(item, indices), item.initial, zone)
        typed |= first_entries(item.items, zone, (*indices, 0)).typed
    return Entries(typed)


def typed_values(item: Item, base: str, values: Iterable[Json], zone: ZoneInfo) -> dict[str, list[str]]:
    """The control names and texts for these answers to the question called `base`."""
    typed: dict[str, list[str]] = {}
    for n, value in enumerate(values):
        if item.is_many:
            _add_choice(typed, base, write(item, value, zone))
        elif n < item.most:
            typed |= _named(f"{base}.{n}", write(item, value, zone))
    return typed


def entries_of(items: Iterable[Item], answers: Iterable[Json], zone: ZoneInfo) -> Entries:
    """The entries that would give these answers, or were typed."""
    known = {each.link_id: each for each in walk(items)}
    entries = Entries()
    _read(known, answers, (), entries, zone)
    return entries


def merge(items: Iterable[Item], entries: Entries, posted: PostedForm) -> Entries:
    """The entries with those of the posted questions replaced."""
    items_by_link = {link(each.link_id): each for each in walk(items)}

    def was_shown(key: str) -> bool:
        item = items_by_link.get(link_of(key))
        if item is None or item.read_only or item.hidden:
            return False
        return item.is_group or question_of(key, (item,)) in posted.shown

    kept = {key: texts for key, texts in entries.typed.items() if not was_shown(key)}
    sent = {key: texts for key, texts in posted.typed.items() if was_shown(key)}
    return Entries({**kept, **sent}, {**entries.files, **posted.files})


def add_row(items: Iterable[Item], entries: Entries, name: str, zone: ZoneInfo) -> Entries:
    """The entries with another row of the question or group of the row called `name`."""
    item, indices = placed(items, name)
    if item is None or not indices:
        return entries
    indices = indices[:-1]
    base = name_of(item, indices)
    n = max(rows_of(entries.typed)[base], 1)
    inside = first_entries(item.items, zone, (*indices, n)).typed
    return Entries({**entries.typed, f"{base}.{n}": ["1" if item.is_group else ""], **inside}, entries.files)


def remove_row(items: Iterable[Item], entries: Entries, name: str) -> Entries:
    """The entries without the row called `name`; rows after it move up."""
    item, indices = placed(items, name)
    if item is None or not indices:
        return entries
    *before, gone = indices
    below = {link(each.link_id) for each in walk((item,))}
    left: dict[str, list[str]] = {}
    for key, texts in entries.typed.items():
        match = NAME.fullmatch(key)
        at = indices_of(match) if match else ()
        inside = match and match["link"] in below and list(at[: len(before)]) == before and len(at) > len(before)
        if not match or not inside:
            left[key] = texts
        elif at[len(before)] != gone:
            moved = at[len(before)] - (at[len(before)] > gone)
            numbers = (*before, moved, *at[len(before) + 1 :])
            left[joined(match["link"], numbers) + (f".{match['part']}" if match["part"] else "")] = texts
    return Entries(left, entries.files)


def file_entry(data: bytes, media: str, title: str) -> Json:
    """A FHIR Attachment of an uploaded file; forms send its hash."""
    entry = {"contentType": media, "title": title[:200], "size": len(data), "hash": _digest(data)}
    return {**entry, "data": b64encode(data).decode()} if data else entry


def hash_in_address(digest: str) -> str:
    """A file's hash in characters that are allowed in an address."""
    return b64decode(digest).hex()


def _read(known: dict[str, Item], answers: Iterable[Json], at: Indices, entries: Entries, zone: ZoneInfo) -> None:
    seen: Counter[str] = Counter()
    for raw in answers:
        item = known.get(str(raw.get("linkId")))
        if item is None:
            continue
        base = name_of(item, at)
        if item.is_group:
            n = seen[base]
            seen[base] += 1
            entries.typed[f"{base}.{n}"] = ["1"]
            _read(known, raw.get("item", ()), (*at, n), entries, zone)
            continue
        for n, answer in enumerate(raw.get("answer", ())[:MOST_ROWS]):
            value = _with_hash({name: each for name, each in answer.items() if name.startswith("value")}, entries)
            typed = write(item, value, zone) if value else _as_typed(answer)
            if item.is_many:
                _add_choice(entries.typed, base, typed)
                index = next((i for i, option in enumerate(item.options) if option.key == typed.get("")), n)
            else:
                entries.typed.update(_named(f"{base}.{n}", typed))
                index = n
            _read(known, answer.get("item", ()), (*at, index), entries, zone)


def _with_hash(value: Json, entries: Entries) -> Json:
    """The value with its attachment's hash, under which the file is added to the entries."""
    attachment = value.get("valueAttachment")
    if attachment is None:
        return value
    if "hash" not in attachment:
        data = b64decode(attachment.get("data", "")) or str(attachment.get("url", "")).encode()
        attachment = {**attachment, "hash": _digest(data)}
    entries.files[attachment["hash"]] = attachment
    return {"valueAttachment": attachment}


def _digest(data: bytes) -> str:
    """The hash of an Attachment: https://hl7.org/fhir/R4/datatypes-definitions.html#Attachment.hash"""
    return b64encode(sha1(data, usedforsecurity=False).digest()).decode()


def _as_typed(answer: Json) -> dict[str, str]:
    parts = (part for each in answer.get("extension", ()) if each["url"] == TYPED for part in each["extension"])
    return {"" if part["url"] == "text" else part["url"]: part["valueString"] for part in parts}


def _add_choice(typed: dict[str, list[str]], base: str, choice: dict[str, str]) -> None:
    typed.setdefault(base, []).append(choice.get("", ""))
    if "other" in choice:
        typed.setdefault(f"{base}.other", []).append(choice["other"])


def _named(name: str, typed: dict[str, str]) -> dict[str, list[str]]:
    return {f"{name}.{part}" if part else name: [text] for part, text in typed.items()}
