"""What the person said beside the text that they pasted."""

from __future__ import annotations

from dataclasses import dataclass

from .diagnosis import NEITHER


@dataclass(frozen=True)
class Said:
    """What the person said beside the text.

    `ruled_out` are topics whose fix did not help, or that the person said it is not: they are not named again, not among the
    alternatives either. `likely` are those that they chose in answer to a question, `asked` the keys of questions that they
    were asked, which are not asked again.
    """

    ruled_out: frozenset[str] = frozenset()
    likely: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()

    def answered(self, key: str, value: str) -> Said:
        """What they have said once they answer a question.

        Args:
            key: the question's key.
            value: the value of the option that they chose. That of a question about the Keras line is no topic and is for
                `Doctor.diagnose`; any text that is no option of a question about topics counts as no answer.
        """
        kind, _, topics = key.partition(":")
        named = frozenset(topics.split("|")) if kind == "topics" else frozenset()
        ruled_out = self.ruled_out | (named if value == NEITHER else frozenset())
        return Said(ruled_out, self.likely | (named & {value}), self.asked | {key})


NOTHING = Said()
