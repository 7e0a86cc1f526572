"""The JSON Schemas of what is answered, for programs that check it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict, RootModel
from starlette.responses import JSONResponse

from ...diagnostics.diagnosis import SCHEMA
from ...diagnostics.schema import diagnosis_schema
from .values import AN_ID, ID_PATTERN, OPEN

router = APIRouter(tags=["diagnoses"])


def _diagnosis(schema: dict[str, Any]) -> None:
    schema.clear()
    schema.update({name: value for name, value in diagnosis_schema().items() if not name.startswith("$")})


def _given(schema: dict[str, Any]) -> None:
    _diagnosis(schema)
    ident = {
        "type": "string",
        "pattern": ID_PATTERN,
        "description": "for feedback and to get it again",
        "examples": [AN_ID],
    }
    schema["title"] = "GivenDiagnosis"
    schema["properties"] = {"id": ident, **schema["properties"]}
    schema["required"] = ["id", *schema["required"]]


class DiagnosisJson(RootModel[dict[str, Any]]):
    """A diagnosis, as `Diagnosis.as_json` writes it."""

    model_config = ConfigDict(title="Diagnosis", json_schema_extra=_diagnosis)


class GivenJson(RootModel[dict[str, Any]]):
    """A diagnosis with its id."""

    model_config = ConfigDict(title="GivenDiagnosis", json_schema_extra=_given)


@router.get(
    "/schemas/diagnosis.json",
    openapi_extra=OPEN,
    summary=f"The JSON Schema of a diagnosis ({SCHEMA})",
    response_class=JSONResponse,
    response_description="The schema, in the dialect 2020-12 of JSON Schema",
)
def diagnosis_json() -> dict[str, Any]:
    """The schema of a diagnosis as it stands in files and on the command line; the API adds the `id` to it."""
    return diagnosis_schema()
