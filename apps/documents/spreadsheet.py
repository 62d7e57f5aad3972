"""A paper as CSV: one flat table, each row with what paper it is of."""

import csv
from io import StringIO

from apps.common.cells import guarded
from apps.documents.paper import Paper

OF_PAPER = ("organization", "event", "stage", "section", "document", "state", "revision", "issued", "sha256")


def spreadsheet(paper: Paper) -> bytes:
    """UTF-8 with a byte order mark, without which Excel garbles ë and ç; commas, CRLF, one row of names.

    A field that a spreadsheet would run as a formula gets an apostrophe in front (`apps.common.cells`).
    """
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow([*(column.name for column in paper.columns), *OF_PAPER])
    for section in paper.sections:
        for row in section.rows:
            writer.writerow([guarded(value) for value in (*row, *_of_paper(paper, section.title))])
    return out.getvalue().encode("utf-8-sig")


def _of_paper(paper: Paper, section: str) -> tuple[str, ...]:
    head = paper.head
    issued = paper.issued.astimezone(head.clock).isoformat(timespec="seconds")
    return (
        head.organization, head.event, paper.stage, section, paper.title, paper.badge, paper.revision, issued,
        paper.hash,
    )  # fmt: skip
