"""What the libraries that read people's files and patterns say, phrase by phrase: for `phrased`."""

from apps.common.said import Said

JSON = (
    Said("Expecting value"),
    Said("Expecting property name enclosed in double quotes"),
    Said("Expecting ':' delimiter"),
    Said("Expecting ',' delimiter"),
    Said("Extra data"),
    Said("Unterminated string starting at"),
    Said("Invalid control character at"),
    Said("Invalid \\escape"),
    Said("Invalid \\uXXXX escape"),
)
XML = (
    Said("syntax error"),
    Said("no element found"),
    Said("not well-formed (invalid token)"),
    Said("unclosed token"),
    Said("mismatched tag"),
    Said("duplicate attribute"),
    Said("junk after document element"),
    Said("undefined entity"),
    Said("unbound prefix"),
    Said("unknown encoding"),
    Said("unclosed CDATA section"),
    Said("XML or text declaration not at start of entity"),
    Said("encoding specified in XML declaration is incorrect"),
    Said("line"),
    Said("column"),
)
YAML = (
    Said("could not find expected ':'"),
    Said("mapping values are not allowed here"),
    Said("sequence entries are not allowed here"),
    Said("that cannot start any token"),
    Said("found undefined tag handle"),
    Said("found unexpected end of stream"),
    Said("found character"),
    Said("could not determine a constructor for the tag"),
    Said("expected"),
    Said("the node content"),
    Said("but found"),
    Said("but got"),
    Said("or"),
    Said("found unhashable key"),
    Said("unacceptable character"),
    Said("special characters are not allowed"),
)
# Of msgspec, about values that are not of a schema's kind.
SCHEMA = (
    Said("Object missing required field"),
    Said("Object contains unknown field"),
    Said("Invalid enum value"),
    Said("Expected"),
    Said("of length"),
    Said("matching regex"),
    Said("got"),
)
VALUE = (
    Said("could not convert string to float"),
    Said("Invalid isoformat string"),
)
PATTERN = (
    Said("unterminated character set"),
    Said("missing ), unterminated subpattern"),
    Said("unbalanced parenthesis"),
    Said("nothing to repeat"),
    Said("multiple repeat"),
    Said("min repeat greater than max repeat"),
    Said("bad character range"),
    Said("bad escape"),
    Said("(end of pattern)"),
    Said("unknown extension"),
    Said("at position"),
)
