"""The picture of a layer graph: what is in it, what is folded, that boxes don't overlap, and that it stays bounded."""

from __future__ import annotations

import random
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from kerasdoctor.diagnostics.graph import Call, Graph, Layer, Tensor
from kerasdoctor.diagnostics.picture import draw_graph
from kerasdoctor.diagnostics.picture_boxes import Painter
from kerasdoctor.diagnostics.picture_fold import Board, Detail, board_of
from kerasdoctor.diagnostics.picture_layout import Drawing, lay_out

SVG = "{http://www.w3.org/2000/svg}"


def layer(name: str, class_name: str, *sources: str, inner: Graph | None = None, **config: Any) -> Layer:
    calls = (Call(tuple(Tensor(source, 0, 0) for source in sources)),) if sources else ()
    return Layer(name, class_name, "keras.layers", config, calls, inner)


def graph(*layers: Layer, name: str = "model") -> Graph:
    fed = {tensor.layer for part in layers for call in part.calls for tensor in call.inputs}
    ends = tuple(Tensor(part.name, 0, 0) for part in layers if part.name not in fed)
    return Graph(name, sequential=False, layers=layers, inputs=(Tensor(layers[0].name, 0, 0),), outputs=ends)


def chain(length: int) -> Graph:
    kinds = ("Conv2D", "BatchNormalization", "Activation")
    rest = (layer(f"l{i}", kinds[i % 3], f"l{i - 1}") for i in range(1, length))
    return graph(layer("l0", "InputLayer"), *rest)


def residual(blocks: int) -> Graph:
    """Like ResNet: convolutions with a connection around each block."""
    layers = [layer("in", "InputLayer")]
    for i in range(blocks):
        before = layers[-1].name
        for part, kind in enumerate(("Conv2D", "BatchNormalization", "Activation") * 3):
            layers.append(layer(f"b{i}_{part}", kind, before if part == 0 else layers[-1].name))
        layers += [layer(f"add{i}", "Add", layers[-1].name, before), layer(f"out{i}", "Activation", f"add{i}")]
    return graph(*layers, layer("top", "Dense", layers[-1].name, units=10, activation="softmax"))


def unet(depth: int) -> Graph:
    layers, kept = [layer("in", "InputLayer")], []
    for i in range(depth):
        layers.append(layer(f"down{i}", "Conv2D", layers[-1].name))
        kept.append(layers[-1].name)
        layers.append(layer(f"pool{i}", "MaxPooling2D", layers[-1].name))
    for i in reversed(range(depth)):
        layers.append(layer(f"up{i}", "Conv2DTranspose", layers[-1].name))
        layers.append(layer(f"join{i}", "Concatenate", layers[-1].name, kept[i]))
    return graph(*layers)


def branches(blocks: int, width: int) -> Graph:
    """Like Inception: several ways side by side."""
    layers = [layer("in", "InputLayer")]
    for i in range(blocks):
        before = layers[-1].name
        for j in range(width):
            layers.append(layer(f"b{i}_{j}_0", "Conv2D", before))
            layers.append(layer(f"b{i}_{j}_1", "Activation", layers[-1].name))
        layers.append(layer(f"join{i}", "Concatenate", *(f"b{i}_{j}_1" for j in range(width))))
    return graph(*layers)


def nested(length: int) -> Graph:
    return graph(
        layer("in", "InputLayer"), layer("base", "Functional", "in", inner=chain(length)), layer("top", "Dense", "base")
    )


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own


def size(svg: str) -> tuple[int, int]:
    root = ET.fromstring(svg)  # noqa: S314 - our own
    return int(root.attrib["width"]), int(root.attrib["height"])


ALL = {
    "five": chain(5), "thirty": chain(30), "residual": residual(16), "unet": unet(5), "branches": branches(11, 4),
    "nested": nested(150), "small nested": nested(4), "two thousand": chain(2_000), "wide": branches(1, 300),
}  # fmt: skip


def last_path(model: Graph) -> str:
    return [prefix + part.name for prefix, inner in model.walk() for part in inner.layers][-1]


@pytest.mark.parametrize("name", ALL)
def test_pictures_are_of_a_readable_size(name: str) -> None:
    """At most 1200 px wide, and tall models go into columns or are folded; the marked layer is there with its label."""
    path = last_path(ALL[name])
    svg = draw_graph(ALL[name], {path: "nothing is learned here"})
    width, height = size(svg)
    assert width <= 1200
    assert height <= 2200
    assert any("nothing is learned" in text for text in texts(svg))
    assert len(svg) < 300_000


def everything(drawing: Drawing, x: float = 0.0, y: float = 0.0) -> Iterator[tuple[float, float, float, float]]:
    for placed in drawing.boxes:
        assert placed.x >= -0.01
        assert placed.x + placed.width <= drawing.width + 0.01
        assert placed.y + placed.height <= drawing.height + 0.01
        if placed.inside is None:
            yield x + placed.x, y + placed.y, placed.width, placed.height
        else:
            assert placed.inside.width <= placed.width
            list(everything(placed.inside))


@pytest.mark.parametrize("name", ["thirty", "residual", "unet", "branches", "nested", "small nested"])
@pytest.mark.parametrize("detail", [Detail(), Detail(chain=2), Detail(chain=2, most=10)])
def test_boxes_neither_overlap_nor_leave_the_picture(name: str, detail: Detail) -> None:
    """In any folding, and inside opened models."""
    board = board_of(ALL[name], {last_path(ALL[name]): "found"}, detail)
    boxes = list(everything(lay_out(board, 1150, Painter({}, "en").size, 14)))
    for i, (x, y, width, height) in enumerate(boxes):
        for other_x, other_y, other_width, other_height in boxes[:i]:
            beside = x >= other_x + other_width or other_x >= x + width
            assert beside or y >= other_y + other_height or other_y >= y + height


