"""URL patterns of /staff/setup/accounts/, the accounts of staff."""

from django.urls import path

from portal.staff.people import views

urlpatterns = [
    path("", views.people, name="people"),
    path("invite/", views.invite, name="people-invite"),
    path("second-step/", views.second_step, name="people-second-step"),
    path("<int:user_id>/", views.person, name="people-person"),
    path("<int:user_id>/invite/", views.invite_again, name="people-invite-again"),
    path("<int:user_id>/withdraw/", views.withdraw, name="people-withdraw"),
    path("<int:user_id>/active/", views.set_active, name="people-active"),
    path("<int:user_id>/sessions/", views.end_sessions, name="people-end-sessions"),
    path("<int:user_id>/sessions/<int:session_id>/", views.end_session, name="people-end-session"),
    path("<int:user_id>/reset/", views.reset_second_step, name="people-reset-second-step"),
]
