"""Charts: which numbers they show, which networks they refuse, and the page around them."""

import re

import pytest

from nasablate.blueprint import cost, lower
from nasablate.errors import InputError
from nasablate.figures.chart import ChartNetwork, chart_data
from nasablate.figures.chart_plot import chart_plot, hover_text, marker_diameters
from nasablate.figures.families import OTHER, family, family_name
from nasablate.figures.page import chart_page
from nasablate.figures.ticks import round_ticks
from nasablate.genome import Genome, genome_presets, load_genome
from nasablate.genome.reported import Reported, reported_of


def network(name: str) -> ChartNetwork:
    return ChartNetwork(name, load_genome(name), is_preset=True, reported=reported_of(name))


def networks(*names: str) -> list[ChartNetwork]:
    return [network(name) for name in names]


def own(name: str, **changes: object) -> ChartNetwork:
    return ChartNetwork(name, Genome.parse({"stages": [{"units": 1}], **changes}))


def test_a_point_is_the_reported_error_over_the_exact_cost():
    chart = chart_data(networks("resnet-20", "pyramidnet-110-a48"))
    assert chart.dataset == "cifar10"
    assert [(point.name, point.y) for point in chart.points] == [
        ("resnet-20", 8.75), ("pyramidnet-110-a48", 4.62),
    ]  # fmt: skip
    for point in chart.points:
        total = cost(lower(load_genome(point.name)))
        assert (point.macs, point.params) == (total.macs, total.params)
        assert point.memory_mib == total.activation_bytes / 2**20
    assert chart.points[0].reported is not None
    assert "1512.03385" in chart.points[0].reported.source
    assert len(chart.points[0].others) == 1


def test_networks_without_a_number_are_listed_and_never_invented():
    chart = chart_data(networks("resnet-20", "resnet-20-b"))
    assert [point.name for point in chart.points] == ["resnet-20"]
    assert [(item.name, item.reason) for item in chart.missing] == [
        ("resnet-20-b", "no reported error on CIFAR-10: not available")
    ]
    with pytest.raises(InputError, match=r"nothing to show.*resnet-20-b.*not available"):
        chart_data(networks("resnet-20-b"))


def test_errors_of_several_crops_are_not_drawn():
    chart = chart_data(networks("resnet-50", "plain-34"))
    assert [point.name for point in chart.points] == ["resnet-50"]
    assert "top-1 28.54 %" in chart.missing[0].reason
    assert "10 crops" in chart.missing[0].reason


def test_an_error_said_only_to_be_above_something_is_not_drawn():
    chart = chart_data(networks("resnet-110", "resnet-110-shortcut-dropout"))
    assert "above 20 %" in chart.missing[0].reason


def test_costs_are_those_of_the_crop_the_error_is_for():
    chart = chart_data(networks("resnest-50", "resnest-269"))
    small, large = chart.points
    assert (small.input, large.input) == ((3, 224, 224), (3, 416, 416))
    assert large.macs > 3 * cost(lower(load_genome("resnest-269"))).macs
    assert large.params == cost(lower(load_genome("resnest-269"))).params


def test_an_error_of_a_size_that_needs_another_network_is_not_drawn():
    flat = {**load_genome("resnet-18").document(), "head": {"pool": "flatten"}}
    row = Reported.parse({"genome": "flat", "dataset": "imagenet", "top1": 30.0, "crops": 1,
                          "crop": 256, "label": "x", "source": "y", "status": "read"})  # fmt: skip
    chart = chart_data(
        [*networks("resnet-18"), ChartNetwork("flat", Genome.parse(flat), reported=(row,))]
    )
    assert [item.name for item in chart.missing] == ["flat"]
    assert "crop of 256" in chart.missing[0].reason


def test_the_data_set_sets_the_number_of_classes():
    chart = chart_data(networks("pyramidnet-110-a48", "resnet-164"), dataset="cifar100")
    assert [point.y for point in chart.points] == [23.31, 25.16]
    assert chart.points[0].params == 1772706 + 90 * 65
    assert "CIFAR-100" in chart.y_title


def test_numbers_of_exactly_this_network_come_first():
    chart = chart_data(networks("resnet-50", "resnet-110", "resnet-50-caffe")[::2])
    by_name = {point.name: point.reported for point in chart.points}
    assert all(row is not None and not row.differs for row in by_name.values())
    assert chart_data(networks("resnet-110")).points[0].y == 6.61


@pytest.mark.parametrize("y", ["error", "params", "activations"])
def test_different_data_never_share_a_chart(y):
    with pytest.raises(InputError, match=r"several.*CIFAR: resnet-20; ImageNet: resnet-50"):
        chart_data(networks("resnet-20", "resnet-50"), y=y)
    with pytest.raises(InputError, match="--dataset is imagenet"):
        chart_data(networks("resnet-20"), y=y, dataset="imagenet")
    odd = own("mine", classes=7, input={"channels": 1, "height": 28, "width": 28})
    with pytest.raises(InputError, match="7 classes of 1 x 28 x 28: mine"):
        chart_data([network("resnet-20"), odd], y=y)


