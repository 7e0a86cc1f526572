"""How a layer looks in a picture: the colour of its kind, what of its configuration is shown, how wide a text is."""

from __future__ import annotations

import unicodedata
from typing import Any

from ..knowledge.text import Text
from . import palette
from .graph import Layer

# Vermilion is left for what was found.
KINDS: dict[str, tuple[str, Text]] = {
    "ends": (palette.GREY, Text("input", "输入")),
    "convolution": (palette.BLUE, Text("convolution", "卷积")),
    "dense": (palette.ORANGE, Text("dense, embedding", "全连接、嵌入")),
    "sequence": (palette.PINK, Text("recurrent, attention", "循环、注意力")),
    "normalization": (palette.SKY, Text("normalization", "归一化")),
    "activation": (palette.GREEN, Text("activation", "激活")),
    "shape": (palette.YELLOW, Text("pooling, reshaping", "池化、变形")),
    "merge": (palette.BLACK, Text("merge", "合并")),
    "model": (palette.PURPLE, Text("nested model", "嵌套模型")),
    "other": (palette.PALE, Text("other", "其他")),
}

_EXACT = {
    "InputLayer": "ends", "Dense": "dense", "EinsumDense": "dense", "Embedding": "dense", "Rescaling": "normalization",
    "Flatten": "shape", "Reshape": "shape", "Permute": "shape", "RepeatVector": "shape", "Resizing": "shape",
    "Add": "merge", "Subtract": "merge", "Multiply": "merge", "Average": "merge", "Maximum": "merge", "Minimum": "merge",
    "Concatenate": "merge", "Dot": "merge", "Merge": "merge", "Bidirectional": "sequence", "RNN": "sequence",
    "LSTM": "sequence", "GRU": "sequence", "SimpleRNN": "sequence", "CuDNNLSTM": "sequence", "CuDNNGRU": "sequence",
    "Activation": "activation", "Softmax": "activation", "LeakyReLU": "activation", "ReLU": "activation",
    "PReLU": "activation", "ELU": "activation", "ThresholdedReLU": "activation",
}  # fmt: skip
_PARTS = (
    ("Attention", "sequence"), ("ConvLSTM", "sequence"), ("Conv", "convolution"), ("Normalization", "normalization"),
    ("Pool", "shape"), ("UpSampling", "shape"), ("ZeroPadding", "shape"), ("Cropping", "shape"), ("Crop", "shape"),
)  # fmt: skip
# What is worth reading in a box, in this order: the sizes first.
_SHOWN = ("units", "filters", "output_dim", "rate", "num_heads", "target_shape", "kernel_size", "pool_size", "strides",
          "dilation_rate", "activation", "axis", "return_sequences")  # fmt: skip
_SIGNS = {"strides": "/", "axis": "axis ", "dilation_rate": "dilation "}
_DEFAULTS = ([1], [1, 1], [1, 1, 1], 1, "linear", None, False, True)
_MAX_VALUE = 40


def kind_of(layer: Layer) -> str:
    """The kind of a layer, a key of `KINDS`."""
    if layer.inner is not None:
        return "model"
    found = _EXACT.get(layer.class_name)
    return found or next((kind for part, kind in _PARTS if part in layer.class_name), "other")


def highlights(layer: Layer) -> str:
    """The few settings that tell a layer from others of its class: "64, 3×3, relu"."""
    told = []
    for key in _SHOWN:
        value = layer.config.get(key)
        if value in _DEFAULTS or (key == "strides" and value == layer.config.get("pool_size")):
            continue
        if key == "axis" and kind_of(layer) != "merge":
            continue
        written = _written(value)
        if written:
            told.append(_SIGNS.get(key, "") + written)
        elif key == "return_sequences":
            told.append("sequences")
    return ", ".join(told)


def hover(layer: Layer, path: str, shape: str | None) -> list[str]:
    """What is told of a layer when the pointer rests on it: name, class, shape, settings."""
    lines = [f"{cut(path, 120)} ({cut(layer.class_name, 60)})", *([f"shape: {cut(shape, 120)}"] if shape else [])]
    settings = (
        (key, _written(layer.config.get(key))) for key in (*_SHOWN, "padding", "use_bias", "trainable", "dtype")
    )
    return lines + [f"{key}: {value}" for key, value in settings if value]


def _written(value: Any) -> str:  # noqa: ANN401 - JSON
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int | float | str):
        return cut(str(value) if not isinstance(value, int) or abs(value) < 10**12 else "huge", _MAX_VALUE)
    if isinstance(value, list) and 0 < len(value) <= 4:  # noqa: PLR2004 - sizes of up to four axes
        parts = [_written(part) if not isinstance(part, list | dict) else "" for part in value]
        return "×".join(parts) if all(parts) else ""
    if isinstance(value, dict):
        name = value.get("class_name")
        return cut(name, _MAX_VALUE) if isinstance(name, str) else ""
    return ""


def text_width(text: str, size: float) -> float:
    """About how many px a text takes in a wide sans-serif font (DejaVu Sans); narrower ones leave some room."""
    return size * sum(_em(c) for c in text)


def _em(character: str) -> float:
    if character in "iljtfrI.,:;'|()[]! ":
        return 0.39
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    return 0.84 if character in "mwMW×%@…" else 0.7 if character.isupper() else 0.63


def cut(text: str, characters: int) -> str:
    """A text with at most so many characters, cut in the middle where ends tell names apart."""
    text = "".join(c if c.isprintable() else "?" for c in text[: 4 * characters])
    if len(text) <= characters:
        return text
    tail = characters // 3
    return f"{text[: characters - tail - 1]}…{text[-tail:]}"


def fitted(text: str, size: float, width: float) -> str:
    """A text cut in the middle to a width in px."""
    text = cut(text, 300)
    characters = len(text)
    while characters > 1 and text_width(cut(text, characters), size) > width:
        characters -= 1
    return cut(text, characters)


def listed(parts: list[str], size: float, width: float) -> str:
    """As many parts of a list as a width in px has room for."""
    told = parts[:1]
    for part in parts[1:]:
        if text_width(f"{', '.join(told)}, {part}, …", size) > width:
            return fitted(", ".join([*told, "…"]), size, width)
        told.append(part)
    return fitted(", ".join(told), size, width)


def wrapped(text: str, size: float, width: float, lines: int) -> list[str]:
    """A text in at most so many lines of a width in px; the last one is cut."""
    told: list[str] = []
    words = text.split(" ") if " " in text else list(text)
    joint = " " if " " in text else ""
    line = ""
    while words:
        longer = f"{line}{joint if line else ''}{words[0]}"
        if line and text_width(longer, size) > width:
            told, line = [*told, line], ""
            if len(told) == lines - 1:
                return [*told, fitted(joint.join(words), size, width)]
        else:
            line = longer
            words.pop(0)
    return [*told, fitted(line, size, width)]
