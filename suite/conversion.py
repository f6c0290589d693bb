"""Puts the suite's layers in the place of Keras's recurrent ones, in a copy of a whole model, with its weights."""

import warnings
from typing import Any, NamedTuple

import keras

from suite.layers import transfer
from suite.layers.activations import ACTIVATIONS
from suite.layers.elman import Elman
from suite.layers.gru import GRU, GRUv1
from suite.layers.lstm import LSTM

Layer = Any

KINDS = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN)
SHARED = ("units", "return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask")
PARTS = ("layer", "forward_layer", "backward_layer")  # of Keras's wrappers
UNSUPPORTED = (
    "dropout",
    "recurrent_dropout",
    "unroll",
    *(f"{weight}_{what}" for what in ("regularizer", "constraint") for weight in ("kernel", "recurrent", "bias")),
    "activity_regularizer",
)


class Verdict(NamedTuple):
    """What becomes of one recurrent layer of a model."""

    layer: str  # its name, behind those of the models and wrappers around it
    was: str
    becomes: str  # empty: it is left as it is
    why: str = ""


def convert(model: Any, *, strict: bool = False) -> Any:
    """Return a copy of a Keras model whose SimpleRNN, LSTM and GRU layers are the suite's: same weights, same predictions.

    Sequential and functional models, nested ones, shared layers, and layers inside Bidirectional or TimeDistributed. A layer
    with an option that ours do not have stays what it is, and a warning says which and why; `verdicts` says so beforehand.
    A compiled model's copy is compiled alike, with a fresh state of the optimiser.

    Raises:
        TypeError: it is not a Keras model.
        ValueError: the model is a subclass with code of its own or has no weights yet; with `strict`, a layer would be left.
    """
    _check(model)
    left = [verdict for verdict in verdicts(model) if not verdict.becomes]
    if left:
        said = "; ".join(f"{verdict.layer} ({verdict.was}): {verdict.why}" for verdict in left)
        if strict:
            raise ValueError(f"these layers cannot be converted: {said}")
        warnings.warn(f"left as they are: {said}", UserWarning, stacklevel=2)
    pairs: list[tuple[Layer, Layer]] = []
    copy = _copied(model, pairs)
    for old, new in pairs:
        _fill(old, new)
    if model.compiled:
        copy.compile_from_config(model.get_compile_config())
    return copy


def verdicts(model: Any) -> tuple[Verdict, ...]:
    """Return, for every recurrent layer of the model, what it becomes or why it is left; a shared layer stands once."""
    found: dict[int, Verdict] = {}

    def walk(layer: Layer, path: tuple[str, ...]) -> None:
        path = (*path, layer.name)
        if isinstance(layer, (keras.layers.RNN, *KINDS)):
            why = reason(layer)
            found.setdefault(id(layer), Verdict("/".join(path), type(layer).__name__, "" if why else _twin(layer).__name__, why))
        for inner in _inside(layer):
            walk(inner, path)

    for layer in model.layers:
        walk(layer, ())
    return tuple(found.values())


def reason(layer: Layer) -> str:
    """Return why a recurrent layer of Keras cannot become one of ours; empty where it can."""
    if type(layer) not in KINDS:
        return "it is an RNN over cells of its own" if type(layer) is keras.layers.RNN else "it is a subclass with code of its own"
    if set_options := [name for name in UNSUPPORTED if getattr(layer, name, None)]:
        return f"the suite's layers have no {', '.join(set_options)}"
    if not layer.use_bias:
        return "the suite's layers always learn a bias"
    names = [_activation(layer.activation), _activation(getattr(layer, "recurrent_activation", keras.activations.sigmoid))]
    if names[0] not in ACTIVATIONS:
        return f"activation must be one of {', '.join(ACTIVATIONS)}, it is {names[0]}"
    if names[1] != "sigmoid":
        return f"recurrent_activation must be sigmoid, it is {names[1]}"
    return ""


def _check(model: Any) -> None:
    if not isinstance(model, keras.Model):
        raise TypeError(f"expected a Keras model, got {type(model).__name__}")
    if not isinstance(model, keras.Sequential) and not hasattr(model, "_functional") and not hasattr(model, "operations"):
        raise ValueError(f"{type(model).__name__} is a subclass of keras.Model with code of its own: use suite.layers in that code")
    if not model.built:
        raise ValueError(f"model {model.name!r} has no weights yet: give it an Input, build it or call it first")


