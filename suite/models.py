"""From an architecture's name and a task's spec to a model: embed -> layers -> head, every weight from one seed."""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from suite import attending, initial, seeding
from suite.architecture import Architecture, Option
from suite.dropout import Dropout
from suite.heads import Outputs, Pool, Symbols
from suite.layers.probing import takes
from suite.stack import Stack
from suite.task import Spec

TIES_ABOVE = 256  # symbols: from here on the output table is the embedding table


def build(
    architecture: Architecture,
    spec: Spec,
    *,
    width: int,
    inner: int | None = None,
    depth: int = 1,
    embedding: int | None = None,
    options: Mapping[str, Option] | None = None,
    seed: int,
    precision: str = "float32",
) -> "SequenceModel":
    """Return the model of an architecture for a task, built, with every initial weight following from `seed`.

    Args:
        width: units of every layer, in the architecture's multiples.
        inner: the second width, where the architecture has one (None: the layer's own choice).
        embedding: width of the table of symbols; None is one-hot.
        options: the layer's options with a trial's own choices put in; default: the architecture's.
        precision: the dtype policy of the layers; outputs are float32 always.

    Raises:
        ValueError: the architecture cannot take this task, or a size is out of its domain.
    """
    check(architecture, spec, width=width, inner=inner, depth=depth, embedding=embedding)
    recipe = {
        "width": width,
        "inner": inner,
        "depth": depth,
        "embedding": embedding,
        "options": dict(architecture.options if options is None else options),
        "seed": seed,
        "precision": precision,
    }
    with initial.seeded(seed), initial.precision(precision):
        return SequenceModel(architecture, spec, recipe)


def check(architecture: Architecture, spec: Spec, *, width: int, inner: int | None = None, depth: int = 1, embedding: int | None) -> None:
    """Refuse what cannot be built, with the reason.

    Raises:
        ValueError: the architecture cannot take this task, or a size is out of its domain.
    """
    if (reason := architecture.serves(spec.kind, causal=spec.causal)) is not None:
        raise ValueError(f"{architecture.target} {reason}")
    if not architecture.extends and max(spec.lengths) > spec.length:
        raise ValueError(
            f"{architecture.target} is defined up to the training length, {spec.length} steps, got rows of {max(spec.lengths)}"
        )
    if width < 1 or width % architecture.multiple:
        raise ValueError(f"width must be a positive multiple of {architecture.multiple} for {architecture.target}, got {width}")
    if inner is not None and (inner < 1 or not architecture.inner):
        raise ValueError(
            f"inner must be at least 1 and belongs to architectures with a second width, got {inner} for {architecture.target}"
        )
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    if embedding is not None and (embedding < 1 or not spec.embeds):
        raise ValueError(f"embedding must be at least 1 and belongs to tasks of tokens, got {embedding}")


