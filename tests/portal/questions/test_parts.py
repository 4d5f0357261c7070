"""Long questionnaires are asked in parts."""

import pytest
from pytest_django.asserts import assertContains, assertRedirects

from tests.portal.questions.answers import HOW_MUCH, SMOKES, page, response

pytestmark = pytest.mark.django_db


def long_form():
    def group(name, *questions):
        return {"linkId": name, "type": "group", "text": name.title(), "item": list(questions)}

    texts = [{"linkId": f"t{n}", "type": "string", "text": f"Text {n}"} for n in range(8)]
    only_smokers = {**group("smoking", HOW_MUCH), "enableWhen": HOW_MUCH["enableWhen"]}
    return [group("first", SMOKES, *texts[:4]), only_smokers, group("last", *texts[4:])]


def test_a_long_questionnaire_is_asked_in_parts_that_apply(as_ada, held, form):
    form.item = long_form()
    form.save()
    controls = ["q-smokes.0", *(f"q-t{n}.0" for n in range(4))]
    assertContains(as_ada.get(page(held)), "Part 1 of 2")
    no, yes = ({"shown": controls, "q-first.0": "1", "q-smokes.0.0": smokes} for smokes in ("false", "true"))
    assertRedirects(as_ada.post(page(held), no), page(held, 3))
    assertRedirects(as_ada.post(page(held), yes), page(held, 2))
    assertContains(as_ada.get(page(held, 2)), "Part 2 of 3")


def test_a_part_cannot_be_jumped_over(as_ada, held, form):
    form.item = long_form()
    form.save()
    controls = [f"q-t{n}.0" for n in range(4, 8)]
    back = as_ada.post(page(held, 3), {"shown": controls}, follow=True)
    assertRedirects(back, f"{page(held, 1)}?check=1")
    assertContains(back, '<a href="#q-smokes.0.0-0">')
    assert response().status == "in-progress"
