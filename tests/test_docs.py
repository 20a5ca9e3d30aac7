"""The documentation keeps up with the package: pages of families, their examples, links."""

import re
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nasablate.cli.main import app
from nasablate.data import DataInfo
from nasablate.genome import file_kind, genome_presets, load_ablation, load_genome, load_search
from nasablate.genome.files import load_recipe
from nasablate.search.space import load_space
from nasablate.search.variant import Variants

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = ROOT / "docs" / "families"
INDEX = FAMILIES / "README.md"
PAGES = sorted(page for page in FAMILIES.glob("*.md") if page != INDEX)
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SECTIONS = [
    "Idea",
    "Formula",
    "Layout",
    "Paper and code",
    "Searching",
    "Presets",
    "Reported numbers",
]

ids = {"ids": lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else None}


def sections_of(page: Path) -> dict[str, str]:
    heads = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(heads[1::2], heads[2::2], strict=True))


def code_of(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def listed_presets(page: Path) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", sections_of(page)["Presets"], flags=re.MULTILINE)


def images(channels: int, size: int) -> DataInfo:
    return DataInfo(
        name="images",
        channels=channels,
        height=size,
        width=size,
        classes=10,
        class_names=tuple("abcdefghij"),
        num_train=45_000,
        num_val=5_000,
        num_test=10_000,
        fingerprint="0" * 64,
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )


@pytest.mark.parametrize("page", PAGES, **ids)
def test_a_page_has_every_section_in_order(page: Path) -> None:
    found = sections_of(page)
    assert list(found) == SECTIONS
    assert all(text.strip() for text in found.values())
    assert re.search(r"@[0-9a-f]{7}", found["Paper and code"]), "no source of official code"


def test_every_preset_stands_on_exactly_one_page() -> None:
    listed = Counter(name for page in PAGES for name in listed_presets(page))
    assert set(listed) <= set(genome_presets())
    assert not [name for name, count in listed.items() if count > 1]
    assert not [name for name in genome_presets() if name not in listed]


def test_the_index_names_every_page_and_counts_its_presets() -> None:
    rows = re.findall(r"\]\((\S+)\.md\) \|.*\| (\d+) \|$", INDEX.read_text(), flags=re.MULTILINE)
    counts = {page.stem: str(len(listed_presets(page))) for page in PAGES}
    assert dict(rows) == counts


@pytest.mark.parametrize("page", PAGES, **ids)
def test_a_page_shows_the_picture_that_describe_draws(page: Path, tmp_path: Path) -> None:
    [name] = re.findall(r"!\[[^]]+\]\((\S+)\.svg\)", sections_of(page)["Layout"])
    assert name in listed_presets(page)
    drawn = tmp_path / "drawn.svg"
    assert CliRunner().invoke(app, ["describe", name, "--svg", str(drawn)]).exit_code == 0
    assert (FAMILIES / f"{name}.svg").read_text() == drawn.read_text(), "run 'make docs'"


def test_no_picture_lies_about_unused() -> None:
    shown = {name for page in PAGES for name in re.findall(r"\((\S+\.svg)\)", page.read_text())}
    assert {file.name for file in FAMILIES.glob("*.svg")} == shown


@pytest.mark.parametrize("page", PAGES, **ids)
@pytest.mark.parametrize(("channels", "size"), [(3, 32), (1, 8)])
def test_the_search_of_a_page_can_be_run(
    page: Path, channels: int, size: int, tmp_path: Path
) -> None:
    file = tmp_path / "search.yaml"
    file.write_text(code_of(page, "yaml")[0], encoding="utf-8")
    spec = load_search(file)
    space = load_space(spec, images(channels, size))
    valid = [cell for cell in space.cells() if space.is_valid(cell)]
    met = {(axis, str(value)) for cell in valid for axis, value in cell.items()}
    unmet = {
        (axis, str(value))
        for cell in space.cells()
        for axis, value in cell.items()
        if (axis, str(value)) not in met
    }
    assert not unmet, "values of which no cell is valid"
    assert spec.trials <= len(valid)
    assert spec.confirm, "without it the plan warns"


@pytest.mark.parametrize("page", PAGES, **ids)
def test_the_other_files_of_a_page_can_be_loaded(page: Path, tmp_path: Path) -> None:
    searches, *others = code_of(page, "yaml")
    assert "kind: search" in searches
    for number, text in enumerate(others):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert file_kind(file) == "ablation"
        spec = load_ablation(file)
        variants = Variants(load_genome(spec.baseline), load_recipe(spec.training))
        for factor in spec.factors.values():
            digests = {variants.vary(level).network_digest for level in factor.values()}
            assert len(digests) == len(factor)


@pytest.mark.parametrize("document", DOCUMENTS, **ids)
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        assert file.exists(), target
        assert not anchor or anchor in anchors_of(file), target


def anchors_of(document: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
