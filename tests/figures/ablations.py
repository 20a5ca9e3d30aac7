"""Ablations with made-up errors, as the database would give them."""

from nasablate.analysis.judgement import judge_arms
from nasablate.analysis.paired import compare, seeds_needed
from nasablate.genome import AblationSpec
from nasablate.search.ablation_result import AblationResult, ArmResult
from nasablate.search.ablation_tables import CellErrors, effect_tables, path_table
from nasablate.search.beside import Measured, set_beside

BASELINE = {"stages": [{"units": 1}], "width": 4}
FACTORS = {
    "relu": {"keep": {}, "remove": {"placement.pre": ["bn"]}},
    "bn": {"without": {}, "with": {"placement.post": ["bn"]}},
}


def spec_of(**changes):
    document = {"name": "try", "question": "What helps?", "baseline": BASELINE,
                "factors": FACTORS, "design": "factorial", "seeds": 4, "margin": 0.5,
                "data": "digits", **changes}  # fmt: skip
    return AblationSpec.parse(document)


def result_of(spec, arms):
    """Return the result of arms: name, levels, params, and errors by replicate (None: missing)."""
    own = {
        name: {r: e for r, e in enumerate(errors) if e is not None} for name, _, _, errors in arms
    }
    reference = own[arms[0][0]]
    others = {name: errors for name, errors in own.items() if name != arms[0][0]}
    judged = judge_arms(reference, others, seeds=spec.seeds, margin=spec.margin)

    def compared(name):
        shared = sorted(reference.keys() & own[name].keys())
        pair = [reference[r] for r in shared], [own[name][r] for r in shared]
        return compare(*pair) if name in judged and shared else None

    cells = [CellErrors(name, dict(levels), "", own[name]) for name, levels, _, _ in arms]
    measured = [
        Measured(name, dict(levels), tuple(own[name].values()), None) for name, levels, _, _ in arms
    ]
    return AblationResult(
        name=spec.name, question=spec.question, design=spec.design, url="sqlite:///x.db",
        part=spec.evaluate, seeds=spec.seeds,
        arms=tuple(
            ArmResult(name=name, levels=levels, params=params, macs=10 * params,
                      errors=own[name], comparison=compared(name), judgement=judged.get(name))
            for name, levels, params, _ in arms
        ),
        counts={"complete": sum(map(len, own.values()))}, failures=(), broken=(),
        seeds_needed=seeds_needed(len(others)), fraction=None,
        effects=effect_tables(spec, cells), steps=path_table(spec, cells),
        reported=set_beside(spec, measured, None), levels={}, images=(),
    )  # fmt: skip


def factorial(errors=None, **changes):
    """Return a 2 x 2 factorial; ``errors`` by arm."""
    shown = errors or {
        "baseline": [10.0, 11.0, 12.0, 13.0],
        "bn=with": [10.5, 11.0, 12.5, 13.0],
        "relu=remove": [9.0, 10.5, 11.0, 12.5],
        "relu=remove, bn=with": [12.0, 12.5, 14.0, 14.5],
    }
    levels = {
        "baseline": {"relu": "keep", "bn": "without"},
        "bn=with": {"relu": "keep", "bn": "with"},
        "relu=remove": {"relu": "remove", "bn": "without"},
        "relu=remove, bn=with": {"relu": "remove", "bn": "with"},
    }
    arms = [(name, levels[name], 1000 + 10 * ("bn=" in name), own) for name, own in shown.items()]
    return result_of(spec_of(**changes), arms)
