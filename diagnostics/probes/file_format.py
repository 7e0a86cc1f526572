"""File format: what the file is, how it is loaded, which Keras wrote it and which can read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...knowledge.text import Text
from ..compatibility import Block, blocks_compile, blocks_keras_2, blocks_keras_3
from ..file_format import Format
from ..formats import identify
from ..hazard import CORRUPT
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..wording import names_en, names_zh

TO_3 = "saved-in-keras2-loaded-in-keras3"
TO_2 = "saved-in-keras3-loaded-in-keras2"
UNSUPPORTED = "file-format-not-supported"
ARCHITECTURE = "save-architecture-only"
EXTENSION = "save-extension-required"
MAX_SHOWN = 80


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the file is, whether its name fits, and who wrote it for whom."""
    form = identify(model.path)
    yield _what(form)
    yield from _name(model, form)
    yield from _writer(model)


def _what(form: Format) -> Evidence:
    topics = {
        "architecture-json": (ARCHITECTURE,),
        "architecture-yaml": (ARCHITECTURE,),
        "saved-model": (UNSUPPORTED,),
        "saved-model-keras": (UNSUPPORTED, TO_3),
        "saved-model-pb": (UNSUPPORTED,),
    }
    text = Text(
        f"the file {form.statement.en}; load it with {form.load.en}", f"该文件{form.statement.zh}；加载：{form.load.zh}"
    )
    return Evidence(text, confirms=topics.get(form.id, ()))


def _name(model: ModelFile, form: Format) -> Iterator[Evidence]:
    """A name that lies is a fault where the Keras that wrote the file cannot open it by that name."""
    suffix = Path(model.name).suffix
    if form.id == "keras-zip" and suffix != ".keras":
        shown_en, shown_zh = names_en([suffix]), names_zh([suffix])
        text = Text(
            f"the file is a .keras archive but its name ends in {shown_en}: no Keras opens it by that name; rename it to .keras",
            f"文件是 .keras 压缩包，但扩展名是 {shown_zh}：任何 Keras 都无法按这个名字打开；请改名为 .keras",
        )
        yield Evidence(text, confirms=(CORRUPT, UNSUPPORTED, EXTENSION), fault=True)
    if form.id == "keras-hdf5" and suffix not in (".h5", ".hdf5"):
        text = Text(
            f"the file is HDF5 but its name ends in {names_en([suffix])}: Keras 2 opens it (2.12 and older wrote HDF5 under .keras "
            "unasked), Keras 3 does not; rename it to .h5",
            f"文件是 HDF5，但扩展名是 {names_zh([suffix])}：Keras 2 能打开（2.12 及更早自己就这样写），Keras 3 不能；请改名为 .h5",
        )
        yield Evidence(text, confirms=(CORRUPT, UNSUPPORTED), fault=model.line == "keras-3")


def _writer(model: ModelFile) -> Iterator[Evidence]:
    version = model.keras_version
    if model.line is None or version is None:
        text = Text("the file does not say which Keras wrote it", "文件没有说明由哪个 Keras 写出")
        yield Evidence(text)
    elif model.line == "keras-3":
        yield from _of_keras_3(model, version[:MAX_SHOWN])
    else:
        yield from _of_keras_2(model, version[:MAX_SHOWN])
    if stopper := blocks_compile(model):
        text = Text(
            f"Keras 3 (seen with 3.15) cannot restore {stopper} of an HDF5 file: load it with compile=False and compile again",
            f"Keras 3（在 3.15 上验证）无法从 HDF5 恢复 {stopper}：请用 compile=False 加载后重新 compile",
        )
        yield Evidence(text, confirms=(TO_3, "custom-objects-on-load"))


def _of_keras_3(model: ModelFile, version: str) -> Iterator[Evidence]:
    found = blocks_keras_2(model)
    en, zh = _shown(found)
    because = Text(f": it does not know {en}", f"：它不认识 {zh}") if found else Text("", "")
    text = Text(
        f"written by Keras {version}: TensorFlow 2.16 and newer or Keras 3 reads it, Keras 2 and tf_keras do not{because.en}",
        f"由 Keras {version} 写出：TensorFlow 2.16 及更新版本或 Keras 3 可以读取，Keras 2 和 tf_keras 不能{because.zh}",
    )
    yield Evidence(text, confirms=(TO_2, "saved-by-newer-version"), rules_out=(TO_3,))


def _of_keras_2(model: ModelFile, version: str) -> Iterator[Evidence]:
    found = blocks_keras_3(model)
    if found:
        en, zh = _shown(found)
        text = Text(
            f"written by Keras {version}: Keras 3 does not load it, because it no longer knows {en}; tf_keras does",
            f"由 Keras {version} 写出：Keras 3 无法加载，因为它不再认识 {zh}；tf_keras 可以",
        )
    else:
        text = Text(
            f"written by Keras {version}: Keras 2 and tf_keras read it, and nothing in its layers stops the current Keras 3",
            f"由 Keras {version} 写出：Keras 2 和 tf_keras 可以读取，其中的层也没有会妨碍当前 Keras 3 的内容",
        )
    layers = tuple(dict.fromkeys(block.layer for block in found if block.layer))
    yield Evidence(text, confirms=(TO_3,) if found else (), rules_out=(TO_2,), layers=layers if found else ())


def _shown(found: list[Block]) -> tuple[str, str]:
    """The kinds of what blocks, each with the layers that have it."""
    kinds: dict[str, list[str]] = {}
    for block in found:
        kinds.setdefault(block.what, []).append(block.layer)
    en = "; ".join(f"{what} ({names_en(layers)})" for what, layers in list(kinds.items())[:5])
    zh = "；".join(f"{what}（{names_zh(layers)}）" for what, layers in list(kinds.items())[:5])
    return en, zh


PROBE = Probe(
    id="file-format",
    subject="model",
    promise=Text(
        "what the file is, how it is loaded, and which Keras can read it",
        "检查文件是什么格式、怎样加载、哪些 Keras 能读取",
    ),
    topics=(
        TO_3,
        TO_2,
        CORRUPT,
        UNSUPPORTED,
        ARCHITECTURE,
        EXTENSION,
        "saved-by-newer-version",
        "custom-objects-on-load",
    ),
    look=look,
    remedy=Text(
        "give the file the ending of what it is: .keras for the zip archive, .h5 for HDF5",
        "按实际格式改扩展名：zip 用 .keras，HDF5 用 .h5",
    ),
    documentation="https://keras.io/api/models/model_saving_apis/model_saving_and_loading/",
)
