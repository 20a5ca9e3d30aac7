"""Tables for papers: what they say, what is escaped, and that LaTeX reads them."""

import re
import shutil
import subprocess

import pytest

from nasablate.cli.main import main
from nasablate.figures.numerals import DASH, MINUS, signed
from nasablate.report.ablation import load_ablation_report
from nasablate.report.deletion import load_deletion_report
from nasablate.report.deletion_paper import deletion_paper_tables
from nasablate.report.deletion_tables import contrasts_table, networks_table
from nasablate.report.latex import latex, latex_tables
from nasablate.report.paper_markdown import markdown_tables, words_of
from nasablate.report.paper_tables import PaperTable, paper_tables
from nasablate.report.search import load_search_report
from nasablate.report.search_paper import search_paper_tables
from nasablate.report.search_tables import best_table
from nasablate.report.tables import Column, Marked, numbers
from nasablate.search.deletion import run_deletion
from nasablate.store import open_database
from tests.report.searches import make_wide_search
from tests.report.studies import Fate, Plan, make_ablation, make_search
from tests.search.test_deletion import spec_of

NASTY = '\\ { } $ & # % _ ~ ^ < > | " ` [ ] * ' + "".join(
    f"{sign} "
    for sign in (
        MINUS,
        "→",
        "\N{MULTIPLICATION SIGN}",
        "±",
        "é",
        "ß",
        "“q”",
        "\N{GRINNING FACE}",
        "\N{GREEK SMALL LETTER OMEGA}",
    )
)


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    url = make_ablation(tmp_path_factory.mktemp("tables"))
    return load_ablation_report(open_database(url), "try")


@pytest.fixture(scope="module")
def deletion(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('deletion')}/runs/d.db"
    run_deletion(spec_of(), url, "inline")
    return load_deletion_report(open_database(url), "try")


def test_every_arm_has_a_row_with_n_interval_and_verdict(report):
    arms, effects = paper_tables(report)
    rows = {row[0]: row for row in arms.rows}
    assert list(rows) == [arm.name for arm in report.result.arms]
    assert rows["baseline"][1:4] == ("7", "23.00 ± 2.00", DASH)
    judged = report.result.arms[1].judgement
    assert rows["bn=with"][3].startswith(f"{MINUS}{abs(judged.difference):.2f} [{MINUS}")
    assert rows["bn=with"][-1] == Marked(judged.verdict)
    assert {row[0] for row in effects.rows} == {"relu", "bn", "relu:bn"}


def test_the_note_says_rule_part_data_and_recipe(report):
    note = paper_tables(report)[0].note
    for words in ("validation part of 360 images", "paired by seed", "Holm", "fingerprint-of-the",
                  "epochs 2", "0.5 percentage points"):  # fmt: skip
        assert words in note


def test_missing_replicates_are_told(tmp_path):
    plan = Plan(fates={("bn=with", 3): Fate("fail", reason="loss became nan")})
    url = make_ablation(tmp_path, plan)
    arms = paper_tables(load_ablation_report(open_database(url), "try"))[0]
    row = next(row for row in arms.rows if row[0] == "bn=with")
    assert (row[1], row[-1]) == ("6 of 7", Marked("undecided"))
    assert "27 of 28 replicates have a result; 1 failed" in arms.note


def test_latex_escapes_every_sign_it_reads():
    text = latex(NASTY)
    for part in (r"\textbackslash{}", r"\{", r"\$", r"\&", r"\#", r"\%", r"\_", r"\^", "{[}",
                 "$-$", r"$\rightarrow$", "é", "``q''", r"\texttt{U+1F600}"):  # fmt: skip
        assert part.replace(r"\^", r"\textasciicircum{}") in text
    assert text.isascii() or set(text) - set(map(chr, range(128))) == {"é", "ß"}


def test_latex_has_a_row_per_arm_and_balanced_environments(report):
    text = latex_tables("try", paper_tables(report))
    for name in ("table", "tabular"):
        assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}") >= 2
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(rf"\{rule}") == 2
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 1 + 4 + 1 + 3
    assert r"relu=\allowbreak{}remove, bn=\allowbreak{}with & 7 &" in text
    assert r"Does \textless{}b\textgreater{}it" in text
    assert r"\label{tab:try-arms}" in text


def test_markdown_keeps_cells_apart_and_words_words(report):
    text = markdown_tables(paper_tables(report))
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace(r"\|", "").count("|") for line in lines[:6]} == {8}
    assert r"Does \<b\>it\</b\> help \& why?" in text
    assert words_of("a|b\nc") == r"a\|b c"


