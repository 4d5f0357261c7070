"""Settings of a proxy for all clinics, made of the samples for one."""

from collections.abc import Iterable
from itertools import dropwhile
from pathlib import Path

from deploy.clinics.settings_files import Clinic

SAMPLES = {"caddy": "Caddyfile", "nginx": "nginx.conf"}
HEADING = (
    "# The clinics of this machine, written by python -m deploy.clinics proxy. Whatever is changed here is lost.\n"
)


def proxy_settings(kind: str, clinics: Iterable[Clinic]) -> str:
    """Return the settings for Caddy or nginx that lead each clinic's hosts to its web server."""
    sample = (Path(__file__).resolve().parents[1] / SAMPLES[kind]).read_text()
    site = "".join(dropwhile(lambda line: line.startswith("#"), sample.splitlines(keepends=True))).strip()
    filled_in = _caddy if kind == "caddy" else _nginx
    return HEADING + "".join(f"\n{filled_in(site, clinic)}\n" for clinic in clinics)


def _caddy(site: str, clinic: Clinic) -> str:
    text = site.replace("{$ALLOWED_HOSTS} {", f"{', '.join(clinic.hosts)} {{", 1)
    text = text.replace("{$ALLOWED_HOSTS}", clinic.hosts[0])
    return text.replace("{$UPSTREAM:127.0.0.1:8000}", f"127.0.0.1:{clinic.port}")


def _nginx(site: str, clinic: Clinic) -> str:
    text = site.replace("server_name visits.example.org;", f"server_name {' '.join(clinic.hosts)};")
    text = text.replace("visits.example.org", clinic.hosts[0])
    return text.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{clinic.port}")
