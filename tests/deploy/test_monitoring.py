"""The samples for Prometheus and Grafana ask for metrics that there are."""

import json
import re

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY
from ruamel.yaml import YAML

from clinic.monitoring import counters
from clinic.monitoring.gauges import ClinicCollector
from tests.deploy.files import ROOT

NAMED = re.compile(r"\bclinic_[a-z_]+")


def alerts():
    text = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
    return [rule["expr"] for group in YAML(typ="safe").load(text)["groups"] for rule in group["rules"]]


def panels():
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "clinic.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.mark.django_db
def test_every_metric_that_is_asked_for_exists_and_every_metric_is_shown():
    gauges = {metric.name for metric in ClinicCollector(timezone.now()).collect()}
    counted = {
        f"{counters.REQUESTS._name}_total",
        f"{counters.REFUSALS._name}_total",
        f"{counters.SECONDS._name}_bucket",
    }
    assert counters.REQUESTS in REGISTRY._collector_to_names
    asked = {name for expression in (*alerts(), *panels()) for name in NAMED.findall(expression)}
    assert asked <= gauges | counted
    assert counted <= asked
    assert gauges <= asked


def test_the_sample_reads_the_token_from_a_file():
    sample = YAML(typ="safe").load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    [job] = sample["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    assert job["authorization"] == {"credentials_file": "/etc/prometheus/clinic-metrics-token"}
