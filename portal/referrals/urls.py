"""URL patterns of referrals: the page of a ticket's link, and the referrer's own pages."""

from django.urls import path

from portal.referrals.views import booking, referrals, tickets

urlpatterns = [
    path("r/<str:token>/", tickets.ticket, name="ticket"),
    path("referrals/", referrals.index, name="referrals"),
    path("referrals/new/", referrals.new, name="referral-new"),
    path("referrals/<str:referral_id>/", referrals.detail, name="referral"),
    path("referrals/<str:referral_id>/book/", booking.book, name="referral-book"),
    path("referrals/<str:referral_id>/send/", referrals.send, name="referral-send"),
    path("referrals/<str:referral_id>/withdraw/", referrals.withdraw, name="referral-withdraw"),
    path("referrals/<str:referral_id>/documents/<int:number>/", referrals.document, name="referral-document"),
]
