"""URL patterns of /family/, the people whom the caller cares for."""

from django.urls import path

from portal.family import views

urlpatterns = [
    path("", views.family, name="family"),
    path("add/", views.add, name="family-add"),
    path("invite/", views.invite, name="carer-invite"),
    path("carers/<str:carer_id>/end/", views.end, name="carer-end"),
    path("<str:related_id>/", views.change, name="family-change"),
    path("<str:related_id>/remove/", views.remove, name="family-remove"),
]
