"""The product's addresses, and the baseline: the same stack, token and all, answering with next to nothing."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from api.fhir_view import FHIRView
from clinic.urls import urlpatterns as of_the_product


class NoOp(FHIRView):
    def get(self, request: Request) -> Response:
        return Response({"resourceType": "Parameters"})


urlpatterns = [path("fhir/R4/$noop", NoOp.as_view()), *of_the_product]
