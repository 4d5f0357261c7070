"""Figures for operators: the metrics that Prometheus reads, and when background tasks last ran."""