def members(board: Board) -> list[str]:
    return [
        name
        for box in board.boxes
        for part in box.layers
        for name in [box.prefix + part.name, *(members(box.board) if box.board else [])]
    ]


@pytest.mark.parametrize("name", ["thirty", "residual", "unet", "branches"])
@pytest.mark.parametrize("detail", [Detail(), Detail(chain=2), Detail(chain=2, most=10), Detail(chain=2, most=3)])
def test_folding_loses_no_layer_and_makes_no_loop(name: str, detail: Detail) -> None:
    """Each layer is in one box, connections lead forward, and what is marked stays alone."""
    model = ALL[name]
    marked = {model.layers[len(model.layers) // 2].name: "found"}
    board = board_of(model, marked, detail)
    assert sorted(members(board)) == sorted(part.name for part in model.layers)
    assert all(a < b for a, b in board.edges)
    assert [len(box.layers) for box in board.boxes if box.mark] == [1]


def test_a_short_model_is_told_whole() -> None:
    """Class, name, settings and shape of each layer; and more when the pointer rests on it."""
    model = graph(
        layer("image", "InputLayer"),
        layer(
            "first",
            "Conv2D",
            "image",
            filters=32,
            kernel_size=[3, 3],
            strides=[2, 2],
            activation="relu",
            padding="same",
        ),
        layer("scores", "Dense", "first", units=10, activation="softmax"),
    )
    svg = draw_graph(model, {}, {"first": "(None, 13, 13, 32)"})
    told = texts(svg)
    assert "Conv2D32, 3×3, /2×2, relu" in told
    assert "Dense10, softmax" in told
    assert {"first", "scores", "(None, 13, 13, 32)", "convolution", "dense, embedding"} <= set(told)
    assert "something was found here" not in told
    titles = [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}title")]  # noqa: S314 - our own
    assert any("padding: same" in title and "shape: (None, 13, 13, 32)" in title for title in titles)


def test_a_long_model_is_folded_around_what_is_marked() -> None:
    """Runs say how many layers they are and of which classes; the legend explains them, in both languages."""
    svg = draw_graph(chain(200), {"l77": "broken"})
    told = texts(svg)
    assert "76 layers" in told
    assert "l77" in told
    assert any(text.startswith("Conv2D ×") for text in told)
    assert any("coloured squares" in text for text in told)
    chinese = texts(draw_graph(chain(200), {"l77": "坏了"}, lang="zh"))
    assert {"76 层", "此处有发现", "坏了"} <= set(chinese)


def test_a_marked_layer_opens_the_model_it_is_in() -> None:
    """A nested model that nothing was found in stays closed when it is long."""
    assert "l77" in texts(draw_graph(nested(150), {"base/l77": "broken"}))
    closed = texts(draw_graph(nested(150), {"top": "broken"}))
    assert any("150 layers" in text for text in closed)
    assert "l77" not in closed


def test_names_are_escaped_and_cut() -> None:
    """Whatever a file calls its layers and a probe its finding."""
    bad = '</text><script>alert("1")</script>&\x00\n' + "x" * 5_000
    svg = draw_graph(graph(layer(bad, bad, units=bad, filters=10**5000), name=bad), {bad: bad}, {bad: bad})
    assert len(svg) < 15_000
    assert "<script" not in svg
    ET.fromstring(svg)  # noqa: S314 - our own


def isolated(number: int) -> Graph:
    return graph(*(layer(f"l{i}", "Dense") for i in range(number)))


HOSTILE = {
    "chain": chain(50_000), "isolated": isolated(50_000), "wide": branches(1, 25_000),
    "one name": graph(*(layer("l", "Dense", "l") for _ in range(20_000))),
    "dense": graph(*(layer(f"l{i}", "Concatenate", *(f"l{j}" for j in range(max(0, i - 100), i))) for i in range(2_000))),
    "loops": graph(*(layer(f"l{i}", "Add", f"l{(i + 1) % 300}", f"l{i * 7 % 300}") for i in range(300))),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_pictures_stay_bounded(name: str) -> None:
    """Fifty thousand layers, as many finds, connections everywhere, loops."""
    model = HOSTILE[name]
    start = time.perf_counter()
    svg = draw_graph(model, {part.name: "found" for part in model.layers[::5]})
    assert time.perf_counter() - start < 12
    assert len(svg) < 1_500_000
    assert size(svg)[0] <= 1200
    ET.fromstring(svg)  # noqa: S314 - our own


def test_random_graphs_are_drawn() -> None:
    """Any connections, any marks, any settings."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    odd = [None, -1, 10**30, "", [], {}, [[]], {"class_name": 3}, "relu", [3, None], True, 1e308, float("nan")]
    for _ in range(150):
        number = chance.randint(1, 60)
        layers = []
        for i in range(number):
            sources = [f"l{chance.randrange(number + 2)}" for _ in range(chance.randint(0, 3))]
            config = {key: chance.choice(odd) for key in ("units", "strides", "activation", "target_shape", "axis")}
            inner = chain(chance.randint(1, 20)) if chance.random() < 0.1 else None
            layers.append(
                layer(
                    f"l{i}",
                    chance.choice(["Dense", "Add", "InputLayer", "Conv2D", ""]),
                    *sources,
                    inner=inner,
                    **config,
                )
            )
        model = Graph("m", sequential=False, layers=tuple(layers), inputs=(), outputs=(Tensor("l0", 0, 0),))
        marked = {
            f"l{chance.randrange(number)}/l1": "inside",
            f"l{chance.randrange(number)}": "here",
            "absent": "nowhere",
        }
        ET.fromstring(draw_graph(model, marked))  # noqa: S314 - our own
