"""Feedback: who may give it, what is kept, what the report counts."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from kerasdoctor.cli import main
from kerasdoctor.errors import NotFoundError
from kerasdoctor.service.database import Database
from kerasdoctor.service.feedback import MAX_REASON, Feedbacks, Helpfulness
from kerasdoctor.service.tables import DiagnosisRow, Feedback, Owner


@pytest.fixture
def feedbacks(database: Database) -> Feedbacks:
    with database.session() as session:
        session.add_all([Owner(id="ann", kind="local"), Owner(id="bob", kind="local")])
    return Feedbacks(database)


def diagnose(database: Database, topic: str | None, text: str = "paste", nearest: str | None = None) -> str:
    alternatives = [{"topic": nearest}] if nearest else []
    row = DiagnosisRow(owner_id="ann", topic=topic, confidence=0.9, text=text, body={"alternatives": alternatives})
    with database.session() as session:
        session.add(row)
    return row.id


def test_the_report_counts_by_topic(feedbacks: Feedbacks, database: Database) -> None:
    """Named, helped, not helped; what helped least first; what nobody judged is counted as named."""
    for topic, said in [("a", True), ("a", True), ("a", False), ("a", None), ("b", False), ("c", None), (None, False)]:
        made = diagnose(database, topic)
        if said is not None:
            feedbacks.take("ann", made, helped=said, reason="")
    assert feedbacks.by_topic() == [Helpfulness("b", 1, 0, 1), Helpfulness("c", 1, 0, 0), Helpfulness("a", 4, 2, 1)]


def test_the_last_word_counts(feedbacks: Feedbacks, database: Database) -> None:
    """A reason stays when none is given later; it is masked and bounded. Two at once are one."""
    made = diagnose(database, "a")
    feedbacks.take("ann", made, helped=False, reason="still fails, password=hunter2hunter2 " + "x" * 9000)
    feedbacks.take("ann", made, helped=True, reason="")
    with database.reading() as session:
        kept = session.get_one(Feedback, made)
    assert kept.helped
    assert kept.reason.startswith("still fails")
    assert "hunter2" not in kept.reason
    assert len(kept.reason) == MAX_REASON
    fresh = [diagnose(database, "b") for _ in range(10)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: feedbacks.take("ann", each, helped=True, reason="x"), sorted(fresh * 4)))
    assert Helpfulness("b", 10, 10, 0) in feedbacks.by_topic()


def test_only_the_owner_judges(feedbacks: Feedbacks, database: Database) -> None:
    """Another one's diagnosis is not found, and neither is one that is not there."""
    made = diagnose(database, "a")
    for owner, which in (("bob", made), ("ann", "nothing")):
        with pytest.raises(NotFoundError):
            feedbacks.take(owner, which, helped=True, reason="")


def test_what_was_not_known_is_listed_once(feedbacks: Feedbacks, database: Database) -> None:
    """The newest first, with how often it came and what came nearest; an empty paste is none."""
    diagnose(database, None, "one")
    diagnose(database, None, "")
    diagnose(database, "a", "known")
    newest = [diagnose(database, None, text, "near") for text in ("two", "one")]
    told = feedbacks.unknown()
    assert [(each.text, each.times, each.nearest) for each in told] == [("one", 2, "near"), ("two", 1, "near")]
    assert [each.diagnosis for each in told] == newest[::-1]
    assert len(feedbacks.unknown(1)) == 1


def test_the_report_of_an_operator(feedbacks: Feedbacks, database: Database, database_url: str) -> None:
    """The command tells topics, reasons and what was not known, of all owners, for people and as JSON."""
    feedbacks.take("ann", diagnose(database, "a"), helped=False, reason="my model has two inputs; ask ann@example.org")
    diagnose(database, None, "KeyError: 'Age'", nearest="b")
    told = CliRunner().invoke(main, ["report", "--database", database_url])
    assert told.exit_code == 0, told.output
    for line in (
        "a: named 1, helped 0, did not help 1",
        "✗ a: my model has two inputs; ask <email>",
        "1 times, nearest b",
    ):
        assert line in told.output
    read = json.loads(CliRunner().invoke(main, ["report", "--database", database_url, "--json"]).output)
    assert read["reasons"] == [{"topic": "a", "helped": False, "reason": "my model has two inputs; ask <email>"}]
    assert read["unknown"][0]["text"] == "KeyError: 'Age'"
