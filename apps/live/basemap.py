"""The organiser's basemap: one PMTiles archive, read by the page in ranges."""

import re
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

LONGEST = 8 * 2**20  # of one answer; directories and tiles are far shorter
RANGE = re.compile(r"bytes=(\d{1,15})-(\d{1,15})?")


def basemap_path() -> Path | None:
    """The first archive of the organiser's directory; None where there is none."""
    if not settings.LIVE_BASEMAP_DIR:
        return None
    return min(Path(settings.LIVE_BASEMAP_DIR).glob("*.pmtiles"), default=None)


@require_safe
def basemap(request: HttpRequest) -> HttpResponse:
    """The bytes that `Range` asks for, one range, 8 MiB at most; the beginning without."""
    path = basemap_path()
    if path is None:
        raise Http404
    match = RANGE.fullmatch(request.headers.get("Range", "bytes=0-"))
    size = path.stat().st_size
    first = int(match[1]) if match else size
    if match is None or first >= size:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    last = min(int(match[2] or size), size - 1, first + LONGEST - 1)
    return _part(path, (first, max(first, last)))


def _part(path: Path, span: tuple[int, int]) -> HttpResponse:
    first, last = span
    found = path.stat()
    with path.open("rb") as archive:
        archive.seek(first)
        content = archive.read(last - first + 1)
    return HttpResponse(
        content,
        status=206,
        content_type="application/octet-stream",
        headers={
            "Accept-Ranges": "bytes",
            "Content-Range": f"bytes {first}-{last}/{found.st_size}",
            "Cache-Control": "public, max-age=86400",
            "ETag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',  # of another archive the page reads anew
        },
    )
