import json

import pytest

from nasablate.cli.main import main

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
        (("--device", "tpu9"), "torch knows no such device"),
        (("--batch", "1", "--work", "training"), "batch = 1"),
    ],
)
def test_mistakes_are_bad_input(capsys, arguments, said):
    code, output = run(capsys, "resnet-20", *arguments)
    assert code == 2
    assert said in output.err