def test_the_command_writes_both_files(tmp_path, capsys):
    url = make_ablation(tmp_path)
    tex, markdown = tmp_path / "t.tex", tmp_path / "t.md"
    options = ["--latex", str(tex), "--markdown", str(markdown), "--storage", url]
    assert run("report", "try", *options) == 0
    assert capsys.readouterr().out == f"wrote {tex}\nwrote {markdown}\n"
    assert r"\toprule" in tex.read_text()
    assert "| arm |" in markdown.read_text()


def test_bad_targets_are_refused(tmp_path, capsys):
    url = make_ablation(tmp_path)
    assert run("report", "try", "--latex", str(tmp_path / "t.md"), "--storage", url) == 2
    assert "must end in .tex" in capsys.readouterr().err


def test_a_search_has_what_was_confirmed_and_the_best(tmp_path, capsys):
    url = make_search(tmp_path)
    report = load_search_report(open_database(url), "hunt")
    confirmed, best = search_paper_tables(report)
    rows = {row[0]: row for row in confirmed.rows}
    assert rows["2"][-1] == "winner"
    winner = report.result.winner
    assert f"{winner.val_error.mean:.2f} ±" in rows["2"][3]
    assert [row[0] for row in best.rows] == [row[0] for row in best_table(report).rows]
    for words in ("fresh seeds", "Test error of trial 2", "fingerprint", "distinct networks"):
        assert words in confirmed.note
    tex = tmp_path / "t.tex"
    assert run("report", "hunt", "--latex", str(tex), "--storage", url) == 0
    assert capsys.readouterr().out == f"wrote {tex}\n"
    assert r"\label{tab:hunt-confirmed}" in tex.read_text()


def test_a_deletion_study_has_the_numbers_of_its_report(deletion):
    networks, *others = deletion_paper_tables(deletion)
    shown = networks_table(deletion.result)
    for row, known in zip(networks.rows, shown.rows, strict=True):
        assert row[0] == known[0]
        assert row[3].startswith(str(known[3]))
        assert row[4].startswith(str(known[4]))
    with_downsampling = [found for found in deletion.result.networks
                         if found.downsampling_rise.mean is not None]  # fmt: skip
    assert [table.key for table in others] == ["kinds", "contrasts", "together"]
    for row, known in zip(others[0].rows, with_downsampling, strict=True):
        assert row[1].startswith(signed(known.downsampling_rise.mean))
        assert row[3].startswith(signed(known.gap.mean))
    contrasts = contrasts_table(deletion.result)
    for row, known in zip(others[1].rows, contrasts.rows, strict=True):
        assert (row[0], row[1], row[2]) == known[:3]
        assert row[3].startswith(str(known[3]))
        assert row[-1] == known[-2]
    for words in ("digits", "sign-flip", "quick"):
        assert words in networks.note


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code or 0


def wide_table():
    """Return a table of six columns with names and intervals that do not fit as they are."""
    columns = (Column("arm"), Column("kind"), *numbers("n", "difference, 95 % interval",
               "seeds and images", "params"), Column("verdict"))  # fmt: skip
    interval = f"{MINUS}10.25 [{MINUS}13.50, {MINUS}7.25]"
    names = ("placement.pre=bn_relu_conv, widening.kind=multiplicative", "한국어 이름", "short")
    rows = tuple((name, "stages.*.units removed", "7 of 9", interval, interval, "12,345,678",
                  Marked("undecided")) for name in names)  # fmt: skip
    return PaperTable("wide", "A wide table. " * 9, columns, rows, "f" * 64)


def wrapped_at_the_end():
    columns = (Column("n", is_number=True), Column("a"), Column("b"))
    return PaperTable("end", "Words.", columns, (("1", "many words " * 9, "more words " * 9),) * 2)


def many_axes(folder):
    """Return the best trials of a search over six axes with long names."""
    report = load_search_report(open_database(make_wide_search(folder)), "wide")
    for trial in report.result.trials:
        trial.params.update({f"stages.{place}.unit.bottleneck_ratio": 0.25 for place in range(4)})
    return search_paper_tables(report)[-1]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_reads_the_tables_whatever_names_are(report, deletion, tmp_path):
    search = load_search_report(open_database(make_search(tmp_path)), "hunt")
    columns = (Column("arm"), Column("error", is_number=True), Column("verdict"))
    rows = ((NASTY, f"{MINUS}0.5", Marked("better")), ("[1] x", "1", Marked("futile")))
    tables = [*paper_tables(report), *search_paper_tables(search)]
    tables += [*deletion_paper_tables(deletion), PaperTable("nasty", NASTY, columns, rows, NASTY)]
    tables += [wide_table(), many_axes(tmp_path), wrapped_at_the_end()]
    (tmp_path / "tables.tex").write_text(latex_tables("a_b", tables), encoding="utf-8")
    page = (
        r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{tables}\end{document}"
    )
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").is_file()
    assert re.findall(r"Overfull.*", done.stdout) == []
