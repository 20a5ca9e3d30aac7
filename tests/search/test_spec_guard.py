"""A study goes on with the file it began with, whatever the format has learnt since."""

import json
from typing import Any

import pytest

from nasablate.errors import StoreError
from nasablate.genome import AblationSpec, load_genome, load_recipe
from nasablate.search.spec_guard import check_unchanged


def spec(**training: Any) -> AblationSpec:
    recipe = load_recipe({"recipe": "quick", **training})
    document = {
        "name": "x",
        "baseline": load_genome("resnet-20").document(),
        "factors": {"f": {"as_is": {}, "wider": {"width": 32}}},
        "training": recipe.document(),
        "design": "one_at_a_time",
        "data": "cifar10",
        "seeds": 2,
    }
    return AblationSpec.parse(document)


def began_before_later_fields() -> str:
    document = spec().document()
    document["training"] = load_recipe("quick").essential()
    assert "accumulate" not in document["training"]
    return json.dumps(document)


def test_fields_that_came_later_are_no_change() -> None:
    check_unchanged(began_before_later_fields(), spec(), 0)


def test_a_later_field_that_is_set_is_a_change() -> None:
    with pytest.raises(StoreError, match=r"training\.accumulate: 1 -> 2"):
        check_unchanged(began_before_later_fields(), spec(accumulate=2), 0)
