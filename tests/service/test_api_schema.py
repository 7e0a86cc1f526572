"""The description of the API is true: Schemathesis sends what it describes and what it does not, and looks at what comes back.

`SCHEMATHESIS_SECONDS=600 pytest tests/service/test_api_schema.py` does it for longer, with all that Schemathesis can do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kerasdoctor.service.database import Database
from kerasdoctor.service.keys import new_key

HERE = Path(__file__).parent
SECONDS = int(os.environ.get("SCHEMATHESIS_SECONDS", "0"))
SHORT = ["--phases", "examples,fuzzing", "--max-examples", "2", "--seed", "1", "--max-time", "15"]
LONG = ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "100", "--max-time", str(SECONDS)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_description_is_true(serve, database_url: str, tmp_path: Path) -> None:
    """No server error, no status, type, header or body that is not described, nothing accepted that is described as wrong."""
    database = Database(database_url)
    key = new_key(database, "test")
    database.close()
    with serve(keys=True, requests_per_minute=10**7, messages_per_minute=10**7, metrics=False) as address:
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(HERE / "schemathesis.toml")),
            *("run", f"{address}/api/v1/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--request-timeout", "20", "--continue-on-failure", "--no-color", *(LONG if SECONDS else SHORT)),
        ]
        seen = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py")}
        ended = subprocess.run(command, cwd=tmp_path, env=seen, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
