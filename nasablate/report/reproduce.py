"""How somebody else gets the numbers of a study again."""

from collections.abc import Mapping
from typing import Any, Literal

from nasablate.report.environment import Environment
from nasablate.store.database import DEFAULT_URL
from nasablate.store.failures import shown


def commands(
    name: str, verb: Literal["ablate", "delete-units", "search"], url: str, *, has_file: bool
) -> str:
    """Return the commands that make a study again, and those that look at this one.

    Args:
        name: Of the study.
        verb: What runs it.
        url: Of the database; its password is not shown.
        has_file: Whether the study's file follows.
    """
    storage = "" if url == DEFAULT_URL else f" --storage {shown(url)}"
    file = " (it stands below)" if has_file else ""
    lines = [
        f"# Train it again from the study's file{file}",
        f"nasablate report {name} --spec{storage} > {name}.json",
        f"nasablate plan {name}.json",
        f"nasablate {verb} {name}.json",
        "",
    ]
    if verb != "search":
        lines += [
            "# Take its trials along, and train nothing that is there",
            f"nasablate export-study {name} --to records.csv{storage}",
            f"nasablate {verb} {name}.json --from-records records.csv",
            "",
        ]
    lines += [
        "# Look at this database",
        f"nasablate report {name}{storage}",
        f"nasablate trials {name}{storage}",
    ]
    return "\n".join(lines)


def code_sentence(environment: Environment, attributes: Mapping[str, Any]) -> str:
    """Return which code trained the trials."""
    facts = {fact.what: fact.text for fact in environment.facts}
    version = facts.get("nasablate version", attributes.get("nasablate_version", "not recorded"))
    parts = [f"nasablate {version}"]
    if (commit := facts.get("nasablate commit", "none")) != "none":
        parts.append(f"commit {commit}")
    if digest := facts.get("nasablate source sha256"):
        parts.append(f"sources with SHA-256 {digest}")
    return "Trained by " + ", ".join(parts) + "."
