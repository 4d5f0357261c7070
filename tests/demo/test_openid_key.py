"""The demo's key for OpenID Connect."""

from clinic.openid_key import check
from demo.openid_key import demo_key


def test_the_key_is_created_once_and_kept_secret(tmp_path):
    key = demo_key(tmp_path / "new")
    assert check("OIDC_RSA_PRIVATE_KEY", key)
    assert demo_key(tmp_path / "new") == key
    [file] = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o077 == 0
