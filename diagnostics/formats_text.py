"""Files of text: architectures, training histories, tables, progress bars, and answers that were saved in a model's stead."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

from ..knowledge.text import Text
from .file_format import MAX_TEXT, Format, declined, quoted, same
from .wording import names_en, names_zh

_ERROR_KEYS = ("error", "errors", "message", "detail")
_ERROR_TEXT = re.compile(
    r"^\s*(?:\d{3}[: ]+)?(?:not found|access denied|forbidden|unauthori[sz]ed|bad request|internal server error|entry not found"
    r"|invalid (?:username|credentials)|too many requests|service unavailable|no such (?:key|file)|error\b)",
    re.IGNORECASE,
)
_PROGRESS = re.compile(r"^Epoch \d+(?:/\d+)?\s*$|\d+/\d+ ?(?:\[[=>.]+\]|[━═]{3,})|- (?:val_)?loss: ", re.MULTILINE)
_YAML = re.compile(r"^class_name: ?\S+", re.MULTILINE)
AGAIN = Text("download it again with the file's raw or download link", "请用文件的原始（raw）或下载链接重新下载")


def identify_text(path: Path, head: bytes) -> Format | None:
    """What a text file is; None where it is none or of no known kind."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16: what PowerShell redirects into a file
        return _json(path)
    start = _decoded(head)
    if start is None:
        return None
    if start.lstrip("\ufeff \t\r\n")[:1] in ("{", "[", '"') and (found := _json(path)):
        return found
    for test in (_pointer, _web_page, _checkpoint_list, _yaml, _progress, _error, _table):
        if found := test(path, start):
            return found
    return None


