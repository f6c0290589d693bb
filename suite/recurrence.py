"""A recurrent cell as a Keras layer: its gates, its states and one step; the time loop is the suite's."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops
from keras.src.backend import in_symbolic_scope  # Keras has no public way to ask
from tensorflow.python.ops import control_flow_util  # TensorFlow has no public way to ask

from suite import checkpointing, engine, initializers, plain, step_plan
from suite.initializers import Initializer
from suite.stepping import Inputs, Pair, Recur, outlined

Tensor = Any

LOOPS = ("engine", "plain")
SHAPE = ("units", "length", "inner")
FLAGS = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "zero_output_for_mask",
    "initialization",
    "loop",
    "checkpoint_every",
)


class Cell(keras.layers.Layer):
    """A recurrent layer made of gates, states and one `step`; x (batch, time, features) -> y (batch, time, units).

    `step(x, states, recur)` returns the states after one step; the first one is the output. In it:

    * `x` holds the input projection x W + b of every gate, (batch, units) each, then the signals;
    * `recur(value, *gates, add=())` is value U_gate + add for the named gates, or for all of them, and the only way to
      multiply by recurrent weights; products behind the end of `add` stay bare;
    * what `vectors()` names (peepholes, gains) and the layer's `constants` are read as attributes: `self.p_i`.

    Keras's own arguments mean what they mean in `keras.layers.LSTM`; a masked step repeats the last output and keeps the
    states. `probes` is one tensor a state, (time, batch, ...) in the order of processing, added to that state after each
    step: its gradient is dL/d(state), over every path.

    For the gradient a step keeps its states and either its products with recurrent weights or what the cell's pair by hand
    keeps: (states + kept) * batch * units numbers, 6 of them for an LSTM. `checkpoint_every=k` keeps the states of every k-th
    step only, and computes the others again.
    """

    gates: ClassVar[tuple[str, ...]] = ()  # the blocks of kernel, recurrent kernel and bias, in this order
    states: ClassVar[tuple[str, ...]] = ("h",)  # the first one is the output
    only_inputs: ClassVar[tuple[str, ...]] = ()  # further blocks of kernel and bias, behind the gates
    only_products: ClassVar[tuple[str, ...]] = ()  # further blocks of the recurrent kernel
    constants: ClassVar[tuple[str, ...]] = ()  # inputs that do not change over time, (batch, ...)
    options: ClassVar[tuple[str, ...]] = ()  # constructor arguments of the cell's own: saved, and frozen into compiled loops
    initializations: ClassVar[tuple[str, ...]] = initializers.SCHEMES  # the first one is the default
    no_gradient: ClassVar[tuple[str, ...]] = ()  # states that pass none on: a clock, a scale
    needs_plain: ClassVar[str] = ""  # why the cell can only run in the plain loop

    def __init__(
        self,
        units: int,
        *,
        length: int | None = None,
        inner: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        zero_output_for_mask: bool = False,
        initialization: str | None = None,
        loop: str = "engine",
        checkpoint_every: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not isinstance(units, int) or isinstance(units, bool) or units < 1:
            raise ValueError(f"units must be a positive integer, got {units!r}")
        if initialization is not None and initialization not in self.initializations:
            raise ValueError(f"initialization must be one of {', '.join(self.initializations)}, got {initialization!r}")
        if loop not in LOOPS:
            raise ValueError(f"loop must be one of {', '.join(LOOPS)}, got {loop!r}")
        if checkpoint_every is not None and (not isinstance(checkpoint_every, int) or checkpoint_every < 1):
            raise ValueError(f"checkpoint_every must be a positive number of steps, or None, got {checkpoint_every!r}")
        self.loop, self.checkpoint_every = loop, checkpoint_every
        self.initialization = self.initializations[0] if initialization is None else initialization
        self.units, self.length, self.inner = units, length, inner
        self.return_sequences, self.return_state, self.go_backwards = return_sequences, return_state, go_backwards
        self.stateful, self.zero_output_for_mask = stateful, zero_output_for_mask
        self.supports_masking = True
        self.supports_jit = False
        self.input_spec = keras.layers.InputSpec(ndim=3)
        object.__setattr__(self, "_ran", set())
        object.__setattr__(self, "_kept", [])  # variables of a stateful layer: as in Keras, not among its weights

    def step(self, x: Sequence[Tensor], states: tuple[Tensor, ...], recur: Recur) -> tuple[Tensor, ...]:
        """Return the states after one step."""
        raise NotImplementedError(f"{type(self).__name__} must define step(self, x, states, recur)")

    @property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of the kernel."""
        return (*self.gates, *self.only_inputs)

    @property
    def products(self) -> tuple[str, ...]:
        """The blocks of the recurrent kernel."""
        return (*self.gates, *self.only_products)

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the states, without the batch."""
        return tuple((self.units,) for _ in self.states)

    def initial_kernel(self) -> Initializer:
        """How the input weights begin: Glorot, each gate by itself unless `initialization` says otherwise."""
        return initializers.kernel(self.initialization, keras.initializers.GlorotUniform, len(self.blocks), self.units)

    def initial_recurrent_kernel(self) -> Initializer:
        """How the recurrent weights begin: orthogonal, each gate by itself unless `initialization` says otherwise."""
        return initializers.kernel(self.initialization, keras.initializers.Orthogonal, len(self.products), self.units)

    def initial_bias(self) -> Initializer:
        """How the biases begin: zero, or uniform with all else."""
        return initializers.uniform(self.units) if self.initialization == "uniform" else keras.initializers.Zeros()

    def bias_shape(self) -> tuple[int, ...]:
        """The shape of the weight `bias`."""
        return (len(self.blocks) * self.units,)

    def weights_of_its_own(self, features: int) -> None:
        """Add what the cell has beside kernel, recurrent kernel and bias."""

    # The four below map weights to what a loop reads, once per call and outside the loop.

    def kernels(self) -> Tensor:
        """Return the effective recurrent kernel, (state width, products * units); a cell without products has no such weight."""
        return self.recurrent_kernel if self.products else ops.zeros((self.state_shapes()[0][-1], 0), self.compute_dtype)

    def input_bias(self) -> Tensor:
        """Return the effective bias of the input projections, (blocks * units,)."""
        return self.bias

    def vectors(self) -> Mapping[str, Tensor]:
        """Return the weights that `step` reads by name."""
        return {}

    def signals(self, batch: Any, time: Any, training: Any) -> tuple[Tensor, ...]:
        """Return what `step` gets at every step beside the input: a clock, noise; (time, batch or 1, ...)."""
        return ()

    def pair(self) -> Pair | None:
        """Return the step and its gradient by hand, for the engine; without one it derives the gradient from `step`."""
        return None

    def flops(self, time: int) -> float:
        """Return the FLOPs of one step: two per entry of what it multiplies by, however few weights `kernels()` makes that from."""
        width = self.state_shapes()[0][-1]
        return 2.0 * self.units * (self.kernel.shape[0] * len(self.blocks) + width * len(self.products))

    @property
    def impl(self) -> str:
        """How the time loop of every graph so far was computed: by the engine, in the plain loop, or by both, and why."""
        return "; ".join(sorted(self._ran)) or self._way(time=None)

    def frozen(self) -> tuple[Any, ...]:
        """Return all that a compiled loop depends on beside shapes: two layers with equal values share it."""
        options = tuple((name, getattr(self, name)) for name in (*SHAPE, *self.options))
        return type(self), options, self.compute_dtype

    def twin(self) -> "Cell":
        """Return a layer with the same options and without weights."""
        options = {name: getattr(self, name) for name in (*SHAPE, *self.options)}
        return type(self)(**options, dtype=self.compute_dtype, name="twin")

    def build(self, x_shape: Any) -> None:
        features, width = x_shape[-1], self.state_shapes()[0][-1]
        if features is None:
            raise ValueError(f"the last axis of x must be known, got shape {tuple(x_shape)}")
        self.kernel = self.add_weight(name="kernel", shape=(features, len(self.blocks) * self.units), initializer=self.initial_kernel())
        if self.products:
            self.recurrent_kernel = self.add_weight(
                name="recurrent_kernel", shape=self.recurrent_shape(width), initializer=self.initial_recurrent_kernel()
            )
        self.bias = self.add_weight(name="bias", shape=self.bias_shape(), initializer=self.initial_bias())
        self.weights_of_its_own(features)
        if self.stateful:
            self._keep_states(x_shape[0])
        self.built = True

    def recurrent_shape(self, width: int) -> tuple[int, ...]:
        """The shape of the weight `recurrent_kernel`, for an output of this width."""
        return (width, len(self.products) * self.units)

    def call(
        self, x: Any, mask: Any = None, initial_state: Any = None, constants: Any = None, training: bool = False, probes: Any = None
    ) -> Any:
        x = ops.convert_to_tensor(x, self.compute_dtype)
        states, carried = self._initial_states(x, initial_state)
        inputs = self._inputs(x, mask, states, constants, training, probes)
        if in_symbolic_scope():
            if not self.needs_plain:
                step_plan.plan(self, inputs)  # traces the step once, so that its faults show while a model is built
            return outlined(self, x)
        outputs, states = self._run(inputs)
        for variable, state in zip(self._kept, states, strict=False):
            variable.assign(state)
        y = outputs if self.return_sequences else states[0]
        if inputs.mask is not None:
            y = self._blanked(y, inputs.mask, carried)
        return (y, *states) if self.return_state else y

    def compute_output_shape(self, x_shape: Any, *_: Any, **__: Any) -> Any:
        states = [(x_shape[0], *shape) for shape in self.state_shapes()]
        y = (x_shape[0], x_shape[1], *states[0][1:]) if self.return_sequences else states[0]
        return (y, *states) if self.return_state else y

    def compute_output_spec(self, x: Any, *_: Any, **__: Any) -> Any:
        shapes = self.compute_output_shape(x.shape)
        made = [keras.KerasTensor(shape, self.compute_dtype) for shape in (shapes if self.return_state else [shapes])]
        return tuple(made) if self.return_state else made[0]

    def compute_mask(self, x: Any, previous_mask: Any) -> Any:
        kept = previous_mask if self.return_sequences else None
        return [kept, *(None for _ in self.states)] if self.return_state else kept

    def reset_states(self) -> None:
        """Forget what a stateful layer carried from batch to batch."""
        for variable in self._kept:
            variable.assign(ops.zeros_like(variable))

    reset_state = reset_states

    def get_config(self) -> dict[str, Any]:
        names = (*SHAPE, *FLAGS, *self.options)
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _run(self, inputs: Inputs) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run the loop: eager calls and single steps in the plain form, graphs in the form that the layer was given."""
        time, every = inputs.x.shape[1], self.checkpoint_every
        if tf.executing_eagerly() or time == 1:
            return plain.run(self, inputs)
        way = self._way(time or 0)
        self._ran.add(way)
        if way != "engine":
            return plain.run(self, inputs)
        loop = lambda piece: engine.run(self, piece, sequences=self.return_sequences, jit=not inside_xla())
        return loop(inputs) if every is None or every >= time else checkpointing.run(loop, inputs, every)

    def _way(self, time: int | None) -> str:
        """Return "engine", or "plain" with the reason."""
        if self.loop == "plain":
            return "plain"
        if self.needs_plain:
            return f"plain: {self.needs_plain}"
        return "engine" if time is None or time else "plain: length unknown"

    def _inputs(self, x: Tensor, mask: Any, states: tuple[Tensor, ...], constants: Any, training: Any, probes: Any) -> Inputs:
        """Return what the loop reads: the input projections of all steps are one product."""
        given = [] if constants is None else _listed(constants)
        if len(given) != len(self.constants):
            raise ValueError(f"{type(self).__name__} takes the constants ({', '.join(self.constants)}), got {len(given)}")
        given_probes = () if probes is None else tuple(_listed(probes))
        if given_probes and len(given_probes) != len(self.states):
            raise ValueError(f"{type(self).__name__} takes one probe a state ({', '.join(self.states)}), got {len(given_probes)}")
        valid = None if mask is None else tf.cast(mask, tf.bool)
        if self.go_backwards:
            x = tf.reverse(x, (1,))
            valid = None if valid is None else tf.reverse(valid, (1,))
        batch, time = (known if known is not None else tf.shape(x)[axis] for axis, known in enumerate(x.shape[:2]))
        cast = lambda tensor: ops.convert_to_tensor(tensor, self.compute_dtype)
        return Inputs(
            x=x,
            kernel=cast(self.kernel),
            bias=cast(self.input_bias()),
            recurrent=cast(self.kernels()),
            states=states,
            vectors={name: cast(vector) for name, vector in self.vectors().items()},
            constants={name: cast(constant) for name, constant in zip(self.constants, given, strict=True)},
            signals=tuple(tf.stop_gradient(cast(signal)) for signal in self.signals(batch, time, training)),
            mask=valid,
            probes=tuple(cast(probe) for probe in given_probes),
        )

    def _initial_states(self, x: Tensor, given: Any) -> tuple[tuple[Tensor, ...], bool]:
        """Return the states before the first step, and whether they can be anything but zero."""
        batch = tf.shape(x)[0] if x.shape[0] is None else x.shape[0]
        shapes = self.state_shapes()
        if given is None and self._kept:
            if x.shape[0] != self._kept[0].shape[0]:
                raise ValueError(f"a stateful layer keeps the states of {self._kept[0].shape[0]} rows, got a batch of {x.shape[0]}")
            given = self._kept
        if given is None:
            zeros = (tf.zeros((batch, *shape), self.compute_dtype) for shape in shapes)
            return tuple(tf.ensure_shape(zero, (x.shape[0], *shape)) for zero, shape in zip(zeros, shapes, strict=True)), False
        listed = [ops.convert_to_tensor(state, self.compute_dtype) for state in _listed(given)]
        if len(listed) != len(shapes):
            raise ValueError(f"{type(self).__name__} carries {', '.join(self.states)}: expected {len(shapes)} states, got {len(listed)}")
        return tuple(tf.ensure_shape(state, (x.shape[0], *shape)) for state, shape in zip(listed, shapes, strict=True)), True

    def _blanked(self, y: Tensor, mask: Tensor, carried: bool) -> Tensor:
        """Return zero for masked steps where asked to, and as Keras does, before the first valid step."""
        if not self.zero_output_for_mask and not carried:
            return y  # before the first valid step the output is the first state, which is zero
        seen = mask if self.zero_output_for_mask else tf.cumsum(tf.cast(mask, tf.int32), axis=1) > 0
        return tf.where(seen[:, :, None] if self.return_sequences else seen[:, -1:], y, tf.zeros_like(y))

    def _keep_states(self, batch: int | None) -> None:
        if batch is None:
            raise ValueError("a stateful layer must know the batch when it is built: give `batch_shape` to its input")
        made = (keras.Variable(ops.zeros((batch, *shape)), dtype=self.variable_dtype, trainable=False) for shape in self.state_shapes())
        object.__setattr__(self, "_kept", list(made))


def inside_xla() -> bool:
    """Say whether the graph that is being made is part of an XLA program."""
    return bool(control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph()))


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]
