"""What a network is like inside: gradients by depth, first filters."""

import json
from xml.etree import ElementTree as ET

import pytest
import torch

from nasablate.blueprint import lower
from nasablate.data import load_train
from nasablate.errors import RunError
from nasablate.figures.feature_maps import spread_channels
from nasablate.figures.filters import filters_svg, levels
from nasablate.genome import Genome, load_genome
from nasablate.genome.data_spec import DataSpec
from nasablate.nets import build, initialize
from nasablate.report.feature_maps import AbsentError, Wanted, trial_maps
from nasablate.report.inside import gradients_lines, trial_filters, without_shortcuts
from nasablate.report.loading import load_any_report
from nasablate.search.deletion import run_deletion
from nasablate.store import open_database
from nasablate.training.inspection import load_weights, unit_gradients
from tests.search.test_deletion import spec_of


def built(genome, seed=0):
    net = build(lower(genome))
    initialize(net, "kaiming_fan_out", seed)
    return net


def test_gradients_are_those_of_torch_and_leave_the_network_alone():
    net = built(Genome.parse({"stages": [{"units": 2}], "width": 4}))
    net.train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    norms = unit_gradients(net, images=5, seed=3)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net.training
    assert len(norms) == len(net.blueprint.parts)
    generator = torch.Generator().manual_seed(3)
    images = torch.randn(5, *net.blueprint.input, generator=generator)
    with torch.no_grad():
        logits = net(images)
    labels = torch.randint(logits.shape[1], (5,), generator=generator)
    expected = torch.softmax(logits, 1) - torch.nn.functional.one_hot(labels, logits.shape[1])
    assert norms[-1] == pytest.approx(float(expected.norm(dim=1).square().mean().sqrt()), rel=1e-5)


def test_without_shortcuts_less_gradient_reaches_the_stem_of_a_deep_network():
    genome = load_genome("resnet-56")
    plain = without_shortcuts(genome)
    ratio = []
    for found in (genome, plain):
        norms = unit_gradients(built(found), images=4)
        ratio.append(norms[0] / norms[-2])
    assert ratio[0] != pytest.approx(ratio[1], rel=0.5)


def test_networks_without_shortcuts_have_no_second_form():
    assert without_shortcuts(load_genome("plain-20")) is None


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('d')}/runs/d.db"
    run_deletion(spec_of(seeds=1), url, "inline")
    return load_any_report(open_database(url), "try").trainings[0], url


def test_a_trained_trial_shows_three_lines_and_its_filters(trained):
    trial, url = trained
    lines = gradients_lines(trial, url)
    assert [series.name for series in lines.series] == [
        "as initialised", "as initialised, without shortcuts", "trained",
    ]  # fmt: skip
    assert lines.series[0].points[0].label == lower(Genome.parse(trial.genome)).parts[0].name
    filters = trial_filters(trial, url)
    height, width = filters.size
    pixels = ET.fromstring(filters_svg(filters)).iter("{http://www.w3.org/2000/svg}rect")
    assert len(list(pixels)) == 1 + len(filters.filters) * height * width
    json.dumps(filters.document())


def test_a_trained_trial_shows_what_excites_its_channels(trained):
    trial, url = trained
    data = spec_of().data
    maps = trial_maps(trial, url, data, Wanted(images=30, most=2))
    assert maps.unit == lower(Genome.parse(trial.genome)).parts[-2].name
    assert [channel for channel, _ in maps.rows()] == list(spread_channels(maps.channels))
    assert maps.searched == 30
    assert all(one.image < 30 for one in maps.found)
    val = load_train(data).val
    assert (maps.found[0].picture == val.images[maps.found[0].image]).all()
    with pytest.raises(AbsentError, match="no unit head; it has stem"):
        trial_maps(trial, url, data, Wanted("head"))
    with pytest.raises(AbsentError, match="none is numbered 99"):
        trial_maps(trial, url, data, Wanted(channels=(99,)))


def test_without_weights_or_data_it_is_said_what_is_missing(trained, tmp_path):
    trial, url = trained
    assert trial_maps(trial, f"sqlite:///{tmp_path}/d.db", spec_of().data, Wanted()) is None
    with pytest.raises(AbsentError, match="does not say which data"):
        trial_maps(trial, url, None, Wanted())
    elsewhere = DataSpec(name=f"folder:{tmp_path}/none")
    with pytest.raises(AbsentError, match="which are not here"):
        trial_maps(trial, url, elsewhere, Wanted())
    with pytest.raises(AbsentError, match="not those it was trained on"):
        trial_maps(trial, url, DataSpec(name="digits"), Wanted())


def test_levels_span_the_whole_range():
    pixels = levels((((-1.0, 0.0, 1.0),), ((0.0, 0.0, 0.0),)))
    assert pixels == [[(0, 128, 255)], [(128, 128, 128)]]
    assert levels((((2.0,),),)) == [[(128, 128, 128)]]


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save({}, tmp_path / "weights.pt")
    with pytest.raises(RunError, match="not this network's weights"):
        load_weights(built(Genome.parse({"stages": [{"units": 1}], "width": 4})),
                     tmp_path / "weights.pt")  # fmt: skip
