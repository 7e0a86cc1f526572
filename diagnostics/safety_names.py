"""Which objects a model's configuration may name: Keras' own are listed, everything else is told apart from them.

Keras 3 and tf_keras import `module` and take `class_name`, `registered_name` or a function's `config` out of it
(`_retrieve_class_or_fn` in saving/serialization_lib.py), so each of these names is judged.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Literal

Verdict = Literal["keras", "custom", "hazard"]

_ROOTS = re.compile(
    r"^(?:tensorflow\.python\.keras|tensorflow\.keras|tensorflow\._api\.v2\.keras|tf_keras|keras)"
    r"(?:\.(?:api\._v2\.keras|api|src|_tf_keras\.keras|_legacy))*(?:\.|$)"
)
# Packages of Keras that hold layers, functions and what they are configured with (keras/src and tf_keras/src; `engine`,
# `legacy_tf_layers` and `mixed_precision` are Keras 2). Not among them: utils, saving, callbacks, datasets, export.
_PACKAGES = frozenset({
    "", "activations", "constraints", "dtype_policies", "engine", "initializers", "layers", "legacy_tf_layers", "losses",
    "metrics", "mixed_precision", "models", "ops", "optimizers", "premade_models", "quantizers", "random", "regularizers",
})  # fmt: skip
# Outside these packages: optimizers of a backend, the experimental layers of Keras 2, FeatureSpace, the seed of Dropout.
_ELSEWHERE = re.compile(
    r"^(?:backend\.(?:torch|jax|tensorflow)\.optimizers|backend\.common\.(?:dtypes|variables)"
    r"|legacy\.(?:layers|losses)|trainers\.compile_utils|experimental|layers\.experimental)(?:\.|$)"
)
_SINGLE = frozenset({("utils", "FeatureSpace"), ("utils", "Feature"), ("utils", "Cross"),
                     ("utils.feature_space", "FeatureSpace"), ("utils.feature_space", "Feature"),
                     ("utils.feature_space", "Cross")})  # fmt: skip
# Layers of ConvNeXt and InceptionResNetV2.
_OF_APPLICATIONS = frozenset({"CustomScaleLayer", "LayerScale", "StochasticDepth"})
_FUNCTION_PACKAGES = frozenset({
    "activations", "constraints", "initializers", "losses", "metrics", "ops", "regularizers",
})  # fmt: skip
_NOT_FUNCTIONS = re.compile(
    r"serialize|^(?:get|exec|eval|compile|open|import)|_module|register|save|load|file", re.IGNORECASE
)
# Refused with their reasons: each runs or reads what stands outside the configuration.
REFUSED: dict[str, tuple[str, str]] = {
    "TorchModuleWrapper": ("holds a pickle that torch.load runs", "其中的 pickle 会由 torch.load 执行"),
    "TFSMLayer": ("loads and runs another SavedModel", "会加载并运行另一个 SavedModel"),
    "JaxLayer": ("runs a function of the file's choosing", "会运行由文件指定的函数"),
    "FlaxLayer": ("runs a module of the file's choosing", "会运行由文件指定的模块"),
}
# Installed beside Keras and able to read files, unpickle or start programs; no model's own classes stand there.
_GADGETS = frozenset({
    "cloudpickle", "cv2", "dask", "dill", "gdown", "h5py", "httpx", "huggingface_hub", "IPython", "jax", "jaxlib", "joblib",
    "jsonpickle", "matplotlib", "numpy", "pandas", "pip", "pkg_resources", "PIL", "psutil", "pytest", "requests", "scipy",
    "setuptools", "six", "sklearn", "tensorboard", "tensorflow", "torch", "torchvision", "urllib3", "wheel", "yaml",
})  # fmt: skip
# Functions that people pass as activations: these modules hold arithmetic only.
_ARITHMETIC = re.compile(
    r"^(?:jax\.nn|jax\._src\.nn\.functions|jax\.(?:_src\.)?numpy|torch\.nn\.functional|tensorflow\.(?:nn|math)"
    r"|tensorflow\.python\.ops\.(?:gen_)?(?:nn_ops|math_ops|nn_impl|array_ops|clip_ops|special_math_ops|nn))$"
)
_ARITHMETIC_NAMES = frozenset({
    "abs", "add", "celu", "cos", "elu", "exp", "gelu", "glu", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh",
    "identity", "leaky_relu", "leaky_relu_v2", "l2_normalize", "log_sigmoid", "log_softmax", "log_softmax_v2", "logsigmoid",
    "mish", "relu", "relu6", "selu", "sigmoid", "silu", "sin", "soft_sign", "softmax", "softmax_v2", "softplus", "softsign",
    "sqrt", "square", "squareplus", "swish", "tanh",
})  # fmt: skip
_TYPES = frozenset({"TensorSpec", "RaggedTensorSpec", "SparseTensorSpec", "SymbolicTensor", "TensorShape", "DType"})
# Written for functions that Keras finds by name among its own activations, losses and metrics: module "builtins". What
# Python's builtins hold under such a name is what tf_keras would take in their stead.
_PYTHON_BUILTINS = frozenset({
    "__build_class__", "__import__", "__loader__", "__spec__", "aiter", "anext", "breakpoint", "bytearray", "callable",
    "classmethod", "compile", "copyright", "credits", "delattr", "dir", "eval", "exec", "exit", "filter", "format", "getattr",
    "globals", "hasattr", "help", "input", "iter", "license", "locals", "map", "memoryview", "next", "object", "open", "print",
    "property", "quit", "setattr", "staticmethod", "super", "type", "vars", "zip",
})  # fmt: skip
_NAME = re.compile(r"^[^\W\d][\w.>\- ]*$")
_STANDARD = sys.stdlib_module_names


@lru_cache(maxsize=4096)
def judge(module: str, name: str, *, function: bool) -> Verdict:
    """What a reference to `name` in `module` is: Keras' own, custom code that the reader must supply, or a hazard.

    Args:
        module: as the file has it; "" where it has none, which only names Keras' own and registered objects.
        name: the class or function.
        function: whether a function is asked for, not a class.
    """
    if not _NAME.match(name) and name != "":
        return "hazard"
    if not module:
        return "keras"
    if root := _ROOTS.match(module):
        return _in_keras(module[root.end() :], name, function=function)
    if module == "builtins":
        return "hazard" if not function or name in _PYTHON_BUILTINS or name.startswith("__") else "keras"
    return _foreign(module, name, function=function)


def _in_keras(inside: str, name: str, *, function: bool) -> Verdict:
    package = inside.partition(".")[0]
    if (inside, name) in _SINGLE:
        return "keras"
    if function:
        if package == "applications" and name == "preprocess_input":
            return "keras"
        merges = inside == "layers" or inside.startswith("layers.merging")
        allowed = (package in _FUNCTION_PACKAGES or merges) and not _NOT_FUNCTIONS.search(name) and "." not in name
        return "keras" if allowed else "hazard"
    if package == "applications":  # their other names build whole models, with weights from an address
        return "keras" if name in _OF_APPLICATIONS else "hazard"
    known = package in _PACKAGES or _ELSEWHERE.match(inside)
    looks_like_class = name[:1].isupper() and "." not in name
    return "keras" if known and (looks_like_class or name == "") else "hazard"


def _foreign(module: str, name: str, *, function: bool) -> Verdict:
    root = module.partition(".")[0]
    if function and _ARITHMETIC.match(module) and name in _ARITHMETIC_NAMES:
        return "keras"
    if root == "tensorflow" and module.startswith("tensorflow.python.framework.") and name in _TYPES:
        return "keras"
    if (
        module in ("tensorflow.python.ops.init_ops", "tensorflow.python.ops.init_ops_v2")
        and name[:1].isupper()
        and not function
    ):
        return "keras"  # the initializers that tf_keras' EfficientNetV2 is saved with
    if not all(part.isidentifier() for part in module.split(".")):
        return "hazard"
    if root in _STANDARD or root in _GADGETS or root.startswith("_") != (root == "__main__"):
        return "hazard"
    return "custom"


# What TFOpLambda and its like (tf_keras/src/layers/core/tf_op_layer.py) may look up in TensorFlow's public names.
_TF_SPACES = frozenset({
    "__operators__", "bitwise", "image", "linalg", "math", "nn", "quantization", "ragged", "random", "signal", "sparse",
    "strings", "audio", "dtypes",
})  # fmt: skip
_TF_KERAS = re.compile(r"^keras\.(?:activations|backend|losses|metrics|constraints|regularizers|initializers)\.\w+$")
_TF_TOP = frozenset(
    """
