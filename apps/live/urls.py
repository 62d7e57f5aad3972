from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from apps.accounts.language import choose as choose_language
from apps.live import basemap, data_views, event_views, views

app_name = "live"
OF = "<slug:organization>/<slug:slug>/"
urlpatterns = [
    path("", views.events, name="events"),
    # A language is nothing worth forging, and pages without a token can be cached.
    path("language", csrf_exempt(choose_language), name="language"),
    path("basemap.pmtiles", basemap.basemap, name="basemap"),
    path("<slug:slug>/", views.leaderboard, name="leaderboard"),
    path(OF, views.leaderboard, name="leaderboard-of"),
    path(f"{OF}map/", event_views.map_page, name="map"),
    path(f"{OF}replay/", event_views.replay_page, name="replay"),
    path(f"{OF}screen/", event_views.screen, name="screen"),
    path(f"{OF}control/", event_views.control, name="control"),
    path(f"{OF}control/acknowledge", event_views.acknowledge, name="acknowledge"),
    path(f"{OF}embed/board/", event_views.embedded_board, name="embedded-board"),
    path(f"{OF}embed/map/", event_views.embedded_map, name="embedded-map"),
    path(f"{OF}course.json", data_views.course_json, name="course"),
    path(f"{OF}details.json", data_views.details_json, name="details"),
    path(f"{OF}tracks.json", data_views.tracks_json, name="tracks"),
    path(f"{OF}trails.json", data_views.trails_json, name="trails"),
]
