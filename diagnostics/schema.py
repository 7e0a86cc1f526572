"""The JSON Schema of a diagnosis, as `Diagnosis.as_json` writes it."""

from __future__ import annotations

from typing import Any, get_args

from ..knowledge.lines import LINES
from ..knowledge.symptoms import Owner, Shape
from ..knowledge.text import Lang
from .diagnosis import SCHEMA, QuestionKind
from .probe import Outcome, SubjectKind

Schema = dict[str, Any]


def diagnosis_schema() -> Schema:
    """The schema, in the dialect 2020-12 of JSON Schema. What is not in it is not in a diagnosis."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "Diagnosis",
        "description": "What kerasdoctor says about a pasted text and the subjects beside it, worded in one language.",
        **_object(
            schema={"const": SCHEMA, "description": "The name of this schema; its number rises with every change."},
            lang=_one_of(get_args(Lang), "The language of all texts."),
            topic=_nullable(_text("The id of the topic; null where the problem is not known.")),
            title=_nullable(_text("Its title.")),
            summary=_text("What it is, in a few sentences; that it is not known, where it is not."),
            why=_nullable(_text("Why it happens, as Markdown.")),
            confidence=_chance(
                "The probability that it is this topic, with all evidence counted; else that it is none that is known."
            ),
            reasons=_list(
                _text("A sentence."), "Why this topic; where it is not known, what was understood of the text."
            ),
            findings=_list(_finding(), "What each probe saw of each subject."),
            fix=_nullable(_fix()),
            alternatives=_list(_named(), "Other topics that come into question, the likeliest first."),
            sources=_list(_source(), "Where it is documented."),
            advice=_list(_text("A sentence."), "What would help, where it is not known."),
            question=_nullable(_question()),
            told=_told(),
        ),
    }


def _finding() -> Schema:
    return _object(
        "What one probe saw of one subject.",
        probe=_text("The id of the probe."),
        subject=_text("The name of the file, or of the interpreter."),
        outcome=_one_of(get_args(Outcome), "How it ended: for could_not_look and crashed the evidence is the reason."),
        fault=_flag("Whether something is wrong in itself, whatever was suspected."),
        warning=_flag("Whether something is worth telling, whatever was suspected."),
        topics=_list(_text("The id of a topic."), "The topics that it confirms."),
        ruled_out=_list(_text("The id of a topic."), "The topics that it speaks against."),
        evidence=_list(_text("A sentence with names and numbers."), "What was seen."),
        layers=_list(_text("The path of a layer."), "The layers that it is about."),
    )


def _fix() -> Schema:
    return _object(
        "What to do.",
        steps=_text("As Markdown."),
        check=_text("How to see that it helped, as Markdown."),
        language=_text("The language of the code, as Markdown names it."),
        code=_text("The code to write or to run."),
        lines=_list(_line(), "The Keras lines that it is for."),
        seen_on=_list(_text("A release."), "Where it was run and seen to work."),
    )


def _named() -> Schema:
    return _object(
        "A topic that comes into question.",
        topic=_text("Its id."),
        title=_text("Its title."),
        confidence=_chance("Its probability, with all evidence counted."),
    )


def _source() -> Schema:
    return _object("A document.", title=_text("Its title."), url={"type": "string", "format": "uri"})


def _question() -> Schema:
    return _object(
        "What to ask, or which probe to run, next.",
        key=_text('The same for the same question: "line", "topics:a|b", "probe:id".'),
        kind=_one_of(get_args(QuestionKind), "Which of two topics, which Keras, or what to examine."),
        text=_text("The question, as for a command line."),
        options=_list(
            _object(
                "An answer that can be given.",
                label=_text("What the reader sees."),
                value=_text("The topic or the Keras line that it stands for, or neither."),
            ),
            "The answers; none for a probe.",
        ),
        gain={"type": "number", "minimum": 0, "description": "The bits that an answer is expected to be worth."},
        probe=_nullable(_text("The id of the probe to run.")),
        subject=_nullable(_one_of(get_args(SubjectKind), "The kind of subject that the probe needs.")),
    )


def _told() -> Schema:
    return _object(
        "What was understood of the text.",
        shape=_one_of(get_args(Shape), "What kind of text it is."),
        exception=_text("The class of the exception; empty where there is none."),
        message=_text("The first line of its message."),
        owner=_nullable(_one_of(get_args(Owner), "Whose code raised it.")),
        package=_text("The package that raised it."),
        keras=_nullable(_text("The version of Keras.")),
        tensorflow=_nullable(_text("The version of TensorFlow.")),
        python=_nullable(_text("The version of Python.")),
        line=_nullable(_line()),
        language=_text("The language of the text."),
    )


def _object(description: str = "", /, **properties: Schema) -> Schema:
    """An object with exactly these properties."""
    told = {"description": description} if description else {}
    return {
        "type": "object",
        **told,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _text(description: str) -> Schema:
    return {"type": "string", "description": description}


def _flag(description: str) -> Schema:
    return {"type": "boolean", "description": description}


def _chance(description: str) -> Schema:
    return {"type": "number", "minimum": 0, "maximum": 1, "description": description}


def _list(items: Schema, description: str) -> Schema:
    return {"type": "array", "items": items, "description": description}


def _one_of(values: tuple[str, ...], description: str) -> Schema:
    return {"enum": list(values), "description": description}


def _line() -> Schema:
    return _one_of(LINES, "A line of Keras releases.")


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}
