"""Validation of the XHTML of a narrative, which browsers show: https://hl7.org/fhir/R4/narrative.html#xhtml"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from lxml.html import defs

from clinic.fhir.issues import InvalidElement
from clinic.fhir.xml import DIV, XHTML, read_xml

KINDS = defs.general_block_tags | defs.list_tags | defs.table_tags | defs.phrase_tags | defs.font_style_tags
RUNNING = frozenset({"applet", "basefont", "embed", "iframe", "object", "param", "script"})
ELEMENTS = (KINDS | defs.special_inline_tags | {"style"}) - RUNNING - {"noscript", "isindex"}
ATTRIBUTES = defs.safe_attrs | {"bgcolor", "face", "style"}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SCRIPT = re.compile(r"\s*(?:javascript|vbscript):", re.IGNORECASE)


def faults(div: str) -> Iterator[str]:
    """Yield a sentence for each violation of the invariants txt-1 and txt-2."""
    try:
        root = read_xml(div)
    except InvalidElement as error:
        yield f"txt-1: A narrative is XHTML, without the entities of HTML. {error.text}"
        return
    if root.tag != DIV:
        yield f'txt-1: A narrative is one <div xmlns="{XHTML}">.'
        return
    for node in root.iter(etree.Element):
        yield from _faults(node)
    if not "".join(root.itertext()).strip() and root.find(f".//{{{XHTML}}}img") is None:
        yield "txt-2: A narrative says something."


def _faults(node: Any) -> Iterator[str]:
    name = etree.QName(node)
    if name.namespace != XHTML or name.localname not in ELEMENTS:
        yield f"txt-1: <{name.localname}> cannot be part of a narrative."
    for attribute, value in node.attrib.items():
        if (attribute not in ATTRIBUTES and attribute != LANG) or SCRIPT.match(value):
            yield f"txt-1: <{name.localname}> cannot have {attribute}={value[:50]!r} in a narrative."