def _decoded(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:  # a character that the end of the head cut through is no reason
        return head[: error.start].decode("utf-8-sig", "replace") if error.start > len(head) - 4 else None


def _pointer(_path: Path, start: str) -> Format | None:
    if not start.startswith("version https://git-lfs"):
        return None
    size = re.search(r"^size (\d{1,15})$", start, re.MULTILINE)
    real = f" ({int(size[1]):,} bytes)" if size else ""
    text = Text(
        f"is a Git LFS pointer, not the model{real}: run `git lfs pull` in its repository",
        f"是 Git LFS 指针，不是模型本身{real}：请在仓库中运行 `git lfs pull`",
    )
    return declined("git-lfs-pointer", text, same("git lfs pull"))


def _web_page(_path: Path, start: str) -> Format | None:
    low = start.lstrip()[:200].lower()
    if low.startswith(("<!doctype html", "<html")) or (low.startswith("<?xml") and "<error" in start[:500].lower()):
        text = Text(
            "is an HTML page or a server's error answer, not a model: the download was answered by a web page",
            "是 HTML 网页或服务器的报错，不是模型：下载时得到的是网页",
        )
        return declined("web-page", text, AGAIN)
    return None


def _checkpoint_list(_path: Path, start: str) -> Format | None:
    if not start.startswith("model_checkpoint_path:"):
        return None
    text = Text(
        "is the list of a folder's TensorFlow checkpoints, without any values",
        "是 TensorFlow checkpoint 的目录清单，不含数值",
    )
    return declined("tf-checkpoint-list", text, same("tf.train.latest_checkpoint(folder)"))


def _yaml(_path: Path, start: str) -> Format | None:
    if not (_YAML.search(start) and re.search(r"^config:", start, re.MULTILINE)):
        return None
    text = Text(
        "is an architecture in YAML (to_yaml of Keras before 2.7), without weights",
        "是 YAML 格式的模型结构（Keras 2.7 之前的 to_yaml），不含权重",
    )
    load = Text(
        "model_from_yaml is gone: convert it to JSON and use keras.models.model_from_json",
        "model_from_yaml 已被删除：请转换成 JSON，再用 keras.models.model_from_json",
    )
    return Format("architecture-yaml", "model", text, load)


def _progress(_path: Path, start: str) -> Format | None:
    if not _PROGRESS.search(start):
        return None
    text = Text("is the progress output of a training", "是训练过程的进度输出")
    return Format("progress", "log", text, Text("nothing to load: it is read as it is", "无需加载，直接读取"))


def _error(_path: Path, start: str) -> Format | None:
    if len(start) > 2000 or not _ERROR_TEXT.match(start):  # noqa: PLR2004 - a message, not a text about errors
        return None
    return _answer(" ".join(start.split()))


def _answer(message: str) -> Format:
    shown = names_en([message])
    text = Text(
        f"is a server's message, {shown}, saved in the file's stead", f"是服务器返回的消息 {shown}，而不是文件本身"
    )
    return declined("error-answer", text, AGAIN)


def _table(path: Path, start: str) -> Format | None:
    lines = [line for line in start.splitlines()[:50] if line.strip()]
    if len(start) >= 1024 and len(lines) > 2:  # noqa: PLR2004 - the last line may be cut
        lines = lines[:-1]
    for delimiter in (",", ";", "\t"):
        rows = list(csv.reader((line[:8192] for line in lines), delimiter=delimiter))
        width = len(rows[0]) if rows else 0
        if width > 1 and len(rows) > 1 and all(len(row) == width for row in rows):
            return _of_columns(path, [cell.strip() for cell in rows[0]], rows[1:])
    return None


def _of_columns(path: Path, header: list[str], rows: list[list[str]]) -> Format | None:
    numbers = [n for n in range(len(header)) if all(_is_number(row[n]) for row in rows)]
    load = same(f"pandas.read_csv({quoted(path)})")
    if "epoch" in header and len(numbers) > 1:
        others = [name for name in header if name != "epoch"]
        text = Text(
            f"is a training log in CSV (CSVLogger): {names_en(others)} per epoch",
            f"是 CSV 训练日志（CSVLogger）：每轮的 {names_zh(others)}",
        )
        return Format("log-csv", "log", text, load)
    if not numbers:
        return None
    text = Text(f"is a table in CSV with {len(header)} columns", f"是有 {len(header)} 列的 CSV 表格")
    return Format("data-csv", "data", text, load)


def _is_number(cell: str) -> bool:
    if not cell.strip():
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _json(path: Path) -> Format | None:
    try:
        if path.stat().st_size > MAX_TEXT:
            return None
        read = json.loads(path.read_bytes())
        twice = isinstance(read, str)
        read = json.loads(read) if twice else read
    except (ValueError, RecursionError, OSError):
        return None
    if isinstance(read, list):
        text = Text(f"is a JSON list of {len(read):,} values", f"是含 {len(read):,} 个值的 JSON 列表")
        return Format("data-json", None, text, same(f"json.load(open({quoted(path)}))"))
    if not isinstance(read, dict):
        return None
    return _environment(read) or _json_object(path, read, twice=twice)


def _environment(read: dict[str, Any]) -> Format | None:
    """A report of `environment_script.examine`, of whichever release."""
    if type(read.get("format")) is not int or not any(isinstance(read.get(key), dict) for key in ("python", "missing")):
        return None
    load = Text("nothing to load: it is read as it is", "无需加载，直接读取")
    return Format("environment", "environment", Text("is the report of an environment", "是环境报告"), load)


def _json_object(path: Path, read: dict[str, Any], *, twice: bool) -> Format:
    name = quoted(path)
    if isinstance(read.get("class_name"), str) and "config" in read:
        return _architecture(name, twice=twice)
    if _is_history(read):
        return _history(name, read)
    if "modelTopology" in read:
        text = Text("is a TensorFlow.js model (model.json)", "是 TensorFlow.js 模型（model.json）")
        return declined(
            "tfjs", text, same("tensorflowjs_converter --input_format tfjs_layers_model --output_format keras")
        )
    if isinstance(read.get("weight_map"), dict):
        text = Text("is the index of weights in several files", "是分片权重的索引文件")
        return declined(
            "weights-index", text, same(f"model.load_weights({name})  # the name must end in .weights.json")
        )
    for key in _ERROR_KEYS:
        if read.get(key) and len(read) <= 6:  # noqa: PLR2004 - an answer is short
            return _answer(str(read[key])[:200])
    keys_en, keys_zh = names_en(list(read)), names_zh(list(read))
    return declined(
        "json", Text(f"is JSON with the keys {keys_en}", f"是 JSON，键为 {keys_zh}"), same(f"json.load(open({name}))")
    )


def _architecture(name: str, *, twice: bool) -> Format:
    text = Text("is an architecture in JSON (to_json), without weights", "是 JSON 格式的模型结构（to_json），不含权重")
    if twice:
        text = Text(text.en + ", packed into JSON a second time", text.zh + "，并被重复编码了一次")
    inner = f"json.load(open({name}))" if twice else f"open({name}).read()"
    return Format("architecture-json", "model", text, same(f"keras.models.model_from_json({inner})"))


def _history(name: str, read: dict[str, Any]) -> Format:
    length, keys = len(next(iter(read.values()))), list(read)
    text = Text(
        f"is a training history in JSON: {names_en(keys)} over {length:,} epochs",
        f"是 JSON 训练历史：{names_zh(keys)}，共 {length:,} 轮",
    )
    return Format("log-history", "log", text, same(f"json.load(open({name}))"))


def _is_history(read: dict[str, Any]) -> bool:
    """A History: names with equally long lists of numbers."""
    columns = list(read.values())
    if not columns or not all(isinstance(column, list) and column for column in columns):
        return False
    numbers = all(type(value) in (int, float) for column in columns for value in column[:1000] if value is not None)
    return numbers and len({len(column) for column in columns}) == 1