def test_cifar10_and_cifar100_are_told_apart():
    both = [network("resnet-20"), own("hundred", classes=100)]
    with pytest.raises(InputError, match="choose --dataset cifar10 or cifar100"):
        chart_data(both)
    assert chart_data(both, dataset="cifar10").missing[0].name == "hundred"


def test_a_long_list_of_networks_is_cut_in_the_message():
    names = [name for name in genome_presets() if name.startswith("wrn-")]
    with pytest.raises(InputError, match=r"and \d+ more"):
        chart_data(networks(*names, "resnet-50"))


@pytest.mark.parametrize(("y", "value"), [("params", 269722), ("activations", 669834)])
def test_a_chart_of_costs_needs_no_reported_number(y, value):
    chart = chart_data([*networks("resnet-20"), own("mine")], y=y, size="memory")
    assert chart.points[0].y == value
    assert chart.missing == ()
    assert chart.points[1].family == "your own"
    odd = own("odd", classes=7)
    assert chart_data([odd], y=y).dataset is None
    one_channel = own("mono", classes=10, input={"channels": 1})
    assert chart_data([one_channel], y=y).dataset is None


def test_a_preset_s_number_is_not_a_file_s_number():
    with pytest.raises(InputError, match="not available"):
        chart_data([ChartNetwork("resnet-20", load_genome("resnet-20"))])


def test_areas_of_markers_are_as_the_sizes():
    chart = chart_data(networks("resnet-20", "resnet-110"), size="params")
    small, large = marker_diameters(chart)
    assert (large / small) ** 2 == pytest.approx(1727962 / 269722)
    assert large == 44
    memory = chart_data(networks("resnet-20", "resnet-110"), size="memory")
    assert marker_diameters(memory) != [small, large]


def test_axes_are_logarithmic_where_values_span_much():
    chart = chart_data(networks("resnet-20", "resnet-110"))
    assert (chart.x_is_log, chart.y_is_log) == (True, False)
    near = chart_data(networks("resnet-44", "resnet-56"), y="params")
    assert (near.x_is_log, near.y_is_log) == (False, False)
    assert chart_data(networks("resnet-20", "resnet-110"), y="params").y_is_log
    assert len(round_ticks([1e6, 1e9])) >= 9
    assert len(round_ticks([1e6, 3e6])) >= 5


def test_every_family_has_its_own_mark():
    names = {family_name(name) for name in genome_presets()}
    assert OTHER not in names
    marks = {(family(name).colour, family(name).symbol) for name in names}
    assert len(marks) == len(names)


def test_the_plot_shows_the_data():
    chart = chart_data(networks("resnet-20", "resnet-110", "wrn-28-10"))
    figure = chart_plot(chart)
    assert [trace.name for trace in figure.data] == ["ResNet", "Wide ResNet"]
    assert list(figure.data[0].y) == [8.75, 6.61]
    assert list(figure.data[0].x) == [point.macs for point in chart.points[:2]]
    assert figure.layout.yaxis.title.text == "reported top-1 error on CIFAR-10, %"
    assert figure.layout.xaxis.type == "log"
    assert set(figure.data[0].text) == {"resnet-20", "resnet-110"}


def test_the_pointer_shows_name_numbers_and_source():
    point = chart_data(networks("resnet-50")).points[0]
    text = hover_text(point)
    assert "<b>resnet-50</b>" in text
    assert "25,557,032 parameters" in text
    assert "reported top-1 error 23.85 %" in text
    assert "torchvision" in text


def test_the_page_needs_nothing_from_elsewhere():
    page = chart_page(chart_data(networks("resnet-20", "resnet-20-b")))
    assert page.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in page
    own_part = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"(?:src|href)=[\"']", own_part) == []
    assert re.findall(r"<script[^>]+src=", page) == []
    assert "Plotly.newPlot" in page
    assert len(page) > 1_000_000


def test_the_page_lists_numbers_sources_and_what_is_not_shown():
    page = chart_page(chart_data(networks("resnet-20", "resnet-20-b")))
    table = page.partition("<h2>The numbers</h2>")[2]
    assert "40,551,040" in table
    assert "Table 6, as quoted in akamaster" in table
    assert "<b>resnet-20-b</b>: no reported error on CIFAR-10: not available" in page
    costs = chart_page(chart_data(networks("resnet-20"), y="params"))
    assert "Not shown" not in costs
    assert "top-1" not in costs.partition("<h2>The numbers</h2>")[2]


def test_names_are_text_in_the_page():
    evil = own("<script>alert(1)</script>.yaml")
    page = chart_page(chart_data([*networks("resnet-20"), evil], y="params"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_documents_are_plain_data():
    document = chart_data(networks("resnet-20", "resnet-20-b")).document()
    assert document["points"][0]["reported"]["top1"] == 8.75
    assert document["not_shown"][0]["name"] == "resnet-20-b"
    assert (document["y"], document["dataset"]) == ("error", "cifar10")
