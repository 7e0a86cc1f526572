"""Loading: does Keras load the file, with what it was compiled with; where it fails, which topic the exception is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...knowledge.text import Text
from ..live import Failure, Live
from ..live_steps import told
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

CUSTOM = "custom-objects-on-load"
# The words of keras/src/saving/serialization_lib.py, of tf_keras/src/saving/serialization_lib.py and its legacy/serialization.py.
_NEEDS_CODE = re.compile(
    r"Could not locate (?:class|function) '([^']+)'(?:.{0,600}?Full object config: \{'module': '(\w+))?"
    r"|Cannot deserialize object of type `(\w+)`"
    r"|Unknown (?:layer|[\w ]*function|object|loss|metric|optimizer)(?: object)?: '?([\w>]+)",
    re.DOTALL,
)


def look(live: Live) -> Iterator[Evidence]:
    """Whether the file was loaded, and with what it was compiled with."""
    failed = live.failures.get("load")
    if failed is None:
        yield from _loaded(live)
    elif name := _own_code(failed):
        raise CouldNotLook(
            Text(
                f"loading needs the model's own code, which is not in the file: {names_en([name])}",
                f"加载需要模型自己的代码，文件里没有：{names_zh([name])}",
            )
        )
    else:
        yield Evidence(
            Text(
                f"{_engine(live)} does not load the file: {told(failed)}{_topic(live, 'en')}",
                f"{_engine(live)} 无法加载这个文件：{told(failed)}{_topic(live, 'zh')}",
            ),
            confirms=live.matched,
            fault=True,
        )


def _own_code(failed: Failure) -> str | None:
    """The class or function that the message asks for, unless Keras itself is where it should be."""
    found = _NEEDS_CODE.search(failed.message)
    if found is None or found[2] in ("keras", "tf_keras"):
        return None
    return found[1] or found[3] or found[4]


def _loaded(live: Live) -> Iterator[Evidence]:
    count, took = f"{live.parameters:,}", f"{live.seconds.get('load', 0.0):.2f}"
    yield Evidence(
        Text(
            f"{_engine(live)} loads it in {took} s: {count} parameters",
            f"{_engine(live)} 用 {took} 秒加载成功：{count} 个参数",
        ),
        rules_out=(
            "model-file-corrupt",
            "saved-in-keras2-loaded-in-keras3",
            "saved-in-keras3-loaded-in-keras2",
            CUSTOM,
        ),
    )
    if failed := live.failures.get("compile"):
        yield Evidence(
            Text(
                f"it loads only without what it was compiled with (compile=False), because of {told(failed)}",
                f"只有不恢复编译信息（compile=False）才能加载，原因是 {told(failed)}",
            ),
            confirms=tuple(dict.fromkeys((*live.matched, CUSTOM))),
        )


def _engine(live: Live) -> str:
    return {"keras": "Keras", "tf_keras": "tf_keras"}.get(live.engine, "Keras") + f" {live.version}"


def _topic(live: Live, lang: str) -> str:
    if not live.matched:
        return ""
    return f" (topic {live.matched[0]})" if lang == "en" else f"（主题 {live.matched[0]}）"


PROBE = Probe(
    id="live-load",
    subject="live",
    promise=Text(
        "whether Keras loads the file, and if not, what the exception means",
        "检查 Keras 能否加载它；不能的话，异常意味着什么",
    ),
    topics=(
        "model-file-corrupt",
        "saved-in-keras2-loaded-in-keras3",
        "saved-in-keras3-loaded-in-keras2",
        "argument-not-in-this-version",
        "saved-by-newer-version",
        "lambda-unsafe-deserialization",
        "weights-shape-mismatch",
        "weights-layer-count-mismatch",
        CUSTOM,
    ),
    look=look,
    remedy=Text(
        "`kerasdoctor repair MODEL -o NEW` rewrites the file for another Keras where it can",
        "`kerasdoctor repair MODEL -o NEW` 可以把文件改写成另一个 Keras 能读的形式",
    ),
    documentation="https://keras.io/api/models/model_saving_apis/model_saving_and_loading/",
)
