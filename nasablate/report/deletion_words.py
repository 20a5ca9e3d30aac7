"""What a deletion study came to, in sentences."""

from collections.abc import Iterator

from nasablate.analysis.deletion import NetworkContrast
from nasablate.figures.numerals import number, signed, signed_interval
from nasablate.search.deletion_result import DeletionResult, NetworkResult


def images_sentence(result: DeletionResult) -> str:
    """Return which images judge, and that some of them make an estimate."""
    images = result.images
    if images is None:
        return "Nothing has been evaluated yet."
    text = f"Errors in percent of {images.chosen:,} {images.part} images"
    if images.is_estimate:
        text += (
            f" drawn at random from {images.total:,}: estimates of the error on all of them;"
            " the intervals over seeds and images count it"
        )
    return f"{text}; rises in percentage points above the intact network."


def answer(result: DeletionResult) -> Iterator[str]:
    """Yield what was found, the comparisons first."""
    if result.missing:
        yield "Not all has been evaluated; a verdict that needs what is missing is not given."
    elif result.contrast_note:
        yield f"Networks are not compared: {result.contrast_note}."
    for found in result.rise_contrasts:
        yield _rise_sentence(found)
    for found in result.gap_contrasts:
        yield _gap_sentence(found)
    for network in result.networks:
        yield from _network_sentences(network)


def _rise_sentence(found: NetworkContrast) -> str:
    judged = found.judgement
    words = {
        "better": f"{found.network} loses less than {found.reference} when a unit is deleted",
        "worse": f"{found.network} loses more than {found.reference} when a unit is deleted",
        "equivalent": f"{found.network} loses as much as {found.reference} when a unit is deleted,"
        " within the margin",
        "undecided": f"Whether {found.network} loses more or less than {found.reference} when a"
        " unit is deleted is undecided",
    }
    return _with_numbers(words[judged.verdict], found)


def _gap_sentence(found: NetworkContrast) -> str:
    judged = found.judgement
    one, other = found.network, found.reference
    words = {
        "better": f"Downsampling units stand out less in {one} than in {other}",
        "worse": f"Downsampling units stand out more in {one} than in {other}",
        "equivalent": f"Downsampling units stand out as much in {one} as in {other}",
        "undecided": f"Whether downsampling units stand out more or less in {one} than in {other}"
        " is undecided",
    }
    return _with_numbers(words[judged.verdict], found)


def _with_numbers(sentence: str, found: NetworkContrast) -> str:
    judged = found.judgement
    if judged.difference is None:
        return f"{sentence}: {judged.reason}."
    return f"{sentence}: {_numbers(found)} ({judged.reason})."


def _numbers(found: NetworkContrast) -> str:
    judged = found.judgement
    text = f"{signed(judged.difference)} points"
    if judged.interval is not None:
        text += f", {signed_interval(judged.interval)} over seeds"
    if found.crossed is not None:
        text += f", {signed_interval(found.crossed)} over seeds and images"
    return text


def _network_sentences(network: NetworkResult) -> Iterator[str]:
    if network.mean_rise.mean is None:
        return
    possible = [unit for unit in network.units if unit.possible and unit.rise.mean is not None]
    worst = max(possible, key=lambda unit: unit.rise.mean or 0.0)
    kind = "a downsampling unit" if worst.downsampling else "no downsampling unit"
    yield (
        f"{network.name}: {number(network.intact.mean)} % intact; deleting one of its"
        f" {len(possible)} units costs {signed(network.mean_rise.mean)} points on average,"
        f" most for {worst.name} ({signed(worst.rise.mean)}, {kind})."
    )


def rule(result: DeletionResult) -> str:
    """Return how verdicts are reached."""
    note = (
        "Better and worse need a paired t interval over seeds without zero and an exact sign-flip"
        " p of at most 0.05 after Holm over the networks; the interval over seeds and images"
        " speaks of new images too and decides nothing."
    )
    if any(len(network.members) == 1 for network in result.networks):
        note += " One trained network says nothing about another training of it."
    return note
