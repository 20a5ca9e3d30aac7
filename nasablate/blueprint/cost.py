"""What a blueprint costs: the sum over its units."""

from nasablate.blueprint.blueprint import Blueprint
from nasablate.blueprint.layer_cost import Cost


def cost(blueprint: Blueprint) -> Cost:
    """Return the exact cost of a network for one image.

    Example:
        >>> from nasablate.blueprint import lower
        >>> from nasablate.genome import load_genome
        >>> cost(lower(load_genome("pyramidnet-110-a48"))).params
        1772706
    """
    params = norm_params = macs = activations = conv_activations = 0
    for part in blueprint.parts:
        own = part.fragment.cost
        params += own.params
        norm_params += own.norm_params
        macs += own.macs
        activations += own.activations
        conv_activations += own.conv_activations
    extra = [head.part.fragment.cost for head in blueprint.auxiliary]
    auxiliary_params = sum(own.params for own in extra)
    return Cost(
        params + auxiliary_params,
        norm_params + sum(own.norm_params for own in extra),
        macs,
        activations,
        conv_activations,
        auxiliary_params,
        sum(own.macs for own in extra),
    )
