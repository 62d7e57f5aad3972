"""Documents through their door: what they say, who may have them, the same bytes for the same revision."""

import csv
import re
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pypdf import PdfReader

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.documents.tests.papers import Built, build
from apps.events.models import Entry
from apps.scoring.models import ResultRevision

pytestmark = pytest.mark.django_db
OF_REVISION = ("classification", "classification-by-class", "classification-of-teams", "penalty-list")
KINDS = ("entry-list", "start-list", "time-sheet", "decision", *OF_REVISION)
PUBLIC = ("entry-list", "start-list", *OF_REVISION)


@pytest.fixture
def built() -> Built:
    return build(12)


def address(built: Built, kind: str, form: str = "pdf") -> str:
    ids = {
        "entry-list": built.event.pk, "start-list": built.start_list.pk,
        "time-sheet": built.stage.pk, "decision": built.decision.pk,
    }  # fmt: skip
    return f"/documents/{kind}/{ids.get(kind, built.revision.pk)}.{form}"


def of_role(built: Built, role: str) -> Client:
    member = OrganizationUserFactory(organization=built.event.organization, role=role)
    client = Client()
    client.force_login(member.user)
    return client


def text_of(content: bytes) -> str:
    pages = PdfReader(BytesIO(content)).pages
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pages))


