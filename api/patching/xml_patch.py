"""XML Patch: https://hl7.org/fhir/R4/fhirpatch.html and https://www.rfc-editor.org/rfc/rfc5261

`<diff><replace sel="Appointment/status/@value">cancelled</replace></diff>`. A selector is a path of child elements
with positions and equalities, perhaps ending in an attribute: the rest of RFC 5261 does not apply to FHIR's XML.
"""

import re
from copy import deepcopy
from typing import Any, NoReturn, TypeAlias

from lxml import etree

from api.formats.parsers import read_root
from api.patching.errors import NotApplied
from clinic.fhir.datatypes import Json
from clinic.fhir.issues import InvalidElement
from clinic.fhir.xml import FHIR, from_xml, to_xml
from scheduling.errors import Invalid, Issue
from scheduling.interactions import Patch

Node: TypeAlias = Any  # lxml has no types

NAME = r"(?:[A-Za-z][\w-]*:)?[A-Za-z]\w*"
QUOTED = r"(?:'[^']*'|\"[^\"]*\")"
PREDICATE = rf"\[(?:[1-9][0-9]{{0,5}}|(?:{NAME}/)*(?:{NAME}|@[A-Za-z]+)={QUOTED})\]"
STEP = rf"(?:{NAME}|\*)(?:{PREDICATE})*"
SELECTOR = re.compile(rf"/?{STEP}(?:/{STEP})*(?:/@[A-Za-z]+)?")
# The steps of a selector. Names without a prefix are in the patch's default namespace.
WORD = re.compile(rf"{QUOTED}|@[A-Za-z]+|{NAME}")
ATTRIBUTE = re.compile(r"@[A-Za-z]+")
LONGEST = 1000
MOST_CHANGES = 200


def read(body: bytes) -> Patch:
    """Read an XML Patch. Raises Invalid."""
    diff = read_root(body)
    if etree.QName(diff).localname != "diff":
        _refuse("The root of an XML Patch is the element `diff`.")
    if len(diff) > MOST_CHANGES:
        _refuse(f"An XML Patch has {MOST_CHANGES} changes at most.")

    def apply(resource: Json) -> Json:
        root = to_xml(resource)
        for change in deepcopy(diff):  # what it adds leaves it
            _change(root, change)
        try:
            return from_xml(root)
        except InvalidElement as error:
            raise NotApplied(issues=[Issue(error.code, error.text, error.at)]) from error

    return apply


def _change(root: Node, change: Node) -> None:
    selected = _select(root, change)
    match etree.QName(change).localname:
        case "add":
            _add(selected, change)
        case "replace":
            _replace(selected, change)
        case "remove":
            _remove(selected)
        case other:
            _refuse(f"{other!r} is no change: use add, replace or remove.")


def _select(root: Node, change: Node) -> Node:
    """Return the one element or attribute that a change is for."""
    selector = change.get("sel", "")
    if len(selector) > LONGEST or not SELECTOR.fullmatch(selector):
        _refuse(f"sel={selector[:LONGEST]!r} is not a path such as Appointment/status/@value.")
    path = "/" + WORD.sub(_qualified, selector).removeprefix("/")
    prefixes = {prefix: uri for prefix, uri in change.nsmap.items() if prefix}
    try:
        found = etree.ElementTree(root).xpath(path, namespaces=prefixes | {"_": change.nsmap.get(None) or FHIR})
    except etree.XPathError as error:
        _refuse(f"sel={selector!r} cannot be read: {error}.")
    if len(found) != 1:
        raise NotApplied(f"sel={selector!r} is to find one place, and finds {len(found)}.")
    return found[0]


def _qualified(word: re.Match[str]) -> str:
    text = word[0]
    return text if text[0] in "'\"@" or ":" in text else f"_:{text}"


def _add(selected: Node, change: Node) -> None:
    if _is_attribute(selected):
        _refuse("Nothing can be added to an attribute.")
    if kind := change.get("type"):
        if not ATTRIBUTE.fullmatch(kind):
            _refuse(f"type={kind!r} cannot be added: use an attribute such as @value.")
        selected.set(kind[1:], _text(change))
        return
    match change.get("pos"):
        case None:
            selected.extend(list(change))
        case "prepend":
            selected[:0] = list(change)
        case "before" | "after" as side:
            parent = _parent(selected)
            place = parent.index(selected) + (side == "after")
            parent[place:place] = list(change)
        case other:
            _refuse(f"pos={other!r} is not known: use before, after or prepend.")


def _replace(selected: Node, change: Node) -> None:
    if _is_attribute(selected):
        selected.getparent().set(selected.attrname, _text(change))
        return
    if len(change) != 1:
        _refuse("An element is replaced by one element.")
    _parent(selected).replace(selected, change[0])


def _remove(selected: Node) -> None:
    if _is_attribute(selected):
        del selected.getparent().attrib[selected.attrname]
    else:
        _parent(selected).remove(selected)


def _is_attribute(selected: Node) -> bool:
    return isinstance(selected, str)


def _parent(element: Node) -> Node:
    parent = element.getparent()
    if parent is None:
        raise NotApplied("A patch changes what is in a resource, not the resource itself.")
    return parent


def _text(change: Node) -> str:
    return (change.text or "").strip()


def _refuse(text: str) -> NoReturn:
    raise Invalid(issues=[Issue("invalid", text)])
