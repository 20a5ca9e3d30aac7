"""Genome -> Blueprint, and the readers of a blueprint that need no torch."""

from nasablate.blueprint.blueprint import Blueprint as Blueprint
from nasablate.blueprint.blueprint import Unit as Unit
from nasablate.blueprint.cost import cost as cost
from nasablate.blueprint.describe import Description as Description
from nasablate.blueprint.describe import describe as describe
from nasablate.blueprint.digest import digest as digest
from nasablate.blueprint.layer import IMAGE as IMAGE
from nasablate.blueprint.layer import Layer as Layer
from nasablate.blueprint.layer_cost import Cost as Cost
from nasablate.blueprint.lower import lower as lower
