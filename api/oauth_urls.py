"""URLs at which software gets and revokes tokens. People allow apps on the portal's pages."""

from django.urls import path
from oauth2_provider.views import JwksInfoView

from api.cds_hooks import keys
from api.smart.endpoints import RevokeTokenView, TokenView, UserInfoView
from api.smart.introspection import IntrospectionView

app_name = "oauth2_provider"
urlpatterns = [
    path("token/", TokenView.as_view(), name="token"),
    path("revoke_token/", RevokeTokenView.as_view(), name="revoke-token"),
    path("introspect/", IntrospectionView.as_view(), name="introspect"),
    path("cds-hooks/jwks/", keys, name="cds-hooks-keys"),
    path("jwks/", JwksInfoView.as_view(), name="jwks"),
    path("userinfo/", UserInfoView.as_view(), name="user-info"),
]
