"""FHIRPath expressions of a questionnaire, for initial and calculated values.

https://hl7.org/fhir/uv/sdc/STU3/behavior.html: `initialExpression` and `calculatedExpression`, with the variables of
the questionnaire and its items. An expression may use `%patient`, the Patient of the response if known, and
`%resource`, the QuestionnaireResponse so far.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from fhirpathpy import compile as compile_path
from fhirpathpy.engine.nodes import FP_Quantity
from fhirpathpy.models import models

from scheduling.questionnaires.items import Expression, Item, Json, unit_text, walk
from scheduling.questionnaires.values import same

logger = logging.getLogger(__name__)


def prefill(items: Iterable[Item], patient: Json | None) -> tuple[Item, ...]:
    """The items with the values of initialExpression as initial values, or else with FHIR's `initial`."""
    return tuple(_prefilled(item, patient) for item in items)


def calculate(item: Item, answers: list[Json], patient: Json | None) -> list[Json]:
    """The answers of the item's calculatedExpression, given the answers so far (QuestionnaireResponse.item)."""
    if item.calculation is None:
        return []
    response = {"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": answers}
    return list(_values(item, item.calculation, response, patient))


def uses_patient(items: Iterable[Item]) -> bool:
    """True if an expression of the questionnaire reads the patient's record."""
    expressions = (each for item in walk(items) for each in (item.initial_expression, item.calculation) if each)
    return any(
        "%patient" in path
        for expression in expressions
        for path in (expression.path, *(variable for _name, variable in expression.variables))
    )


def _prefilled(item: Item, patient: Json | None) -> Item:
    inside = prefill(item.items, patient)
    if item.initial_expression is None:
        return replace(item, items=inside)
    values = tuple(_values(item, item.initial_expression, {}, patient))
    return replace(item, items=inside, initial=(values if item.repeats else values[:1]) or item.initial)


def _values(item: Item, expression: Expression, response: Json, patient: Json | None) -> Iterator[Json]:
    """The expression's results that fit the item. A failing expression has no results and is logged."""
    context: dict[str, Any] = {"resource": response, "patient": patient or {}}
    try:
        for name, path in expression.variables:
            context[name] = _compiled(path)(response, context)
        results = _compiled(expression.path)(response, context)
    except Exception as error:  # the library raises plain Exceptions for mistakes in an expression
        logger.warning("The expression of question %r cannot be evaluated: %s", item.link_id, type(error).__name__)
        return
    for result in results:
        if (value := _answer(item, result)) is not None:
            yield value


@lru_cache(maxsize=512)
def _compiled(path: str) -> Any:
    return compile_path(path, models["r4"])


def _answer(item: Item, result: Any) -> Json | None:
    """A result as value[x] of an answer to the item; None if its type does not fit."""
    if item.options:
        return next((option.value for option in item.options if _chooses(option.key, option.value, result)), None)
    match item.type:
        case "integer":
            number = _number(result)
            return {"valueInteger": int(number)} if number is not None and number == int(number) else None
        case "decimal":
            number = _number(result)
            return None if number is None else {"valueDecimal": _shortened(item, number)}
        case "quantity":
            return _quantity(item, result)
        case "date":
            return {"valueDate": str(result)[:10]} if _is_date(result) else None
        case "dateTime":
            return {"valueDateTime": str(result)} if _is_date(result) else None
        case "time":
            return {"valueTime": str(result)}
        case "url":
            return {"valueUri": str(result)}
        case "choice" | "open-choice" if isinstance(result, dict):
            return {"valueCoding": result}
    return None if isinstance(result, dict) else {"valueString": str(result)}


def _chooses(key: str, value: Json, result: Any) -> bool:
    if isinstance(result, dict):
        return same(value, {"valueCoding": result})
    if isinstance(result, bool):
        return value == {"valueBoolean": result}
    return key == str(result)


def _quantity(item: Item, result: Any) -> Json | None:
    if isinstance(result, dict):
        return {"valueQuantity": result}
    number = _number(result.value if isinstance(result, FP_Quantity) else result)
    if number is None:
        return None
    quantity: Json = {"value": _shortened(item, number)}
    if isinstance(result, FP_Quantity):
        return {"valueQuantity": {**quantity, "unit": str(result.unit).strip("'")}}
    if len(item.units) == 1:
        known: Json = {name: item.units[0][name] for name in ("system", "code") if name in item.units[0]}
        quantity = {**quantity, "unit": unit_text(item.units[0]), **known}
    return {"valueQuantity": quantity}


def _number(result: Any) -> Decimal | None:
    if isinstance(result, bool | dict):
        return None
    try:
        number = Decimal(str(result))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _shortened(item: Item, number: Decimal) -> int | float:
    """The number rounded to maxDecimalPlaces, or to six places."""
    number = round(number, 6 if item.max_places is None else item.max_places)
    return int(number) if number == number.to_integral_value() else float(number)


def _is_date(result: Any) -> bool:
    return not isinstance(result, bool | dict) and str(result)[:4].isdigit()