def _copied(model: Any, pairs: list[tuple[Layer, Layer]]) -> Any:
    """Return the model with other layers, and note which layer stands for which."""
    copies: dict[int, Layer] = {}

    def clone(layer: Layer) -> Layer:
        if not isinstance(layer, keras.layers.Layer):
            return layer  # an operation of the graph, as `x != 0` is, holds nothing
        if id(layer) not in copies:
            if isinstance(layer, keras.Model):
                _check(layer)
                copies[id(layer)] = _copied(layer, pairs)
            else:
                copies[id(layer)] = _clone(layer, pairs)
        return copies[id(layer)]

    if isinstance(model, keras.Sequential):
        copy = keras.models.clone_model(model, clone_function=clone)
        copy.build(model.input_shape) if not copy.built else None
    else:
        copy = keras.models.clone_model(model, clone_function=clone, call_function=_call)
    copy.trainable = model.trainable
    return copy


def _call(layer: Layer, *arguments: Any, **named: Any) -> Any:
    """Call a cloned layer; Keras's recurrent layers take the initial state second, ours by name."""
    if isinstance(layer, (LSTM, GRU, GRUv1, Elman)) and len(arguments) > 1:
        arguments, named = arguments[:1], {**dict(zip(("initial_state", "mask", "training"), arguments[1:], strict=False)), **named}
    return layer(*arguments, **named)


def _clone(layer: Layer, pairs: list[tuple[Layer, Layer]]) -> Layer:
    """Return a layer in the place of another one, and note the two."""
    if isinstance(layer, KINDS) and not reason(layer):
        new = _ours(layer)
    elif isinstance(layer, keras.layers.Bidirectional):
        new = _bidirectional(layer, pairs)
    elif isinstance(layer, keras.layers.Wrapper):
        config = {name: value for name, value in layer.get_config().items() if name != "layer"}
        inner = _copied(layer.layer, pairs) if isinstance(layer.layer, keras.Model) else _clone(layer.layer, pairs)
        new = type(layer)(inner, **config)
    else:
        new = type(layer).from_config(layer.get_config())
    new.trainable = layer.trainable
    pairs.append((layer, new))
    return new


def _bidirectional(layer: Layer, pairs: list[tuple[Layer, Layer]]) -> Layer:
    """Return both directions, each converted where it can be; the wrapper makes its own copy of the forward layer."""
    config = layer.get_config()
    ways = [_clone(way, []) for way in (layer.forward_layer, layer.backward_layer)]
    new = type(layer)(ways[0], backward_layer=ways[1], merge_mode=layer.merge_mode, name=layer.name, dtype=config["dtype"])
    pairs.extend(zip((layer.forward_layer, layer.backward_layer), (new.forward_layer, new.backward_layer), strict=True))
    return new


def _ours(layer: Layer) -> Layer:
    """Return the suite's layer with the options of one of Keras's."""
    name = _activation(layer.activation)
    options: dict[type, dict[str, str]] = {
        LSTM: {"candidate_activation": name, "output_activation": name},
        GRU: {"candidate_activation": name},
        GRUv1: {"candidate_activation": name},
        Elman: {"activation": name},
    }
    kind = _twin(layer)
    given = {option: getattr(layer, option) for option in SHARED}
    return kind(**given, **options[kind], name=layer.name, dtype=layer.dtype_policy)


def _twin(layer: Layer) -> type[Any]:
    if isinstance(layer, keras.layers.GRU):
        return GRU if layer.reset_after else GRUv1
    return LSTM if isinstance(layer, keras.layers.LSTM) else Elman


def _fill(old: Layer, new: Layer) -> None:
    """Give a clone what the original holds: weights, seeds of its dropout, states carried from batch to batch."""
    if isinstance(new, (LSTM, GRU, GRUv1, Elman)):
        transfer.from_keras(new, old)
        for variable, state in zip(new._kept, old.states or (), strict=False):
            variable.assign(state)
    elif not _inside(old):
        for variable, value in zip(new.variables, old.variables, strict=True):
            variable.assign(value)


def _inside(layer: Layer) -> list[Layer]:
    """Return the layers inside a model or a wrapper."""
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    found = [getattr(layer, part) for part in PARTS if isinstance(getattr(layer, part, None), keras.layers.Layer)]
    return found if isinstance(layer, keras.layers.Wrapper) or len(found) == 2 else []


def _activation(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)
