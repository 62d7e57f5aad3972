"""A paper as PDF: A4, the same bytes for the same paper."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    NextPageTemplate,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from apps.documents.paper import Cells, Column, Paper, Section

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "TRM", "TRM-Bold"
INK, GREY, RULE, SHADE = HexColor("#16202b"), HexColor("#5b6672"), HexColor("#c9d0d7"), HexColor("#f3f5f7")
MARGIN, TOP, FOOT = 15 * mm, 15 * mm, 17 * mm
WIDTH = A4[0] - 2 * MARGIN
LONG = 1000  # letters in a cell
Style = tuple[Any, ...]


def pdf(paper: Paper) -> bytes:
    """The bytes of the file. Paper and language alike, they are alike: no clock, no chance."""
    _fonts()
    out = BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        title=f"{paper.title} – {paper.head.event}",
        author=paper.head.organization,
        subject=paper.hash,
        creator="TRM",
        invariant=1,
        pageCompression=1,
    )
    document.addPageTemplates(
        [
            PageTemplate("first", [_frame(TOP)]),
            PageTemplate("later", [_frame(TOP + 9 * mm)], onPage=_running_head(paper)),
        ]
    )
    document.build([NextPageTemplate("later"), *_story(paper)], canvasmaker=_counting(paper))
    return out.getvalue()


@cache
def _fonts() -> None:
    pdfmetrics.registerFont(TTFont(REGULAR, str(FONTS / "DejaVuSansCondensed.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(FONTS / "DejaVuSansCondensed-Bold.ttf")))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


def _frame(top: float) -> Frame:
    return Frame(MARGIN, FOOT, WIDTH, A4[1] - top - FOOT, 0, 0, 0, 0)


def _style(size: float, *, bold: bool = False, color: Color = INK, **more: Any) -> ParagraphStyle:
    font = BOLD if bold else REGULAR
    return ParagraphStyle("", fontName=font, fontSize=size, leading=size * 1.25, textColor=color, **more)


def _text(content: str, style: ParagraphStyle) -> Paragraph:
    """A paragraph of plain text: nothing in it is markup."""
    return Paragraph(escape(content).replace("\n", "<br/>"), style)


def _story(paper: Paper) -> list[Flowable]:
    story = [*_masthead(paper), *_facts(paper)]
    for section in paper.sections:
        story += _section(paper, section)
    story += [part for note in paper.notes for part in (Spacer(1, 2 * mm), _text(note, _style(8.5, color=GREY)))]
    return [*story, *_signatures(paper)]


def _masthead(paper: Paper) -> list[Flowable]:
    left = [
        _text(paper.head.organization, _style(9, color=GREY)),
        _text(paper.head.event, _style(17, bold=True)),
        _text(paper.head.days, _style(9, color=GREY)),
    ]
    right = [_text(paper.badge.upper(), _style(11, bold=True, color=white, alignment=1))] if paper.badge else []
    badge = Table([[right]], colWidths=[46 * mm], style=[("BACKGROUND", (0, 0), (-1, -1), INK), *_PADDED])
    top = Table([[left, badge if right else ""]], colWidths=[WIDTH - 46 * mm, 46 * mm], style=_BARE)
    stage = [_text(paper.stage, _style(11, color=GREY))] if paper.stage else []
    return [top, Spacer(1, 2.5 * mm), _Line(), Spacer(1, 3 * mm), _text(paper.title, _style(14, bold=True)), *stage]


_BARE: list[Style] = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]
_PADDED: list[Style] = [
    ("TOPPADDING", (0, 0), (-1, -1), 4),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
]


class _Line(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A rule over the width of the page."""

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.width = width
        return width, 1

    def draw(self) -> None:
        self.canv.setStrokeColor(INK)
        self.canv.setLineWidth(1.2)
        self.canv.line(0, 0, self.width, 0)


def _facts(paper: Paper) -> list[Flowable]:
    """Label over value, four to a line."""
    facts = [(_("Issued"), paper.head.at(paper.issued)), *paper.facts]
    if paper.revision and not paper.form:
        facts.insert(0, (_("Revision"), paper.revision))
    cells = [[_text(label, _style(7, color=GREY)), _text(value, _style(8.5, bold=True))] for label, value in facts]
    lines = [cells[n : n + 4] + [""] * (4 - len(cells[n : n + 4])) for n in range(0, len(cells), 4)]
    table = Table(lines, colWidths=[WIDTH * share for share in (0.25, 0.25, 0.25, 0.25)], style=[*_BARE, _GAP])
    return [Spacer(1, 3 * mm), table, Spacer(1, 3 * mm)]


_GAP: Style = ("BOTTOMPADDING", (0, 0), (-1, -1), 5)


def _section(paper: Paper, section: Section) -> list[Flowable]:
    widths = _widths(paper.columns)
    body = [_cells(paper, row) for row in section.rows]
    if not body:
        return [_text(_("There is nothing on this list."), _style(9, color=GREY))]
    if paper.form:
        return [Table(body, colWidths=widths, style=_FORM, splitInRow=1)]
    titles = [_text(column.title, _header(column)) for column in paper.columns]
    heading = [[_text(section.title, _style(10, bold=True)), *[""] * (len(widths) - 1)]] if section.title else []
    top = len(heading)
    style = [*_grid(top), *_apart(paper.columns)]
    table = Table(
        [*heading, titles, *body], colWidths=widths, repeatRows=top + 1, style=style, splitInRow=_long(section)
    )
    return [CondPageBreak(28 * mm), table, Spacer(1, 4 * mm)]


