from django.urls import path

from apps.live import views

app_name = "live"
urlpatterns = [
    path("", views.events, name="events"),
    path("<slug:slug>/", views.leaderboard, name="leaderboard"),
    path("<slug:organization>/<slug:slug>/", views.leaderboard, name="leaderboard-of"),
]
