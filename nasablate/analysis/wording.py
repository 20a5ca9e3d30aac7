"""Counts in words, for all that is said of results."""

from collections.abc import Sequence


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "trial"), plural(3, "trial")
    ('1 trial', '3 trials')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def are(count: int) -> str:
    """Return the verb that goes with a count.

    >>> are(1), are(2)
    ('is', 'are')
    """
    return "is" if count == 1 else "are"


def numbered(noun: str, numbers: Sequence[int]) -> str:
    """Return a noun with its numbers, three or more in a row as a span.

    Args:
        noun: In the singular.
        numbers: Growing.

    >>> numbered("replicate", [3]), numbered("replicate", [0, 1, 2, 3, 5])
    ('replicate 3', 'replicates 0 to 3 and 5')
    """
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1].append(number)
        else:
            spans.append([number])
    shown: list[str] = []
    for span in spans:
        shown += [f"{span[0]} to {span[-1]}"] if len(span) > 2 else [str(n) for n in span]
    text = " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
    return f"{noun}{'s' if len(numbers) > 1 else ''} {text}"
