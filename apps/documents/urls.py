from django.urls import path, re_path

from apps.documents import views

app_name = "documents"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
urlpatterns = [
    path("events/<uuid:id>/", views.event, name="event"),
    re_path(rf"^(?P<kind>[a-z-]+)/(?P<id>{UUID})\.(?P<form>pdf|csv)$", views.file, name="file"),
]
