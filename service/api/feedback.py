"""Whether answers helped, and the report of what should be written better."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from ..access import Asker, whose_pastes
from ..feedback import MAX_REASON
from ..service import TheService
from .values import AN_ID, Id, Input, Output, Storable

router = APIRouter(tags=["feedback"])
MOST = 500


class FeedbackIn(Input):
    """What a person says of a diagnosis; said again, the last word counts."""

    diagnosis: Id = Field(description="the id of the diagnosis", examples=[AN_ID])
    helped: bool
    reason: Annotated[Storable, Field(max_length=MAX_REASON)] = Field(
        "", description="why, in the person's words; it is masked"
    )


class TopicOut(Output):
    """A topic that was named, and how often it helped."""

    topic: str
    named: int = Field(description="how often it was named")
    helped: int
    not_helped: int


class UnknownOut(Output):
    """A paste that no topic was named for."""

    diagnosis: str = Field(description="the id of the newest diagnosis of it")
    text: str = Field(description="the paste, masked and cut")
    nearest: str | None = Field(description="the topic that came nearest")
    times: int


class Report(Output):
    """Which topics help, and which pastes were not known."""

    topics: list[TopicOut] = Field(description="those that helped least first, over all owners")
    unknown: list[UnknownOut] = Field(
        description="the newest first; your own, or all where only people on the machine itself come"
    )


@router.post("/feedback", status_code=204, summary="Say whether a diagnosis helped")
def give(feedback: FeedbackIn, owner: Asker, service: TheService) -> None:
    """Keep it."""
    service.feedbacks.take(owner.id, feedback.diagnosis, helped=feedback.helped, reason=feedback.reason)


@router.get("/report", summary="Topics by helpfulness, and unknown pastes", response_description="The report")
def report(owner: Asker, service: TheService, limit: Annotated[int, Query(ge=1, le=MOST)] = 100) -> Report:
    """What people who write topics look at. Of pastes it shows your own; of a service for people on its machine alone, all."""
    whose = whose_pastes(service, owner)
    return Report(
        topics=[TopicOut(**vars(each)) for each in service.feedbacks.by_topic()],
        unknown=[UnknownOut(**vars(each)) for each in service.feedbacks.unknown(limit, whose)],
    )
