"""URL patterns of the staff's list of referrals, below /staff/."""

from django.urls import path

from portal.staff.referrals import views

urlpatterns = [
    path("", views.referrals, name="staff-referrals"),
    path("<str:referral_id>/", views.referral, name="staff-referral"),
    path("<str:referral_id>/send/", views.send, name="staff-referral-send"),
    path("<str:referral_id>/withdraw/", views.withdraw, name="staff-referral-withdraw"),
    path("<str:referral_id>/documents/<int:number>/", views.document, name="staff-referral-document"),
]
