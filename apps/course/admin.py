from django.contrib import admin

from apps.accounts.admin_policy import PolicyAdmin, PolicyInline
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.course.retroactive_admin import NotBackwardsAdmin


class SegmentInline(PolicyInline[Segment, Stage]):
    model = Segment
    extra = 0
    autocomplete_fields = ("entry_geofence", "exit_geofence")


@admin.register(Stage)
class StageAdmin(PolicyAdmin[Stage]):
    list_display = ("name", "event", "sort_order", "role", "starts_at")
    list_select_related = ("event",)
    list_filter = ("event",)
    search_fields = ("name",)
    inlines = (SegmentInline,)


class WaypointInline(PolicyInline[Waypoint, Segment]):
    model = Waypoint
    extra = 0


@admin.register(Segment)
class SegmentAdmin(PolicyAdmin[Segment]):
    list_display = ("__str__", "stage", "sort_order", "type", "target_duration_seconds")
    list_select_related = ("stage",)
    list_filter = ("stage__event", "type")
    search_fields = ("name", "stage__name")
    autocomplete_fields = ("stage", "entry_geofence", "exit_geofence")
    inlines = (WaypointInline,)


@admin.register(Geofence)
class GeofenceAdmin(NotBackwardsAdmin[Geofence], PolicyAdmin[Geofence]):
    list_display = ("name", "event", "kind", "bearing", "retroactive")
    list_select_related = ("event",)
    list_filter = ("event", "kind")
    search_fields = ("name",)


@admin.register(Waypoint)
class WaypointAdmin(PolicyAdmin[Waypoint]):
    list_display = ("__str__", "type", "segment", "sort_order", "tolerance_meters")
    list_select_related = ("segment__stage",)
    list_filter = ("segment__stage__event", "type")
    search_fields = ("name",)
    autocomplete_fields = ("segment",)


@admin.register(SpeedLimitZone)
class SpeedLimitZoneAdmin(NotBackwardsAdmin[SpeedLimitZone], PolicyAdmin[SpeedLimitZone]):
    list_display = ("__str__", "segment", "speed_limit_kmh", "tolerance_kmh", "margins", "retroactive")
    list_select_related = ("segment__stage",)
    list_filter = ("segment__stage__event",)
    search_fields = ("name",)
    autocomplete_fields = ("segment", "dz_waypoint", "fz_waypoint")
