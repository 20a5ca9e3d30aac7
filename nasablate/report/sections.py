"""Sections that the reports of all kinds of study have."""

from nasablate.report.environment import Environment
from nasablate.report.markup import Section, paragraph, section, table
from nasablate.report.tables import Table, words


def environment_table(found: Environment) -> Table:
    """Return what the trials ran on."""
    silent = f"; {found.num_silent} trials recorded nothing" if found.num_silent else ""
    rows = tuple((fact.what, fact.text) for fact in found.facts)
    caption = f"Environment of {found.num_trials} finished trials{silent}"
    return Table(caption, words("what", "value"), rows)


def environment_section(found: Environment) -> Section:
    """Return what the trials ran on, with a warning if they ran on different things."""
    if not found.facts:
        return section("environment", "Environment", paragraph("No trial has recorded any."))
    warning = ""
    if found.differing:
        names = ", ".join(fact.what for fact in found.differing)
        warning = f"Not all trials ran on the same: {names}."
    return section(
        "environment",
        "Environment",
        paragraph(warning, "state"),
        table(environment_table(found)),
    )