@keras.saving.register_keras_serializable("suite")
class SequenceModel(keras.Model):
    """A stack of layers between an embedding and a head; made by `build`.

    x: (batch, time) ids or (batch, time, features) -> (batch, outputs) for kind once, (batch, time, outputs) for steps,
    (batch, target time, outputs) for sequence; float32 logits or values. With `states` given: (outputs, new states).
    """

    def __init__(self, architecture: Architecture, spec: Spec, recipe: dict[str, Any]) -> None:
        super().__init__()
        self.architecture, self.spec, self.recipe = architecture, spec, recipe
        embedding = recipe["embedding"]
        self.drop = Dropout(seeding.seed("dropout", recipe["seed"]) % 2**31)
        self.source = Symbols(spec.inputs, embedding) if spec.tokens else None
        self.target: Any = Symbols(max(spec.outputs, spec.start + 1), embedding) if spec.kind == "sequence" else None
        self.body = _body(architecture, spec, recipe, self.drop)
        self.pool: Any = Pool(architecture.wiring.get("head", "last")) if spec.kind == "once" else None
        self.head = Outputs(spec.outputs, _tied(spec, self.source, self.target))
        self.built = True
        self._trace()

    def call(self, x: Any, target_in: Any = None, mask: Any = None, states: Any = None, probes: Any = None, training: bool = False) -> Any:
        self._check_time(x)
        features = x if self.source is None else self.source(x)
        more = {} if probes is None else {"probes": probes}
        new: Any = ()
        if self.target is not None:
            y = tf.identity(self.body(features, self.target(target_in), mask=mask, training=training, **more))  # drops a pinned mask
        else:
            y, new = self.body(features, mask=mask, states=states, training=training, **more)
        if self.pool is not None and len(y.shape) == 3:
            y = self.pool(y, mask=mask, last=self.body.last)
        outputs = self.head(self.drop(y, training=training))
        return outputs if states is None else (outputs, new)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> None:
        """Pin no mask to the result: it goes by the argument, and nowhere else."""

    @property
    def dropout(self) -> Any:
        """The share of elements dropped between layers and before the head while training: a variable, 0 at first."""
        return self.drop.rate

    def zero_states(self, batch: int) -> tuple[tuple[Any, ...], ...]:
        """The carried state before the first window: per layer a tuple of (batch, ...), empty where nothing is carried."""
        return () if self.target is not None else self.body.zero_states(batch)

    def probes(self, batch: int, time: int) -> tuple[tuple[Any, ...], ...]:
        """Zeros added to every state after every step, per layer a tuple of (time, batch, ...); of the encoder for kind sequence."""
        return self.body.probes(batch, time) if hasattr(self.body, "probes") else ()

    def start(self, x: Any, mask: Any = None, longest: int | None = None) -> Any:
        """Return the decoder's state after reading the source; every array in it is (batch, ...).

        `longest` is the most target steps that will be asked for; None: those of the task's longest target.
        """
        self._check_time(x)
        room = max(self.spec.target_lengths) if longest is None else longest
        more = {"longest": room} if takes(self.body.start, "longest") else {}
        return self.body.start(x if self.source is None else self.source(x), mask, **more)

    def next(self, ids: Any, state: Any) -> tuple[Any, Any]:
        """Return the logits (batch, outputs) of the next target symbol after `ids` (batch,), and the new state."""
        y, state = self.body.next(self.target(ids), state)
        return self.head(y), state

    def attention_map(self, x: Any, target_in: Any, mask: Any = None) -> Any:
        """Return the weight of every source step for every target step, or None where the model does not attend to the source.

        float32 (batch, target time, time), of the teacher-forced pass: row t is what was read to say the target after
        `target_in[t]`, so that it stands beside the reference, the same for every architecture. Each row sums to 1 over the
        valid steps.
        """
        self._check_time(x)
        if not hasattr(self.body, "attention_map"):
            return None
        return self.body.attention_map(x if self.source is None else self.source(x), self.target(target_in), mask)

    def counts(self) -> dict[str, int]:
        """Return the numbers of trainable weights, all and by part, and `counted`, by which sizes are compared.

        That one leaves tables of symbols out, and takes in what stays as it was drawn: a network with a random recurrence is as
        large as the same network trained, and not as large as its read-out.
        """
        tables = [layer for layer in (self.source, self.target) if layer is not None]
        embedding = sum(_count(layer) for layer in tables)
        core = _count(self.body)
        parameters = _count(self)
        return {
            "parameters": parameters,
            "core": core,
            "head": parameters - core - embedding,
            "embedding": embedding,
            "counted": parameters - embedding + self._fixed(),
        }

    def _fixed(self) -> int:
        """Return how many weights of the layers are never trained; the rate of dropout is none of them."""
        return sum(math.prod(weight.shape) for weight in self.body.non_trainable_weights if weight is not self.drop.rate)

    def get_config(self) -> dict[str, Any]:
        architecture = {f.name: getattr(self.architecture, f.name) for f in dataclasses.fields(self.architecture) if f.name != "space"}
        architecture |= {
            "options": dict(architecture["options"]),
            "wiring": dict(architecture["wiring"]),
            "kinds": sorted(architecture["kinds"]),
        }
        spec = {f.name: getattr(self.spec, f.name) for f in dataclasses.fields(self.spec)} | {"needs": sorted(self.spec.needs)}
        spec |= {"lengths": list(self.spec.lengths), "target_lengths": list(self.spec.target_lengths)}
        return {"architecture": architecture, "spec": spec, **self.recipe, "options": dict(self.recipe["options"])}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SequenceModel":
        """Build the same model again; its weights are loaded afterwards."""
        body, spec = config["architecture"], config["spec"]
        architecture = Architecture(**{**body, "kinds": frozenset(body["kinds"])})
        lengths = {name: tuple(spec[name]) for name in ("lengths", "target_lengths")}
        recipe = {name: config[name] for name in ("width", "inner", "depth", "embedding", "options", "seed", "precision")}
        return build(architecture, Spec(**{**spec, **lengths, "needs": frozenset(spec["needs"])}), **recipe)

    def get_build_config(self) -> None:
        """Say nothing: `from_config` has built everything already."""

    def _check_time(self, x: Any) -> None:
        if not self.architecture.extends and x.shape[1] is not None and x.shape[1] > self.spec.length:
            raise ValueError(f"{self.architecture.target} is defined up to {self.spec.length} steps, got {x.shape[1]}")

    def _trace(self) -> None:
        """Run the model once on symbols, which builds every layer within it and computes nothing."""
        spec = self.spec
        x = keras.KerasTensor((1, spec.length), "int32") if spec.tokens else keras.KerasTensor((1, spec.length, spec.inputs), "float32")
        target = {"target_in": keras.KerasTensor((1, max(spec.target_lengths)), "int32")} if spec.kind == "sequence" else {}
        self.compute_output_spec(x, **target)


def _body(architecture: Architecture, spec: Spec, recipe: dict[str, Any], drop: Dropout) -> Any:
    """The layers between embedding and head; what carries a state gets an encoder and a decoder on kind sequence."""
    sizes = {"length": spec.length, **({"inner": recipe["inner"]} if architecture.inner else {})}
    make = functools.partial(architecture.resolve(), recipe["width"], **sizes, **recipe["options"])
    if spec.kind != "sequence":
        return Stack(make, recipe["depth"], drop, carries=architecture.carries)
    if architecture.carries:
        return attending.wired(make, recipe["depth"], drop, units=recipe["width"], wiring=architecture.wiring)
    whole = make(depth=recipe["depth"], **({"drop": drop} if takes(make, "drop") else {}))  # an encoder-decoder by itself
    whole.supports_masking = True
    return whole


def _tied(spec: Spec, source: Symbols | None, target: Symbols | None) -> Symbols | None:
    """The table that the outputs are read from: that of the same symbols, where there is one and the symbols are many."""
    table = target if spec.kind == "sequence" else source if spec.kind == "steps" else None
    if table is None or table.width is None or spec.outputs <= TIES_ABOVE or table.vocabulary != spec.outputs:
        return None
    return table


def _count(layer: Any) -> int:
    return sum(math.prod(weight.shape) for weight in layer.trainable_weights)
