"""Records what programs that fail for reasons other than Keras print: `python record.py FILE.py... > negatives.jsonl`.

Each file holds programs between lines `# %% name`. They run under the interpreter that runs this script, which needs the
libraries that they use. A `.jsonl` file holds questions that are nobody's failure of Keras; they are added as they are.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def record(name: str, code: str) -> dict[str, object]:
    """Run one program and keep what it printed on standard error."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / f"{name.replace('-', '_')}.py"
        script.write_text(code, encoding="utf-8")
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "HF_HUB_OFFLINE": "1"}
        ended = subprocess.run(
            [sys.executable, script.name], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        text = ended.stderr.replace(folder + os.sep, "")
    text = re.sub(r"/[^\s\"']*?/lib/python3", "/venv/lib/python3", text)
    assert ended.returncode, f"{name} did not fail"
    assert text.strip(), f"{name} printed nothing"
    return {"id": name, "kind": "negative", "lang": "en", "text": text[-6000:], "expect": []}


def main() -> None:
    """Print one case a line."""
    for name in sys.argv[1:]:
        if name.endswith(".jsonl"):
            for number, line in enumerate(Path(name).read_text(encoding="utf-8").splitlines()):
                case = {"id": f"question-{number}", "kind": "negative", **json.loads(line), "expect": []}
                sys.stdout.write(json.dumps(case, ensure_ascii=False) + "\n")
            continue
        cells = re.split(r"(?m)^# %% (\S+)\n", Path(name).read_text(encoding="utf-8"))
        for title, code in zip(cells[1::2], cells[2::2], strict=True):
            sys.stdout.write(json.dumps(record(f"{Path(name).stem}-{title}", code), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
