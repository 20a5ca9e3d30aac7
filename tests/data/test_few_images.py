"""Sets of very few images: what is said names no value that nobody wrote, and a way out."""

import pytest

from nasablate.data import load_info
from nasablate.errors import DataError
from nasablate.genome import DataSpec
from tests.data.making import class_folders


@pytest.mark.parametrize(
    ("per_class", "remedy"), [(1, "; add images"), (2, "; write validation: 1, or add images")]
)
def test_few_images_leave_nothing_to_validate_by(tmp_path, monkeypatch, per_class, remedy):
    monkeypatch.setenv("NASABLATE_DATA_CACHE", "0")
    name = f"folder:{class_folders(tmp_path / 'pets', per_class)}"
    with pytest.raises(DataError) as caught:
        load_info(DataSpec(name=name))
    message = str(caught.value)
    assert f"{name} has {2 * per_class} training images" in message
    assert message.endswith(remedy)
    assert "None" not in message
    if per_class == 2:
        assert load_info(DataSpec(name=name, validation=1)).num_val == 1
