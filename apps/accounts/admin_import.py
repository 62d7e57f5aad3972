"""Imports and exports in the admin: a file, what it would change, and only then the change."""

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts import policy
from apps.accounts.admin_policy import PolicyAdmin, person
from apps.accounts.admin_reason import tell_way_back
from apps.common import sheets
from apps.common.audit import last_line
from apps.common.bulk import Cells, Preview, Refused

SHOWN = 200  # rows of a preview; the counts are of all
AGE = 3600  # s for which a preview can be confirmed


class Importer(Protocol):
    """What an app imports (`apps.events.entry_import`)."""

    def preview(self, sheet: sheets.Sheet) -> Preview: ...

    def run(self, sheet: sheets.Sheet, reason: str) -> Preview: ...


class UploadForm(forms.Form):
    target: Any = forms.ModelChoiceField(None, empty_label=None)  # the view says of what
    file = forms.FileField(label=gettext_lazy("File"), help_text=gettext_lazy("CSV or XLSX, at most 5 MiB."))


class ConfirmForm(forms.Form):
    token = forms.CharField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("Kept in the audit log with every change."),
    )


class ImportingAdmin(PolicyAdmin[Any]):
    """Base of the admin of what comes in files. `importer`, `exported`, `columns` and `target_model` say what of."""

    change_list_template = "admin/importing/change_list.html"
    target_model: type[Model]
    a_row: Any = ""  # what a row of the file is, as a sentence

    def importer(self, target: Any, user: Any) -> Importer:
        raise NotImplementedError

    def exported(self, target: Any) -> list[Cells]:
        raise NotImplementedError

    def columns(self) -> Sequence[str]:
        raise NotImplementedError

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        own = [
            path("import/", view(self.import_view), name=f"{name}_import"),
            path("export/<uuid:target>.<str:form>", view(self.export_view), name=f"{name}_export"),
        ]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        links = self._doors(request)
        return super().changelist_view(request, {**(extra_context or {}), **links})

    def _doors(self, request: HttpRequest) -> dict[str, Any]:
        """Where to go from the list: only what the user holds anywhere."""
        user, name = person(request), f"admin:{self.opts.app_label}_{self.opts.model_name}_import"
        holds = policy.holds(user, "import", self.target_model) or policy.holds(user, "export", self.target_model)
        return {"import_url": reverse(name)} if holds else {}

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Upload, then preview, then do it."""
        targets = self._targets(request, "import")
        if request.method == "POST" and "token" in request.POST:
            return self._confirm(request, targets)
        form = UploadForm(request.POST or None, request.FILES or None)
        form.fields["target"].queryset = targets  # type: ignore[attr-defined]
        form.fields["target"].label = self.target_model._meta.verbose_name
        if request.method == "POST" and form.is_valid():
            return self._preview(request, form)
        return self._page(request, {"form": form, "exports": self._exports(request)})

    def export_view(self, request: HttpRequest, target: Any, form: str) -> HttpResponse:
        row = self.target_model._default_manager.filter(pk=target).first()
        if row is None or form not in sheets.WRITERS:
            raise Http404
        policy.require(person(request), "export", row)
        write, content_type = sheets.WRITERS[form]
        names = list(self.columns())
        content = write(names, [[cells.get(name, "") for name in names] for cells in self.exported(row)])
        response = HttpResponse(content, content_type=content_type)
        name = slugify(f"{row}-{self.opts.verbose_name_plural}")
        response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
        return response

    def _targets(self, request: HttpRequest, act: str) -> QuerySet[Any]:
        """The events or organizations in which the user may do it. Raises PermissionDenied for none."""
        user = person(request)
        rows = policy.visible(user, self.target_model._default_manager.all(), public=False)
        found = [row.pk for row in rows if policy.may(user, act, row)]
        if not found and act == "import" and not policy.holds(user, "export", self.target_model):
            raise PermissionDenied
        return rows.filter(pk__in=found)

    def _exports(self, request: HttpRequest) -> list[Any]:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_export"
        rows = self._targets(request, "export")
        return [(row, [(form, reverse(name, args=[row.pk, form])) for form in sheets.WRITERS]) for row in rows]

    def _preview(self, request: HttpRequest, form: UploadForm) -> HttpResponse:
        target, file = form.cleaned_data["target"], form.cleaned_data["file"]
        try:
            sheet = _read(file)
            preview = self.importer(target, person(request)).preview(sheet)
        except sheets.Unreadable as error:
            form.add_error("file", str(error))
            return self._page(request, {"form": form, "exports": self._exports(request)})
        token = signing.dumps([str(target.pk), file.name, _packed(sheet)], salt=self._salt(request), compress=True)
        confirm = ConfirmForm(initial={"token": token})
        return self._page(request, _told(preview) | {"confirm": confirm, "target": target, "file_name": file.name})

    def _confirm(self, request: HttpRequest, targets: QuerySet[Any]) -> HttpResponse:
        form = ConfirmForm(request.POST)
        form.is_valid()
        try:
            pk, name, packed = signing.loads(request.POST["token"], salt=self._salt(request), max_age=AGE)
            target = targets.get(pk=pk)
            reason = form.cleaned_data.get("reason") or _("Import of %(file)s") % {"file": name}
            with transaction.atomic():
                done = self.importer(target, person(request)).run(_unpacked(packed), reason)
                line = last_line()
        except signing.BadSignature:
            messages.error(request, _("This preview is too old: choose the file again."))
            return redirect(request.path)
        except Refused as refusal:
            return self._page(request, _told(Preview(problems=refusal.problems)) | {"target": target})
        counts = {"new": len(done.of("new")), "changed": len(done.of("changed"))}
        tell_way_back(request, _("Imported: %(new)d new, %(changed)d changed.") % counts, line)
        list_page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return redirect(f"{list_page}?{urlencode(self._filter(target))}")

    def _filter(self, target: Any) -> dict[str, str]:
        """What shows only the target's rows in the list."""
        return {}

    def _salt(self, request: HttpRequest) -> str:
        return f"import {self.opts.label} {person(request).pk}"

    def _page(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        title = _("Import %(what)s") % {"what": self.opts.verbose_name_plural}
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "title": title}
        context |= {"columns": self.columns(), "shown": SHOWN, "a_row": self.a_row}
        return TemplateResponse(request, "admin/importing/import.html", context)


def _read(file: Any) -> sheets.Sheet:
    name = file.name or ""
    if (file.size or 0) > sheets.LARGEST:
        raise sheets.Unreadable(f"{name}: larger than {sheets.LARGEST // 2**20} MiB")
    return sheets.read(name, file.read())


def _packed(sheet: sheets.Sheet) -> Any:
    """The table as it is confirmed: what was shown, and not what another file of that name may hold by then."""
    return [sheet.names, [[line.row, *line.cells.values()] for line in sheet.lines]]


def _unpacked(packed: Any) -> sheets.Sheet:
    names, rows = packed
    lines = (sheets.Line(row, dict(zip(names, cells, strict=True))) for row, *cells in rows)
    return sheets.Sheet(tuple(names), tuple(lines))


def _told(preview: Preview) -> dict[str, Any]:
    counts = [(_("new"), len(preview.of("new"))), (_("changed"), len(preview.of("changed")))]
    counts.append((_("the same"), len(preview.of("same"))))
    return {
        "preview": preview,
        "counts": counts,
        "problems": preview.problems[:SHOWN],
        "more_problems": max(0, len(preview.problems) - SHOWN),
        "changes": preview.writes[:SHOWN],
        "more_changes": max(0, len(preview.writes) - SHOWN),
    }
