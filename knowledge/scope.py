"""Whether a paste is our business at all: the features that speak for "not known"."""

from __future__ import annotations

import math
import re

from .signature import LONG
from .symptoms import Symptoms
from .terms import words
from .texts import Texts

UNKNOWN_FEATURES = (
    "bias",
    "foreign",  # the innermost frame is in a library that is neither Keras nor TensorFlow nor one they call
    "elsewhere",  # there is a call stack, and neither it nor the text has anything of Keras or TensorFlow
    "own",  # the innermost frame is the user's own code, and the message names nothing of Keras
    "no_context",  # nothing in the paste has to do with training networks
    "no_exception",
    "signed",  # the main exception carries a signature, the longer the more: it is of Keras, of whichever topic
    "length_alone",  # of what the person wrote, where there is no exception: more words agree with more topics
    "chinese_alone",  # Chinese texts share fewer terms than English ones
    "tool_alone",  # another tool is named, and neither Keras nor TensorFlow
    "tool_beside_alone",  # another tool is named beside them
    "project_alone",  # it speaks of somebody's repository, paper or data
)
LENGTH = 5.0  # the logarithm of about 150 words
_CONTEXT = re.compile(
    r"epoch|batch|model|layer|loss|train|predict|weight|tensor|optimizer|gradient|neural|network|input_shape|accuracy|"
    r"overfit|learning.rate|embedding|lstm|convolution|cnn|gpu|cuda|activation|callback|deserializ|checkpoint|模型|训练|层|权重|损失|准确率|验证集|预测|样本|卷积|学习率|"
    r"优化器|张量|显存|梯度",
    re.IGNORECASE,
)
_LIBRARY = re.compile(
    r"keras|tensor[ -]?flow|(?<![a-z])tf(?![a-z])|h5py|'(?:sequential|functional|history|adam|sgd|rmsprop)' object|"
    r"(?:fit|predict|evaluate)_generator|(?:fit|compile|(?:train|test|predict)_on_batch)\(\) got an unexpected|nb_epoch|"
    r"predict_classes|to_categorical|validation_split|history\.history(?![a-z])",
    re.IGNORECASE,
)
_TOOL = re.compile(
    r"(?<![a-z])(?:py ?torch|torch|torchvision|lightning|libtorch|open ?cv|cv2|matlab|octave|scikit-learn|sklearn|xgboost|"
    r"lightgbm|catboost|pandas|matplotlib|seaborn|plotly|spacy|nltk|gensim|hugging ?face|transformers|diffusers|"
    r"onnx(?:runtime)?|tensorrt|openvino|tf ?lite|tensorflow lite|(?:tensorflow|tf) serving|tfjs|tensorflow\.js|tfx|estimator|"
    r"bazel|spark|caret|mxnet|caffe2?|darknet|yolo(?:v\d+)?|paddle(?:paddle)?|mindspore|jupyter|notebook|vs ?code|pycharm|"
    r"docker|kubernetes|nginx|git|conda|pip|npm|java|c\+\+|c#|golang|rust|android|ios|swift|unity|regex|regular expression|sql|"
    r"excel|latex|aws|azure|gcp|sagemaker|wandb|mlflow|airflow|ray|dask|gym|ffmpeg|labelimg|labelme|cvat|r ?studio)(?![a-z])",
    re.IGNORECASE,
)
_PROJECT = re.compile(
    r"(?:this|your|the) repo|readme|your (?:code|paper|work|model|implementation|project|book|dataset|results|weights)|"
    r"the (?:paper|authors?)|(?:table|figure|fig\.?) \d|license|dataset|仓库|论文|作者|博主|楼主|这个项目|开源协议|复现|"
    r"数据集(?:在哪|怎么下载|下载|链接)",
    re.IGNORECASE,
)
_CALLED = frozenset({"numpy", "h5py", "PIL", "python", "pickle", "json", "scipy", "google", "absl", "ml_dtypes", "jax"})


def unknown_features(symptoms: Symptoms, texts: Texts, signed: int) -> list[float]:
    """The `UNKNOWN_FEATURES` of a paste; `signed` is the length of the longest signature in its main exception."""
    frames = [frame for raised in symptoms.raised for frame in raised.frames]
    told_all = "\n".join([texts.everything, *(f"{frame.path} {frame.code}" for frame in frames)])
    named = _LIBRARY.search(told_all) is not None
    inner = symptoms.main.frames[-1] if symptoms.main and symptoms.main.frames else None
    foreign = inner is not None and inner.owner == "other" and inner.package not in _CALLED
    own = inner is not None and inner.owner == "user" and symptoms.main is not None
    silent = own and not (signed and named) and not _LIBRARY.search(symptoms.main.message if symptoms.main else "")
    alone = not texts.main
    tool = alone and _TOOL.search(told_all) is not None
    return [
        1.0,
        float(foreign and not named),
        float(bool(frames) and not named),
        float(silent),
        float(not named and not _CONTEXT.search(told_all)),
        float(alone),
        min(1.0, signed / LONG),
        math.log1p(sum(len(words(text)) for text in texts.asks[:1])) / LENGTH if alone else 0.0,
        float(alone and symptoms.language == "zh"),
        float(tool and not named),
        float(tool and named),
        float(alone and _PROJECT.search(told_all) is not None),
    ]
