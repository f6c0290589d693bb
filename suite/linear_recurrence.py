"""A recurrent layer whose gates read no state, as a Keras layer: all steps at once, or one at a time."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras
import tensorflow as tf
from keras import ops
from keras.src.backend import in_symbolic_scope  # Keras has no public way to ask

from suite import engine, scan
from suite.diagonal import ComplexDiagonal, Diagonal, at_once
from suite.recurrence import inside_xla
from suite.scan import Given, Step
from suite.stepping import outlined

Tensor = Any

FORMS = ("auto", "engine", "parallel", "plain")
FLAGS = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask", "loop")


class LinearRecurrence(keras.layers.Layer):
    """A layer that maps x to y by one `forward` over all steps; x (batch, time, features) -> y (batch, time, units).

    `forward(x, recur)` gets x, (time, batch, features), and returns y, (time, batch, units). Only `recur` joins steps: by
    `diagonal`, `complex_diagonal` or `scan` over a state, and by `lags` over what a convolution or a shift reads. So one
    definition serves training, carried states, and decoding step by step.

    The states are computed and returned in float32 at least: they are long sums. Keras's own arguments mean what they mean
    in `keras.layers.LSTM`; a masked step repeats the last output and keeps the states. `probes` is one tensor a state,
    (time, batch, ...) in the order of processing, added to that state after each step: its gradient is dL/d(state).

    `loop` is the form of the recurrence over time in a graph: "engine", a compiled loop; "parallel", all steps at once or
    chunk by chunk; "plain", a loop of TensorFlow's, which has second-order gradients; "auto", what was measured to be
    fastest: on a CPU the loop, unless `on_cpu` says otherwise, on a GPU the parallel form.
    """

    states: ClassVar[tuple[str, ...]] = ("h",)  # what takes probes
    windows: ClassVar[tuple[str, ...]] = ()  # carried behind the states: what `lags` reads of earlier steps
    options: ClassVar[tuple[str, ...]] = ()  # constructor arguments of the layer's own
    on_cpu: ClassVar[str] = "engine"  # the form that "auto" means there

    def __init__(
        self,
        units: int,
        *,
        length: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        zero_output_for_mask: bool = False,
        loop: str = "auto",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not isinstance(units, int) or isinstance(units, bool) or units < 1:
            raise ValueError(f"units must be a positive integer, got {units!r}")
        if loop not in FORMS:
            raise ValueError(f"loop must be one of {', '.join(FORMS)}, got {loop!r}")
        self.units, self.length, self.loop = units, length, loop
        self.return_sequences, self.return_state = return_sequences, return_state
        self.go_backwards, self.zero_output_for_mask = go_backwards, zero_output_for_mask
        self.supports_masking = True
        self.supports_jit = False
        self.input_spec = keras.layers.InputSpec(ndim=3)
        object.__setattr__(self, "_ran", set())

    def forward(self, x: Tensor, recur: "Recurrence") -> Tensor:
        """Return y, (time, batch, units); x: (time, batch, features)."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(self, x, recur)")

    def weights_of_its_own(self, features: int) -> None:
        """Add the weights."""
        raise NotImplementedError(f"{type(self).__name__} must define weights_of_its_own(self, features)")

    def probe_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the states that take probes, without the batch."""
        return tuple((self.units,) for _ in self.states)

    def window_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the windows, (lags, width), without the batch."""
        return ()

    def state_shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of all that is carried, without the batch."""
        return (*self.probe_shapes(), *self.window_shapes())

    @property
    def impl(self) -> str:
        """How the recurrence of every graph so far was computed."""
        return "; ".join(sorted(self._ran)) or self._form(None)

    def build(self, x_shape: Any) -> None:
        if x_shape[-1] is None:
            raise ValueError(f"the last axis of x must be known, got shape {tuple(x_shape)}")
        self.weights_of_its_own(x_shape[-1])
        self.built = True

    def call(self, x: Any, mask: Any = None, initial_state: Any = None, training: bool = False, probes: Any = None) -> Any:
        x = ops.convert_to_tensor(x, self.compute_dtype)
        if in_symbolic_scope():
            return outlined(self, x)
        valid = None if mask is None else tf.cast(mask, tf.bool)
        if self.go_backwards:
            x, valid = tf.reverse(x, (1,)), None if valid is None else tf.reverse(valid, (1,))
        form, jit = self._form(x.shape[1] or 0), not inside_xla()
        if not tf.executing_eagerly():
            self._ran.add(form)
        elif form == "engine":
            form = "plain"
        rows = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
        states = self._given("states", initial_state, [(rows, *shape) for shape in self.state_shapes()])
        added = () if probes is None else self._given("probes", probes, self.probe_shapes())
        count = engine.shares(x.shape[0]) if form == "engine" and jit else 1
        more = -rows % (engine.PADDED_TO * count if x.shape[0] is None else count) if form == "engine" else 0
        parts = zip(*(_shares(one, count, 0, more) for one in (x, valid, states)), _shares(added, count, 1, more), strict=True)
        found = [self._rows(*part, form=form, jit=jit) for part in parts]
        y, states = tf.nest.map_structure(lambda *shares: shares[0] if count == 1 else tf.concat(shares, axis=0), *found)
        if not isinstance(more, int) or more:
            y, states = tf.nest.map_structure(lambda one: tf.ensure_shape(one[:rows], (x.shape[0], *one.shape[1:])), (y, states))
        return (y, *states) if self.return_state else y

    def _rows(self, x: Tensor, mask: Tensor | None, states: Any, probes: Any, *, form: str, jit: bool) -> tuple[Tensor, Any]:
        """Return outputs and final states of some rows of the batch."""
        names = (*self.states, *self.windows)
        valid = None if mask is None else tf.transpose(mask)
        given = dict(zip(self.states, probes, strict=True)) if probes else {}
        recur = Recurrence(dict(zip(names, states, strict=True)), given, valid, self.compute_dtype, form, jit)
        y = self.forward(_turned(x), recur)
        if recur.valid is not None:
            y = tf.where(recur.seen[:, :, None], _at_rows(y, recur.last_valid), tf.zeros_like(y))
            if self.zero_output_for_mask:
                y = tf.where(recur.valid[:, :, None], y, tf.zeros_like(y))
        y = _turned(y) if self.return_sequences else y[-1]
        return y, tuple(recur.states[name] for name in names)

    def compute_output_shape(self, x_shape: Any, *_: Any, **__: Any) -> Any:
        y = (x_shape[0], x_shape[1], self.units) if self.return_sequences else (x_shape[0], self.units)
        return (y, *((x_shape[0], *shape) for shape in self.state_shapes())) if self.return_state else y

    def compute_output_spec(self, x: Any, *_: Any, **__: Any) -> Any:
        shapes = self.compute_output_shape(x.shape)
        if not self.return_state:
            return keras.KerasTensor(shapes, self.compute_dtype)
        dtypes = (self.compute_dtype, *(wide(self.compute_dtype) for _ in shapes[1:]))
        return tuple(keras.KerasTensor(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True))

    def compute_mask(self, x: Any, previous_mask: Any) -> Any:
        kept = previous_mask if self.return_sequences else None
        return [kept, *(None for _ in self.state_shapes())] if self.return_state else kept

    def get_config(self) -> dict[str, Any]:
        names = ("units", "length", *FLAGS, *self.options)
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _form(self, time: int | None) -> str:
        """Return the form for rows of this length; 0 is unknown, None is any."""
        if time == 0:
            return "plain: length unknown"
        if time == 1:
            return "plain"
        if self.loop != "auto":
            return self.loop
        return "parallel" if tf.config.list_physical_devices("GPU") else self.on_cpu

    def _given(self, what: str, given: Any, shapes: Any) -> tuple[Tensor, ...]:
        """Return states or probes as wide tensors; zeros where no states are given."""
        dtype = wide(self.compute_dtype)
        if given is None:
            return tuple(tf.zeros(shape, dtype) for shape in shapes)
        listed = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(listed) != len(shapes):
            raise ValueError(f"{type(self).__name__} takes {len(shapes)} {what}, got {len(listed)}")
        return tuple(ops.convert_to_tensor(one, dtype) for one in listed)


class Recurrence:
    """What joins the steps of one call: its states, probes and mask; `states` holds the final ones when `forward` is done."""

    def __init__(
        self, states: dict[str, Tensor], probes: Mapping[str, Tensor], valid: Tensor | None, dtype: str, form: str, jit: bool
    ) -> None:
        self.states, self.probes, self.valid, self.dtype, self.form, self.jit = states, probes, valid, dtype, form, jit
        if valid is not None:
            time = tf.shape(valid)[0]
            place = tf.range(time)[:, None]
            self.rank = tf.cumsum(tf.cast(valid, tf.int32), axis=0)  # (time, batch): valid steps so far
            self.order = tf.argsort(tf.where(valid, place, place + time), axis=0)  # valid steps first
            self.seen = self.rank > 0
            self.last_valid = _at_rows(self.order, tf.maximum(self.rank - 1, 0))

    def diagonal(
        self,
        gates: Callable[..., tuple[Tensor, Tensor]],
        *sequences: Tensor,
        weights: tuple[Tensor, ...] = (),
        read: Callable[..., Tensor] | None = None,
        state: str = "h",
    ) -> Tensor:
        """Return h' = a * h + b of every step, or what `read` makes of it; see `Diagonal`."""
        step = Diagonal(gates, read)
        (y,), (self.states[state],) = self._run(step, at_once, sequences, weights, (self.states[state],), self._probes(state), True)
        return y

    def complex_diagonal(
        self,
        gates: Callable[..., tuple[Tensor, Tensor]],
        *sequences: Tensor,
        weights: tuple[Tensor, ...] = (),
        read: Callable[..., Tensor] | None = None,
        state: str = "h",
    ) -> tuple[Tensor, ...]:
        """Return real and imaginary part of h' = a * h + b of every step, or (what `read` makes of the two,).

        The state holds the two parts as well, (batch, 2, ...).
        """
        h, probes = self.states[state], tuple(part for probe in self._probes(state) for part in tf.unstack(probe, axis=2))
        step = ComplexDiagonal(gates, read)
        y, final = self._run(step, at_once, sequences, weights, tuple(tf.unstack(h, axis=1)), probes, True)
        self.states[state] = tf.stack(final, axis=1)
        return y

    def scan(
        self,
        step: Step,
        *sequences: Tensor,
        weights: tuple[Tensor, ...] = (),
        states: tuple[str, ...] = ("h",),
        parallel: Callable[[Given, Tensor | None], tuple[Tensor, Any]] | None = None,
    ) -> Tensor:
        """Return the output of every step of a loop over `states`.

        `parallel(given, mask)` returns the same without a loop over steps; it has no state of every step, so that calls
        with probes take the loop.
        """

        def whole(_: Step, given: Given, mask: Tensor | None) -> Any:
            y, final = parallel(given, mask)  # type: ignore[misc]  # only called where there is one
            return (y,), final

        probes = tuple(probe for name in states for probe in self._probes(name))
        now = tuple(self.states[name] for name in states)
        (y,), final = self._run(step, None if parallel is None else whole, sequences, weights, now, probes, False)
        self.states.update(zip(states, final, strict=True))
        return y

    def lags(self, x: Tensor, window: str) -> list[Tensor]:
        """Return x at every valid step and at those before it, the nearest first, as many as the window holds and one.

        x: (time, batch, width); the window, (batch, lags, width), is what the first steps read, and holds the last ones
        afterwards.
        """
        shape = self.states[window].shape
        before = _turned(self.states[window])
        lags = before.shape[0]
        dtype = x.dtype
        whole = tf.concat([before, tf.cast(x if self.valid is None else _at_rows(x, self.order), before.dtype)], axis=0)
        if self.valid is None:
            time = x.shape[0] if x.shape[0] is not None else tf.shape(x)[0]
            self.states[window] = tf.ensure_shape(_turned(whole[time:]), shape)
            return [x, *(tf.cast(whole[lags - lag : lags - lag + time], dtype) for lag in range(1, lags + 1))]
        place = tf.maximum(self.rank - 1, 0) + lags
        self.states[window] = tf.ensure_shape(_turned(_at_rows(whole, self.rank[-1:] + tf.range(lags)[:, None])), shape)
        return [x, *(tf.cast(_at_rows(whole, place - lag), dtype) for lag in range(1, lags + 1))]

    def _probes(self, state: str) -> tuple[Tensor, ...]:
        return (self.probes[state],) if self.probes else ()

    def _run(self, step: Any, parallel: Any, sequences: Any, weights: Any, states: Any, probes: Any, probed: bool) -> Any:
        dtype = wide(self.dtype)
        cast = lambda tensors: tuple(ops.convert_to_tensor(one, dtype) for one in tensors)
        given = Given(cast(sequences), cast(weights), tuple(states), tuple(probes))
        if self.form == "parallel" and parallel is not None and (probed or not probes):
            y, final = parallel(step, given, self.valid)
        elif self.form in ("engine", "parallel") and not tf.executing_eagerly():
            y, final = scan.loop(step, given, self.valid, jit=self.jit)
        else:
            y, final = scan.plain(step, given, self.valid)
        return tuple(ops.cast(one, self.dtype) for one in y), final


