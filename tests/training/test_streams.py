import subprocess
import sys

import torch

from nasablate.training.streams import generator, stream_seed


def test_streams_are_distinct_and_repeatable() -> None:
    seeds = [
        stream_seed(seed, stream, place)
        for seed in (0, 1)
        for stream in ("order", "augmentation", "dropout")
        for place in (1, 2, 11)
    ]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)
    first, again = generator(0, "order", 1), generator(0, "order", 1)
    assert torch.equal(torch.rand(5, generator=first), torch.rand(5, generator=again))


def test_records_need_no_torch() -> None:
    code = "import sys, nasablate.training, nasablate.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