def _widths(columns: tuple[Column, ...]) -> list[float]:
    whole = sum(column.weight for column in columns)
    return [WIDTH * column.weight / whole for column in columns]


def _header(column: Column) -> ParagraphStyle:
    return _style(7.2, bold=True, color=white, **({} if column.wraps else {"alignment": TA_RIGHT}))


def _cells(paper: Paper, row: Cells) -> list[Flowable]:
    return [_text(value, _body(column.wraps, column.strong)) for column, value in zip(paper.columns, row, strict=True)]


@cache
def _body(wraps: bool, strong: bool) -> ParagraphStyle:
    return _style(7.8, bold=strong, **({} if wraps else {"alignment": TA_RIGHT, "splitLongWords": 0}))


def _grid(top: int) -> list[Style]:
    """The look of a table whose row of titles is row `top`."""
    return [
        ("SPAN", (0, 0), (-1, 0)) if top else ("NOSPLIT", (0, 0), (-1, 0)),
        ("BACKGROUND", (0, top), (-1, top), INK),
        ("ROWBACKGROUNDS", (0, top + 1), (-1, -1), [white, SHADE]),
        ("LINEBELOW", (0, top + 1), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("VALIGN", (0, top), (-1, top), "MIDDLE"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2.5),
        ("RIGHTPADDING", (0, 0), (-1, -1), 2.5),
        ("TOPPADDING", (0, 0), (-1, -1), 1.8),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3.2),
    ]


def _apart(columns: tuple[Column, ...]) -> list[Style]:
    """More room where text at the left follows figures at the right."""
    borders = [n for n in range(1, len(columns)) if columns[n].wraps and not columns[n - 1].wraps]
    return [("LEFTPADDING", (n, 0), (n, -1), 6) for n in borders]


def _long(section: Section) -> int:
    """Whether a row may be too long for a page: only then may it be parted."""
    return int(any(len(cell) > LONG for row in section.rows for cell in row))


_FORM: list[Style] = [
    ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
    ("LINEABOVE", (0, 0), (-1, 0), 0.4, RULE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("TOPPADDING", (0, 0), (-1, -1), 5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
]


def _signatures(paper: Paper) -> list[Flowable]:
    """A line for each who signs, three beside each other, never parted from its label."""
    labels = [_text(label, _style(8, color=GREY)) for label in paper.signatures]
    rows = [labels[n : n + 3] for n in range(0, len(labels), 3)]
    return [KeepTogether([part for row in rows for part in (Spacer(1, 14 * mm), _signature_row(row))])]


def _signature_row(labels: list[Paragraph]) -> Table:
    gap, width = 8 * mm, (WIDTH - 16 * mm) / 3
    cells = [cell for label in labels for cell in (label, "")][:-1]
    lines = [("LINEABOVE", (n, 0), (n, 0), 0.7, INK) for n in range(0, len(cells), 2)]
    widths = [width if n % 2 == 0 else gap for n in range(len(cells))]
    return Table([cells], colWidths=widths, style=[*_BARE, ("TOPPADDING", (0, 0), (-1, -1), 3), *lines], hAlign="LEFT")


def _running_head(paper: Paper) -> Callable[[Canvas, Any], None]:
    """What is repeated at the head of every page after the first."""
    parts = (paper.head.event, paper.title, paper.stage, paper.badge)
    line = "  ·  ".join(part for part in parts if part)

    def draw(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(BOLD, 8.5)
        canvas.setFillColor(INK)
        canvas.drawString(MARGIN, A4[1] - TOP - 2 * mm, _fitting(line, WIDTH))
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(0.8)
        canvas.line(MARGIN, A4[1] - TOP - 5 * mm, MARGIN + WIDTH, A4[1] - TOP - 5 * mm)

    return draw


def _fitting(line: str, width: float) -> str:
    while pdfmetrics.stringWidth(line, BOLD, 8.5) > width:
        line = line[:-2].rstrip("…") + "…"
    return line


def _counting(paper: Paper) -> type[Canvas]:
    """A canvas that draws the foot of every page at the end, when it is known how many there are."""

    class Counting(Canvas):  # type: ignore[misc]  # reportlab has no types
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self.pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for page in list(self.pages):
                self.__dict__.update(page)
                _foot(self, paper, len(self.pages))
                super().showPage()
            super().save()

    return Counting


def _foot(canvas: Canvas, paper: Paper, pages: int) -> None:
    low = FOOT - 8 * mm
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, FOOT - 3.5 * mm, MARGIN + WIDTH, FOOT - 3.5 * mm)
    canvas.setFillColor(GREY)
    canvas.setFont(REGULAR, 7)
    canvas.drawString(MARGIN, low, f"SHA-256 {paper.hash}")
    place = _("Page %(page)d of %(pages)d") % {"page": canvas._pageNumber, "pages": pages}
    canvas.drawRightString(MARGIN + WIDTH, low, place)
    revision = _("Revision %(revision)s") % {"revision": paper.revision} if paper.revision and not paper.form else ""
    issued = _("Issued %(at)s") % {"at": paper.head.at(paper.issued)}
    canvas.drawString(MARGIN, low - 3.6 * mm, "  ·  ".join(filter(None, [revision, issued])))
    canvas.drawRightString(MARGIN + WIDTH, low - 3.6 * mm, "TRM")