abs acos acosh add add_n argmax argmin argsort as_dtype as_string asin asinh atan atan2 atanh batch_to_space bitcast
boolean_mask broadcast_dynamic_shape broadcast_static_shape broadcast_to case cast clip_by_global_norm clip_by_norm
clip_by_value complex concat constant convert_to_tensor cos cosh cumsum cumprod divide dynamic_partition dynamic_stitch
edit_distance eig eigvals einsum ensure_shape equal exp expand_dims extract_volume_patches eye fill floor floordiv floormod
gather gather_nd greater greater_equal guarantee_const hessians histogram_fixed_width identity identity_n is_tensor less
less_equal linspace lin_space log log1p logical_and logical_not logical_or matmul matrix_square_root maximum meshgrid minimum
mod multinomial multiply negative no_op nondifferentiable norm not_equal one_hot ones ones_like pad parallel_stack pow range
rank realdiv reciprocal reduce_all reduce_any reduce_logsumexp reduce_max reduce_mean reduce_min reduce_prod reduce_sum
repeat reshape reverse reverse_sequence roll round rsqrt saturate_cast scalar_mul scatter_nd searchsorted sequence_mask shape
shape_n sigmoid sign sin sinh size slice sort space_to_batch space_to_batch_nd space_to_depth depth_to_space split sqrt
square squeeze stack stop_gradient strided_slice subtract tan tanh tensor_scatter_nd_add tensor_scatter_nd_max
tensor_scatter_nd_min tensor_scatter_nd_sub tensor_scatter_nd_update tensordot tile timestamp to_float to_double to_int32
to_int64 transpose truediv truncatediv truncatemod unique unique_with_counts unravel_index unstack where where_v2
zeros zeros_like random_normal random_uniform truncated_normal Tensor RaggedTensor SparseTensor
""".split()  # noqa: SIM905 - a list of this length is read as words
)


def is_arithmetic(symbol: str) -> bool:
    """Whether a public TensorFlow name is arithmetic on tensors and not, say, `io.write_file` or `saved_model.load`."""
    symbol = re.sub(r"^(?:tf\.)?(?:compat\.v[12]\.)?", "", symbol)
    space, _, name = symbol.partition(".")
    if _TF_KERAS.match(symbol):
        return not _NOT_FUNCTIONS.search(symbol.rpartition(".")[2]) and not symbol.endswith("backend.function")
    return symbol in _TF_TOP or (space in _TF_SPACES and name.replace(".", "_").isidentifier())


_OPERATION = re.compile(
    r"py_?func|file|files|debug|print|summary|dataset|iterator|save|restore|checkpoint|sql|remote|rpc|generator|table|loader"
    r"|partitionedcall|^_|^read|^write|symbolicgradient|customcall|xlalaunch|hostcallback|reader",
    re.IGNORECASE,
)


def is_harmless_operation(op: str) -> bool:
    """Whether a raw TensorFlow operation neither runs code nor touches files; its name is from a TensorFlowOpLayer."""
    return op.isalnum() and not _OPERATION.search(op)
