"""Conversion between FHIR's XML and its JSON: https://hl7.org/fhir/R4/xml.html

It uses the definitions of fhir.resources, but not that library's XML, which loses ids of names and zeros of times.
Unknown elements are converted too, so that `clinic.fhir.validation` can report them.
"""

import math
import re
from contextlib import suppress
from itertools import zip_longest
from typing import Any, NoReturn, TypeAlias

from fhir.resources.R4B import get_fhir_model_class
from lxml import etree
from lxml import html as lxml_html

from clinic import exact_json
from clinic.fhir.datatypes import Json
from clinic.fhir.definitions import ElementDefinition, Model, elements_of, model_of, type_name
from clinic.fhir.issues import InvalidElement

Node: TypeAlias = Any  # lxml has no types

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
DIV = f"{{{XHTML}}}div"
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# To XML


def to_xml(resource: Json) -> Node:
    """Return the root element of a resource."""
    root = etree.Element(f"{{{FHIR}}}{resource['resourceType']}", nsmap={None: FHIR})
    _write_resource(root, resource)
    return root


def _write_resource(node: Node, resource: Json) -> None:
    _write_children(node, resource, get_fhir_model_class(resource["resourceType"]), ())


def _write_children(node: Node, value: Json, model: Model, attributes: tuple[str, ...]) -> None:
    elements = elements_of(model)
    for name in attributes:
        if name in value:
            node.set(name, _writable(value[name]))
    names = {name.removeprefix("_") for name in value}.difference(attributes, ["resourceType"])
    for name in sorted(names, key=lambda name: elements[name].place):
        element = elements[name]
        for item, extras in zip_longest(_listed(value.get(name)), _listed(value.get(f"_{name}"))):
            _write(node, name, item, extras, element)


def _write(parent: Node, name: str, value: Any, extras: Json | None, element: ElementDefinition) -> None:
    if element.form == "xhtml":
        parent.append(_narrative(value))
        return
    node = etree.SubElement(parent, f"{{{FHIR}}}{name}")
    if element.form == "resource":
        _write_resource(etree.SubElement(node, f"{{{FHIR}}}{value['resourceType']}"), value)
    elif element.model is not None:
        _write_children(node, value, element.model, _attributes(element.model))
    else:
        if value is not None:
            node.set("value", _writable(value))
        if extras:
            _write_children(node, extras, get_fhir_model_class("Element"), ("id",))


def _writable(value: Any) -> str:
    """Return a value as text, without characters that XML does not allow."""
    return UNWRITABLE.sub("\ufffd", value) if isinstance(value, str) else exact_json.dumps(value).decode()


def _narrative(text: str) -> Node:
    """Return the <div> of a narrative. Stored text that is not XHTML loses its tags."""
    with suppress(InvalidElement):
        found = read_xml(text)
        if found.tag == DIV:
            return found
    div = etree.Element(DIV, nsmap={None: XHTML})
    div.text = lxml_html.fragment_fromstring(_writable(text), create_parent="div").text_content()
    return div


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


# From XML


def read_xml(text: str) -> Node:
    """Return the root element. Raises InvalidElement for invalid XML and for a DTD, which could read files."""
    if "<!DOCTYPE" in text:
        raise InvalidElement("XML with a DTD is not accepted.", "structure")
    try:
        return etree.fromstring(text.encode(), _parser())
    except etree.XMLSyntaxError as error:
        raise InvalidElement(f"This is not XML: {error.msg}.", "structure") from error


def from_xml(root: Node) -> Json:
    """Return the resource as JSON. Raises InvalidElement with the path of the fault."""
    return _read_resource(root, etree.QName(root).localname)


def _parser() -> etree.XMLParser:
    """Return a parser that opens no files, reads UTF-8 only, and keeps libxml2's limits of depth and size."""
    return etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )


def _read_resource(node: Node, path: str) -> Json:
    kind = _name(node, path)
    elements = _read_children(node, model_of(kind), path, ())
    if "resourceType" in elements:
        _refuse("The type of a resource is the name of its element.", path)
    return {"resourceType": kind, **elements}


def _read_children(node: Node, model: Model | None, path: str, attributes: tuple[str, ...]) -> Json:
    found: Json = {}
    for name, text in node.attrib.items():
        if name in attributes:
            found[name] = text
        elif name != SCHEMA_LOCATION:
            _refuse(f"{name!r} is no attribute of this element.", path)
    _no_text(node.text, path)
    elements = elements_of(model) if model else {}
    given: dict[str, list[tuple[Any, Json | None]]] = {}
    for child in node:
        name = _name(child, path)
        _no_text(child.tail, path)
        element = elements.get(name) or _undefined(child)
        given.setdefault(name, []).append(_read(child, element, f"{path}.{name}"))
    for name, pairs in given.items():
        many = len(pairs) > 1 or (name in elements and elements[name].many)
        for key, values in ((name, [value for value, _ in pairs]), (f"_{name}", [extra for _, extra in pairs])):
            if any(value is not None for value in values):
                found[key] = values if many else values[0]
    return found


def _read(node: Node, element: ElementDefinition, path: str) -> tuple[Any, Json | None]:
    """Return the value of an element, and the content of `_name` in JSON."""
    if element.form == "xhtml":
        return etree.tostring(node, encoding="unicode", with_tail=False), None
    if element.form == "resource":
        return _read_resource(_only_child(node, path), path), None
    if element.form == "complex":
        return _read_children(node, element.model, path, _attributes(element.model)), None
    extra = _read_children(node, get_fhir_model_class("Element"), path, ("id", "value"))
    text = extra.pop("value", None)
    if text is None and not extra:
        return "", None
    return text if text is None else _value(text, element.form), extra or None


def _undefined(node: Node) -> ElementDefinition:
    return ElementDefinition(place=0, many=False, required=False, form="complex" if len(node) else "text")


def _value(text: str, form: str) -> Any:
    """Return the value as in JSON. Text that does not fit the form stays text, which validation refuses."""
    if form == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if form in ("integer", "decimal") and NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return exact_json.loads(text)
    return text


def _only_child(node: Node, path: str) -> Node:
    _no_text(node.text, path)
    if len(node) != 1:
        _refuse("There is one resource in here.", path)
    _no_text(node[0].tail, path)
    return node[0]


def _name(node: Node, path: str) -> str:
    if node.tag == DIV:
        return "div"
    name = etree.QName(node)
    if name.namespace != FHIR:
        _refuse(f"{name.localname!r} is not of the namespace {FHIR}.", path)
    return str(name.localname)


def _no_text(text: str | None, path: str) -> None:
    if text and not text.isspace():
        _refuse("Values are said in the attribute `value`, not between the tags.", path)


def _refuse(text: str, path: str) -> NoReturn:
    raise InvalidElement(text, "structure", path)


def _attributes(model: Model | None) -> tuple[str, ...]:
    """Return the elements of a type that XML writes as attributes."""
    return ("id", "url") if model is not None and type_name(model) == "Extension" else ("id",)
