import json

import pytest

from nasablate.cli.main import main
from nasablate.search import packing

QUICK = ("--runs", "5", "--warmup", "1")


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as exited:
        main(["measure", *arguments])
    return exited.value.code, capsys.readouterr()


def test_a_table_and_its_numbers(capsys):
    code, output = run(capsys, "resnet-20", "--batch", "1,4", *QUICK, "--threads", "1", "--json")
    document = json.loads(output.out)
    assert code == 0
    assert output.err == ""
    assert document["threads"] == 1
    assert document["device"].startswith("cpu: ")
    assert [found["batch"] for found in document["batches"]] == [1, 4]
    assert all(len(found["seconds"]) == 5 for found in document["batches"])
    code, output = run(capsys, "resnet-20", "--batch", "2", *QUICK, "--work", "training")
    heads, row = output.out.splitlines()[1:]
    assert code == 0
    assert "peak MiB" in heads
    assert row.split()[0] == "2"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--batch", "1,no"), "--batch '1,no': 'no' is no whole number from 1 on"),
        (("--batch", "0"), "'0' is no whole number from 1 on"),
        (("--pack", "2,x"), "--pack '2,x': 'x' is no whole number from 1 on"),
        (("--pack", "1,2", "--batch", "4,8"), "--batch 4,8 with --pack: trials train on one size"),
        (("--pack", "1,2", "--batch", "1"), "batch normalisation cannot learn from one image"),
        (("--device", "tpu9"), "torch knows no such device"),
        (("--batch", "1", "--work", "training"), "batch = 1"),
    ],
)
def test_mistakes_are_bad_input(capsys, arguments, said):
    code, output = run(capsys, "resnet-20", *arguments)
    assert code == 2
    assert said in output.err


@pytest.mark.parametrize(("given", "batch"), [((), 32), (("--batch", "8"), 8)])
def test_packing_says_what_was_trained(capsys, monkeypatch, given, batch):
    asked = []

    def measured(job, counts, **_):
        asked.append((job.recipe.batch_size, job.threads, counts))
        return [packing.Packed(1, (10.0,), 2**20), packing.Packed(2, (14.0,), 2**20)]

    monkeypatch.setattr(packing, "measure_packing", measured)
    arguments = ("resnet-20", "--pack", "1,2", "--threads", "2", "--device", "cpu", *given)
    code, output = run(capsys, *arguments)
    assert code == 0
    assert asked == [(batch, 2, [1, 2])]
    first, *_, last = output.out.splitlines()
    assert first.startswith(f"resnet-20: training on batches of {batch}, cpu: ")
    assert first.endswith(", 2 threads each")
    assert last == ("2 at once train 1.40 times as many images; resources: {gpus_per_trial: 0.5}")
    _, output = run(capsys, *arguments, "--json")
    document = json.loads(output.out)
    assert (document["genome"], document["batch"], document["threads"]) == ("resnet-20", batch, 2)
    assert document["device"].startswith("cpu: ")
