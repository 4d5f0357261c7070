"""Helpers for the administration's pages: form data and errors."""

from django.urls import reverse


def url(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def inline(prefix, **fields):
    """One new row of an inline."""
    first = {f"{prefix}-0-{name}": value for name, value in fields.items()}
    return {f"{prefix}-TOTAL_FORMS": "1" if fields else "0", f"{prefix}-INITIAL_FORMS": "0", **first}


def errors(response):
    context = response.context
    return [str(error) for each in context["errors"] for error in each]
