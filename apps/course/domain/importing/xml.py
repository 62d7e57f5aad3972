"""XML to a small tree that knows its lines. Document types, entities and outside references are refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import InputSource

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from apps.common import foreign
from apps.common.said import Said, phrased

DEEPEST = 64  # elements within elements; no GPX or KML comes near


class XmlFault(Exception):
    """The file cannot be read as XML; `line` is where."""

    def __init__(self, line: int, reason: Said) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(slots=True)
class Node:
    """An element: local name, namespace, attributes by local name, the line it begins on."""

    tag: str
    space: str
    attributes: dict[str, str]
    line: int
    children: list["Node"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts).strip()

    def child(self, tag: str) -> "Node | None":
        return next((node for node in self.children if node.tag == tag), None)

    def child_text(self, tag: str) -> str:
        node = self.child(tag)
        return node.text if node else ""

    def walk(self) -> Iterator["Node"]:
        """This node and all below it, in the order of the file."""
        yield self
        for node in self.children:
            yield from node.walk()


def parse(data: bytes) -> Node:
    """The root element. Raises XmlFault."""
    parser: Any = DefusedExpatParser(forbid_dtd=True)
    tree = _Tree()
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(tree)
    source = InputSource()
    source.setByteStream(BytesIO(data))
    try:
        parser.parse(source)
    except DefusedXmlException as error:
        raise XmlFault(tree.line, Said("document types and entities are refused")) from error
    except SAXParseException as error:
        why = phrased(error.getMessage(), foreign.XML)
        raise XmlFault(error.getLineNumber() or 1, Said("not valid XML: %(why)s", why=why)) from error
    except (SAXException, ValueError, LookupError) as error:
        raise XmlFault(tree.line, Said("not readable as XML: %(why)s", why=error)) from error
    return tree.root.children[0]


class _Tree(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self._locator: Any = None
        self.root = Node("", "", {}, 1)
        self._open = [self.root]

    @property
    def line(self) -> int:
        return int(self._locator.getLineNumber() or 1) if self._locator else 1

    def setDocumentLocator(self, locator: Any) -> None:
        self._locator = locator

    def startElementNS(self, name: Any, qname: Any, attrs: Any) -> None:
        if len(self._open) > DEEPEST:
            raise XmlFault(self.line, Said("elements are nested more than %(most)s deep", most=DEEPEST))
        space, tag = name
        node = Node(tag, space or "", {key[1]: value for key, value in attrs.items()}, self.line)
        self._open[-1].children.append(node)
        self._open.append(node)

    def endElementNS(self, name: Any, qname: Any) -> None:
        self._open.pop()

    def characters(self, content: str) -> None:
        self._open[-1].texts.append(content)