def product(x: Tensor, kernel: Any, bias: Any = None) -> Tensor:
    """Return x W + b of every step as one product; x: (time, batch, features)."""
    kernel = ops.convert_to_tensor(kernel, x.dtype)
    time, batch = (known if known is not None else tf.shape(x)[axis] for axis, known in enumerate(x.shape[:2]))
    y = tf.reshape(tf.matmul(tf.reshape(x, (-1, x.shape[2])), kernel), (time, batch, kernel.shape[1]))
    return y if bias is None else y + ops.convert_to_tensor(bias, x.dtype)


def wide(dtype: str) -> str:
    """Return the dtype of states: float32, or float64 where the layer computes in it."""
    return "float64" if dtype == "float64" else "float32"


def _shares(given: Any, count: int, axis: int, more: Any) -> list[Any]:
    """Return the shares of a batch, each a structure like the given one, after `more` rows of zeros were put behind it."""

    def shares(tensor: Tensor) -> list[Tensor]:
        if not isinstance(more, int) or more:
            tensor = tf.pad(tensor, [[0, more if number == axis else 0] for number in range(len(tensor.shape))])
        return [tensor] if count == 1 else tf.split(tensor, count, axis)

    if given is None:
        return [None] * count
    parts = [shares(tensor) for tensor in tf.nest.flatten(given)]
    return [tf.nest.pack_sequence_as(given, [part[number] for part in parts]) for number in range(count)]


def _turned(array: Tensor) -> Tensor:
    """Exchange the axes of batch and time."""
    return tf.transpose(array, (1, 0, *range(2, len(array.shape))))


def _at_rows(array: Tensor, place: Tensor) -> Tensor:
    """Return array[place[i, row], row] for every i and row; array: (time, batch, ...), place: (steps, batch)."""
    rows = tf.shape(array)[1]
    flat = tf.reshape(array, tf.concat([[-1], tf.shape(array)[2:]], axis=0))
    found = tf.gather(flat, place * rows + tf.range(rows))
    return tf.ensure_shape(found, (*place.shape[:1], array.shape[1], *array.shape[2:]))