def records(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"))))


@pytest.mark.parametrize("kind", KINDS)
def test_every_document_says_whose_it_is_and_what_vouches_for_it(built: Built, kind: str) -> None:
    text = text_of(of_role(built, "race-director").get(address(built, kind)).content)
    assert "Motorsport Club Albania" in text and "Rally Albania 2026" in text and "Issued" in text
    assert "Page 1 of" in text and re.search(r"SHA-256 [0-9a-f]{64}", text) and "Clerk of the course" in text or (
        kind == "time-sheet" and "Chief timekeeper" in text
    )  # fmt: skip
    if kind in OF_REVISION:
        assert built.revision.hash in text and "Revision 3" in text and "08.06.2026 16:00:00 CEST" in text
        assert built.stage.name in text and "PROVISIONAL" in text


def test_every_row_of_a_field_of_150_is_on_the_pages() -> None:
    built = build(150)
    client = of_role(built, "timekeeper")
    for kind in ("entry-list", "start-list", "time-sheet", "classification", "classification-by-class"):
        content = client.get(address(built, kind)).content
        text, pages = text_of(content), len(PdfReader(BytesIO(content)).pages)
        assert [e.race_number for e in built.entries if f" {e.race_number} " not in text] == [], kind
        assert pages > 2 and f"Page {pages} of {pages}" in text


def test_names_of_every_alphabet_of_the_field_are_written_right(built: Built) -> None:
    """ë and ç, and what else comes over the border."""
    text = text_of(Client().get(address(built, "entry-list")).content)
    for name in ("Gëzim Çela", "Đurđević", "Παπαδόπουλος", "Núñez"):
        assert name in text


@pytest.mark.parametrize("kind", OF_REVISION)
def test_a_revision_is_printed_with_the_same_bytes_whatever_was_renamed(built: Built, kind: str) -> None:
    client = of_role(built, "race-director")
    before = client.get(address(built, kind)).content
    client.get(address(built, "entry-list"))  # another paper in between
    User.objects.exclude(pk=built.official.pk).update(last_name="Somebody else")
    built.event.name = "Another name"
    built.event.save()
    Entry.objects.update(team="Another team")
    assert client.get(address(built, kind)).content == before


@pytest.mark.parametrize(("plan", "members"), [({}, 2), ({"team_size": 1}, 1)])
def test_teams_are_of_the_size_the_revision_froze(built: Built, plan: dict[str, int], members: int) -> None:
    """Revisions of before the event could say count two; an edit of the event changes none that is published."""
    told = built.revision.snapshot | {"plan": built.revision.snapshot["plan"] | plan}
    other = ResultRevision.objects.create(
        event=built.event,
        stage=built.stage,
        number=4,
        state="amended",
        reason="x",
        snapshot=told,
        hash="0" * 64,
        published_by=built.official,
    )
    built.event.team_size = 3
    built.event.save()
    content = of_role(built, "timekeeper").get(f"/documents/classification-of-teams/{other.pk}.pdf").content
    assert f"best {members} members" in " ".join(text_of(content).split())


@pytest.mark.parametrize("kind", KINDS)
def test_visitors_have_what_is_published_and_nothing_else(built: Built, kind: str) -> None:
    expected = 200 if kind in PUBLIC else 404
    for form in ("pdf", "csv"):
        assert Client().get(address(built, kind, form)).status_code == expected
        assert of_role(built, "participant").get(address(built, kind, form)).status_code == expected


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_has_what_is_of_a_closed_event_of_others(kind: str) -> None:
    built = build(1, is_public=False)
    stranger = Client()
    stranger.force_login(OrganizationUserFactory(role="org-admin").user)
    assert Client().get(address(built, kind)).status_code == 404
    assert stranger.get(address(built, kind)).status_code == 404
    assert of_role(built, "marshal").get(address(built, kind)).status_code == 200


@pytest.mark.parametrize("kind", OF_REVISION)
def test_the_public_waits_for_results_as_long_as_the_event_says(built: Built, kind: str) -> None:
    built.event.public_delay_seconds = 600
    built.event.save()
    assert Client().get(address(built, kind)).status_code == 404
    assert of_role(built, "timekeeper").get(address(built, kind)).status_code == 200
    # A published row cannot be edited: the clock goes on instead.
    connection.cursor().execute("set session_replication_role = replica")
    ResultRevision.objects.filter(pk=built.revision.pk).update(created_at=timezone.now() - timedelta(seconds=601))
    connection.cursor().execute("set session_replication_role = default")
    assert Client().get(address(built, kind)).status_code == 200


def test_a_draft_start_list_is_not_for_the_public(built: Built) -> None:
    draft = type(built.start_list).objects.create(
        stage=built.stage, version=3, state="draft", rows=[], author=built.official, hash="0" * 64
    )
    address = f"/documents/start-list/{draft.pk}.pdf"
    assert Client().get(address).status_code == 404
    assert "DRAFT" in text_of(of_role(built, "timekeeper").get(address).content)


def test_what_happened_is_told_to_those_who_may_read_it(built: Built) -> None:
    told = "63 km/h"
    assert told in text_of(of_role(built, "timekeeper").get(address(built, "penalty-list")).content)
    assert told not in text_of(Client().get(address(built, "penalty-list")).content)


def test_who_published_and_why_is_not_for_the_public(built: Built) -> None:
    assert "Besnik Gjoka" in text_of(of_role(built, "timekeeper").get(address(built, "classification")).content)
    assert "Besnik Gjoka" not in text_of(Client().get(address(built, "classification")).content)


def test_a_csv_file_reads_back_as_the_results_it_was_made_of(built: Built) -> None:
    response = Client().get(address(built, "classification", "csv"))
    assert response.content.startswith(b"\xef\xbb\xbf") and response["Content-Type"] == "text/csv; charset=utf-8"
    rows = records(response.content)
    assert [int(row["race_number"]) for row in rows] == [line["number"] for line in built.revision.snapshot["results"]]
    assert rows[0] | {"total": "1:32:00", "penalties": "0:02:00", "crew": "Gëzim Çela / Arta Hoxha"} == rows[0]
    assert {row["status"] for row in rows} == {"", "DNF"}
    assert {(row["revision"], row["sha256"], row["state"]) for row in rows} == {
        ("3", built.revision.hash, "provisional")
    }


def test_a_name_that_is_a_formula_is_not_run_by_a_spreadsheet(built: Built) -> None:
    formula = '=HYPERLINK("http://example.org/","x")'
    Entry.objects.filter(pk=built.entries[0].pk).update(team=formula)
    Entry.objects.filter(pk=built.entries[1].pk).update(team="-5")
    rows = records(Client().get(address(built, "entry-list", "csv")).content)
    assert rows[0]["team"] == "'" + formula and rows[1]["team"] == "-5"


def test_markup_in_a_name_is_text(built: Built) -> None:
    Entry.objects.filter(pk=built.entries[0].pk).update(team="<b>A & B</b> <img src='file:///etc/passwd'/>")
    assert "<b>A & B</b>" in text_of(Client().get(address(built, "entry-list")).content)


def test_a_reason_longer_than_a_page_breaks_nothing(built: Built) -> None:
    reason = "A long story. " * 1500
    rows = [{**built.start_list.rows[0], "reason": reason}]
    long = type(built.start_list).objects.create(
        stage=built.stage, version=4, state="draft", rows=rows, author=built.official, hash="0" * 64
    )
    content = of_role(built, "timekeeper").get(f"/documents/start-list/{long.pk}.pdf").content
    assert text_of(content).count("story") == 1500


def test_a_document_costs_the_same_queries_for_one_entry_and_for_many() -> None:
    few, many = build(1), build(40)
    for kind in KINDS:
        assert queries(few, kind) == queries(many, kind) <= 16, kind


def queries(built: Built, kind: str) -> int:
    client = of_role(built, "race-director")
    client.get(address(built, kind, "csv"))  # the event's plan is read once
    with CaptureQueriesContext(connection) as context:
        assert client.get(address(built, kind, "csv")).status_code == 200
    return len(context)


def test_the_list_of_documents_says_what_is_missing_and_why(built: Built) -> None:
    page = of_role(built, "race-director").get(f"/documents/events/{built.event.pk}/")
    text = page.content.decode()
    assert address(built, "penalty-list") in text and address(built, "time-sheet") in text
    assert "It comes when the time for protests is over." in text
    assert "publish provisional results" in text  # of the whole event
    public = Client().get(f"/documents/events/{built.event.pk}/").content.decode()
    assert address(built, "classification") in public and address(built, "time-sheet") not in public
    assert "publish provisional results" not in public and "Decision" not in public


def test_the_list_of_documents_costs_a_fixed_number_of_queries() -> None:
    def count(built: Built) -> int:
        client = of_role(built, "race-director")
        with CaptureQueriesContext(connection) as context:
            client.get(f"/documents/events/{built.event.pk}/")
        return len(context)

    assert count(build(1)) == count(build(40))


@pytest.mark.parametrize(
    "path",
    ["classification/{id}.xls", "nothing/{id}.pdf", "classification/00000000-0000-0000-0000-000000000000.pdf", "x"],
)
def test_what_there_is_not_is_not_found(built: Built, path: str) -> None:
    assert Client().get("/documents/" + path.format(id=built.revision.pk)).status_code == 404


def test_the_language_is_the_requesters_or_the_one_asked_for(built: Built) -> None:
    client = Client()
    asked = text_of(client.get(address(built, "classification"), {"lang": "sq"}).content)
    preferred: Any = client.get(address(built, "classification"), headers={"accept-language": "sq"})
    assert "Klasifikimi i përkohshëm" in asked and "Faqja 1 nga 1" in asked
    assert text_of(preferred.content) == asked and preferred["Content-Language"] == "sq"
    assert "Provisional classification" in text_of(client.get(address(built, "classification")).content)


def test_a_decision_says_who_decided_what_why_and_whether_it_holds(built: Built) -> None:
    client = of_role(built, "race-director")
    text = text_of(client.get(address(built, "decision")).content)
    for words in ("Decision No. 1", "12.4 c", "Doc 4.1", "held up by a tractor", "0:02:00", "Besnik Gjoka", "IN FORCE"):
        assert words in text
    built.decision.revoked_at, built.decision.revoked_by = timezone.now(), UserFactory(first_name="Blerta")
    built.decision.revoked_reason = "The marshal was mistaken"
    built.decision.save()
    text = text_of(client.get(address(built, "decision")).content)
    assert "REVOKED" in text and "The marshal was mistaken" in text and "Blerta" in text


def test_every_text_of_documents_and_imports_is_there_in_albanian() -> None:
    """What the programs mark to be translated, and no text twice."""
    root = Path(__file__).resolve().parents[3]
    files = [
        *root.glob("apps/documents/*.py"), *root.glob("apps/events/entry_*.py"), root / "apps/catalog/device_import.py",
        root / "apps/common/bulk.py", root / "apps/common/sheets.py", root / "apps/accounts/admin_import.py",
        *root.glob("apps/documents/templates/**/*.html"), *root.glob("apps/accounts/templates/admin/importing/*.html"),
    ]  # fmt: skip
    marked = re.compile(r'(?:\b_|gettext_lazy|gettext)\(\s*"([^"]+)"|translate ["\']([^"\']+)["\']')
    texts = {a or b for file in files for a, b in marked.findall(file.read_text())}
    assert len(texts) > 120
    with translation.override("sq"):
        same = sorted(text for text in texts if translation.gettext(text) == text)
    assert same == []
