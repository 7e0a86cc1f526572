"""What comes beside the words of a message: its files, whether to run the models, the version of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from . import leads, version_leads
from .talk import Talk
from .version_talk import RELEASE, bare_version, keras_of, only_versions, package_of

MAX_UPLOADS = 20


def take_files(talk: Talk, files: Mapping[str, Path]) -> None:
    """Files that came with the message join those of the case; those that expired are let go."""
    every = tuple(dict.fromkeys((*talk.case.uploads, *talk.asked.uploads)))
    there = [each for each in every if each in files]
    if gone := len(every) - len(there):
        talk.leads.append(leads.expired(gone))
    if len(there) > MAX_UPLOADS:
        talk.leads.append(leads.too_many(MAX_UPLOADS))
    uploads = tuple(there[-MAX_UPLOADS:])
    talk.paths = tuple(files[each] for each in uploads)
    talk.redo = any(each in uploads for each in talk.asked.uploads)
    talk.case = replace(talk.case, uploads=uploads)


def take_live(talk: Talk, *, allowed: bool) -> None:
    """Models are run where that is asked for, and may be."""
    wanted = talk.asked.live or "live" in talk.heard.said
    added = bool(set(talk.asked.uploads) & set(talk.case.uploads))
    talk.live = allowed and (wanted or (talk.case.live and added))
    talk.case = replace(talk.case, live=allowed and (wanted or talk.case.live))
    if not wanted:
        return
    if not allowed:
        talk.say(leads.NO_LIVE if talk.redo else leads.NO_LIVE_NO_FILE)
    elif not talk.paths:
        talk.say(leads.NO_FILE)
    else:
        talk.redo = True


def take_version(talk: Talk) -> None:
    """A version that was filled in or told; after a problem's own text the text itself tells it."""
    told = talk.heard.said.get("version", "")
    number = bare_version(talk.asked.text)
    if not told and number and "." in number and only_versions(number, bare=True):
        told = f"{package_of(number)} {number}"
    if not told and number and talk.question and talk.question.kind == "line" and number == "3":
        told = f"keras {number}"
    if talk.asked.keras and talk.asked.keras.strip() and talk.asked.keras != talk.case.keras:
        told = f"keras {bare_version(talk.asked.keras) or '?'}"
    if told:
        _told_version(talk, told)
    elif keras_of(talk.heard.said.get("was", "")) == talk.case.keras is not None:
        talk.case = replace(talk.case, keras=None)  # what was taken for theirs is not the one that fails
        talk.redo = True


def _told_version(talk: Talk, told: str) -> None:
    """Take what was told as "keras 2.4" or "tensorflow 2.4"."""
    keras = keras_of(told)
    if keras is None:
        talk.say(version_leads.WHICH_TENSORFLOW_2 if told.startswith("tensorflow 2") else version_leads.NO_SUCH_VERSION)
        return
    if keras == RELEASE["keras-2"] != talk.case.keras and told.startswith("keras"):
        talk.leads.append(version_leads.KERAS_2)
    talk.set_keras(keras)
