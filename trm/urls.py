from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.live import health

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="live:events")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("admin/", admin.site.urls),
    path("evidence/", include("apps.scoring.urls")),
    path("api/v1/", include("trm.api")),
    path("live/", include("apps.live.urls")),
    path("documents/", include("apps.documents.urls")),
]
