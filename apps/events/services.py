"""Acts on entries."""

from apps.events.models import Entry, EntryCrew


def copy_crew(entry: Entry, source: Entry) -> list[EntryCrew]:
    """Give `entry` the crew of another entry, in the same roles; who is in it already stays as they are."""
    held = set(entry.crew_links.values_list("user_id", flat=True))
    links = [
        EntryCrew(entry=entry, user_id=link.user_id, role=link.role)
        for link in source.crew_links.order_by("created_at")
        if link.user_id not in held
    ]
    return EntryCrew.objects.bulk_create(links)
