"""How findings and what the person said change the probabilities of the topics that the text points to.

Each changes the odds of the topics that it speaks to; then all probabilities, "not known" among them, are brought back to a sum
of one.
"""

from __future__ import annotations

from ..knowledge.entry import has_entry, load_entry
from ..knowledge.matcher import Ranking
from .probe import Finding
from .question import PERSON
from .said import NOTHING, Said

# How much a finding multiplies a topic's odds. A confirmed suspicion counts for much more than one ruled out, because the
# model given need not be the one that failed.
CONFIRMED = 12.0
RULED_OUT = 0.3
# What a fault that the text does not point to starts from, as a share of the probability that the text is not known: a
# paste that is understood is about itself, whatever else is wrong with the model.
FAULT_ALONE = 0.15
NO_TEXT = 1.0  # the same where nothing was pasted: a fault is all there is to go by
SUSPECTED = 0.02
# What a topic keeps of its odds, as part of "not known", once its fix did not help: it may still be it, and else it is more
# likely something that is not known than a topic that hardly fitted. Of 859 cases (tests/knowledge/questions.jsonl and real ones)
# those whose first topic was wrong had the right one second in 56 %; of those that LEAST_NAMED then lets through, in 65 %.
DID_NOT_HELP = 0.1
# The least probability of a topic that is named on words alone: of those below it most were wrong.
LEAST_NAMED = 0.3


def weigh(
    ranking: Ranking, findings: list[Finding], fault: float = FAULT_ALONE, said: Said = NOTHING
) -> tuple[dict[str, float], float]:
    """The probability of each topic in question, and that it is none, once the findings and what the person said are counted.

    `fault` is what a topic that only a fault points to starts from, as a share of the probability that it is none. Where nothing
    was pasted a warning does as much: it is all there is to go by.
    """
    odds = {match.topic: match.confidence for match in ranking.matches}
    others = max(0.0, 1.0 - ranking.unknown - sum(odds.values()))
    alone = fault * ranking.unknown
    for finding in findings:
        tells = finding.fault or (finding.warning and fault == NO_TEXT)
        for number, topic in enumerate(finding.topics, 1):
            if has_entry(topic):  # the first is what the probe has in mind, the others may come of it
                start = max(alone / number, _explained(topic, odds) if finding.fault else 0.0) if tells else 0.0
                odds[topic] = max(odds.get(topic, 0.0), start) * CONFIRMED
        for topic in finding.ruled_out:
            if topic in odds:
                odds[topic] *= RULED_OUT
    for topic in said.likely:
        if has_entry(topic):
            odds[topic] = max(odds.get(topic, 0.0), alone) * PERSON / (1.0 - PERSON)
    unknown = ranking.unknown + DID_NOT_HELP * sum(odds.get(topic, 0.0) for topic in sorted(said.ruled_out))
    odds = {topic: value for topic, value in odds.items() if topic not in said.ruled_out}
    total = sum(odds.values()) + others + unknown or 1.0
    return {topic: value / total for topic, value in odds.items()}, unknown / total


def seen(topic: str, findings: list[Finding]) -> bool:
    """Whether a probe saw it."""
    return any(topic in finding.topics for finding in findings)


def _explained(cause: str, odds: dict[str, float]) -> float:
    """The highest odds of a described symptom for which the entries name this cause: a fault that is there explains it."""

    def names(one: str, other: str) -> bool:
        return any(related.id == other for related in load_entry(one).related)

    symptoms = [topic for topic in odds if topic != cause and load_entry(topic).kind == "pitfall"]
    return max((odds[each] for each in symptoms if names(each, cause) or names(cause, each)), default=0.0)
