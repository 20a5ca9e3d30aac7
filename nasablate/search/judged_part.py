"""Whether the images that a study is judged on are there, before anything is trained."""

from nasablate.data import DataInfo
from nasablate.data.loading import TEST_PARTS
from nasablate.errors import Problem, SpecError
from nasablate.genome import AblationSpec, DeletionSpec


def check_judged_part(spec: AblationSpec | DeletionSpec, info: DataInfo) -> None:
    """Refuse a study that asks for a test part which its data do not have.

    Raises:
        SpecError: the file says ``evaluate: test``, and there is no test part.
    """
    if spec.evaluate == "test" and not info.num_test:
        rule = f"{info.name} has no test part"
        remedy = f"write evaluate: validation, or add one ({TEST_PARTS})"
        raise SpecError(Problem("evaluate", "test", rule, remedy, loc=("evaluate",)))
