from django.urls import path

from apps.scoring import views

app_name = "scoring"
urlpatterns = [path("penalty/<uuid:identity>/", views.penalty, name="penalty")]
