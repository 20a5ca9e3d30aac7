import json
from pathlib import Path

import pytest
import torch

from nasablate.data import load_info
from nasablate.errors import DataError
from nasablate.genome import DataSpec, Genome, load_genome, load_recipe
from nasablate.training import TrainJob, job_digest, manifest, step_seconds

JOB = TrainJob(load_genome("resnet-20"), load_recipe("quick"), DataSpec(name="digits"), 3, 2)


def test_manifest_is_json_and_names_what_matters() -> None:
    document = manifest(JOB)
    assert json.loads(json.dumps(document)) == document
    assert document["job"] == job_digest(JOB)
    assert document["data_fingerprint"] == load_info(JOB.data).fingerprint
    assert document["threads"] == 2
    packages, code = document["packages"], document["code"]
    assert isinstance(packages, dict)
    assert isinstance(code, dict)
    assert packages["torch"] == torch.__version__
    assert len(str(code["source_sha256"])) == 64
    assert str(document["device"]).startswith("cpu: ")
    assert document["deterministic_algorithms"] is False


def test_manifest_names_no_private_paths() -> None:
    assert str(Path.home()) not in json.dumps(manifest(JOB))


def test_step_seconds_measures_a_larger_net_as_slower() -> None:
    info, threads = load_info(JOB.data), torch.get_num_threads()
    small = Genome.parse(
        {"input": {"channels": 1, "height": 8, "width": 8}, "stages": [{"units": 2}]}
    )
    large = small.model_copy(update={"width": 64})
    seconds = step_seconds(small, JOB.recipe, info, threads=1, steps=3)
    assert 0 < seconds < step_seconds(large, JOB.recipe, info, threads=1, steps=3)
    assert torch.get_num_threads() == threads


def test_step_seconds_refuses_a_network_that_cannot_read_the_data() -> None:
    with pytest.raises(DataError, match="reads 3x32x32 images"):
        step_seconds(load_genome("resnet-20"), JOB.recipe, load_info(JOB.data), threads=1)
