"""The LSTM with peepholes and its ablations: the equations, the counts, and that each differs from it in one thing."""

import numpy as np
import pytest

from suite.layers.peephole import FORGET_BIAS
from tests.replay import FEATURES, UNITS, assert_replays, blocks, layer, noise, sigmoid, weights

D, H = FEATURES, UNITS
LINEAR = lambda a: a


def v(x, states, *, kernel, recurrent_kernel, bias, peephole, phi=np.tanh, psi=np.tanh):
    h, c = states
    i, f, o, g = blocks(x @ kernel + h @ recurrent_kernel + bias, 4)
    p_i, p_f, p_o = blocks(peephole, 3)
    new = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * phi(g)
    return sigmoid(o + p_o * new) * psi(new), new


def without(gate):
    """V where the gate is 1 and has no weights."""
    kept = [g for g in "ifo" if g != gate]

    def step(x, states, *, kernel, recurrent_kernel, bias, peephole):
        h, c = states
        a = dict(zip([*kept, "g"], blocks(x @ kernel + h @ recurrent_kernel + bias, 3), strict=True))
        p = dict(zip(kept, blocks(peephole, 2), strict=True))
        gate = lambda name, seen: sigmoid(a[name] + p[name] * seen) if name in p else 1.0
        new = gate("f", c) * c + gate("i", c) * np.tanh(a["g"])
        return gate("o", new) * np.tanh(new), new

    return step


def coupled(x, states, *, kernel, recurrent_kernel, bias, peephole):
    h, c = states
    f, o, g = blocks(x @ kernel + h @ recurrent_kernel + bias, 3)
    p_f, p_o = blocks(peephole, 2)
    i = 1 - sigmoid(f + p_f * c)
    new = (1 - i) * c + i * np.tanh(g)
    return sigmoid(o + p_o * new) * np.tanh(new), new


def full(x, states, *, kernel, recurrent_kernel, bias, peephole):
    h, c, *gates = states
    u = recurrent_kernel[:, : 4 * H]
    nine = np.concatenate(blocks(recurrent_kernel[:, 4 * H :], 3))  # (3H, 3H): from i, f, o to i, f, o
    i, f, o, g = blocks(x @ kernel + h @ u + bias, 4)
    more_i, more_f, more_o = blocks(np.concatenate(gates, axis=-1) @ nine, 3)
    p_i, p_f, p_o = blocks(peephole, 3)
    i, f = sigmoid(i + more_i + p_i * c), sigmoid(f + more_f + p_f * c)
    new = f * c + i * np.tanh(g)
    o = sigmoid(o + more_o + p_o * new)
    return o * np.tanh(new), new, i, f, o


def no_peepholes(x, states, **given):
    return v(x, states, **given, peephole=np.zeros(3 * H))


EQUATIONS = {
    "greff_v": v,
    "greff_niaf": lambda x, states, **given: v(x, states, **given, phi=LINEAR),
    "greff_noaf": lambda x, states, **given: v(x, states, **given, psi=LINEAR),
    "greff_nig": without("i"),
    "greff_nfg": without("f"),
    "greff_nog": without("o"),
    "greff_cifg": coupled,
    "greff_fgr": full,
    "greff_np": no_peepholes,
}
NP = 4 * H * (D + H + 1)
LESS = 3 * H * (D + H + 1) + 2 * H
COUNTS = dict.fromkeys(EQUATIONS, LESS) | {
    "greff_v": NP + 3 * H,
    "greff_niaf": NP + 3 * H,
    "greff_noaf": NP + 3 * H,
    "greff_fgr": NP + 3 * H + 9 * H * H,
    "greff_np": NP,
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_it_matches_the_equations_of_its_docstring(name):
    assert_replays(layer(name), EQUATIONS[name])


@pytest.mark.parametrize("name", EQUATIONS)
def test_its_parameters_are_those_of_the_formula(name):
    assert layer(name).count_params() == COUNTS[name]


@pytest.mark.parametrize("name", EQUATIONS)
def test_its_forget_gate_keeps_at_first_and_no_other_gate_has_a_bias(name):
    made = layer(name, stirred=False)
    bias = dict(zip(made.gates, blocks(made.bias.numpy(), len(made.gates)), strict=True))
    for gate, begun in bias.items():
        np.testing.assert_array_equal(begun, np.full(H, FORGET_BIAS if gate == "f" else 0.0))


def test_without_peepholes_it_is_the_lstm_itself():
    ours, lstm = layer("greff_v"), layer("lstm")
    ours.peephole.assign(np.zeros(3 * H))
    lstm.set_weights(ours.get_weights()[:3])
    x = noise(2, 6, D)
    np.testing.assert_allclose(ours(x)[0], lstm(x)[0], atol=1e-12)
    assert type(layer("greff_np")) is type(lstm)
    assert layer("greff_np").get_config().keys() == lstm.get_config().keys()


def test_what_forgets_nothing_passes_the_whole_gradient_along_the_memory():
    """dc'/dc = 1 + what goes through the peephole of i; with that at zero, and no recurrent weights, a memory stays as it is."""
    made = layer("greff_nfg")
    made.recurrent_kernel.assign(np.zeros((H, 3 * H)))
    made.peephole.assign(np.zeros(2 * H))
    x, held = noise(1, 20, D), noise(1, H, seed=3)
    _, _, c = made(x, initial_state=[np.zeros((1, H)), held])
    _, _, from_nothing = made(x)
    np.testing.assert_allclose(c - from_nothing, held, atol=1e-12)


def test_what_has_no_output_activation_leaves_the_unit_interval_and_what_has_one_does_not():
    x = np.full((1, 40, D), 3.0)
    for name, bounded in (("greff_noaf", False), ("greff_v", True)):
        made = layer(name)
        made.kernel.assign(np.abs(made.kernel.numpy()))
        made.recurrent_kernel.assign(np.zeros(made.recurrent_kernel.shape))
        made.bias.assign(np.full(4 * H, 5.0))
        made.peephole.assign(np.zeros(3 * H))
        assert (np.abs(made(x)[0]).max() < 1) == bounded


def test_coupled_gates_keep_the_memory_within_one():
    """A convex mixture of c and of a candidate within (-1, 1)."""
    made = layer("greff_cifg")
    _, _, c = made(noise(3, 200, D) * 10)
    assert np.abs(c).max() < 1
    _, _, c = layer("greff_v")(noise(3, 200, D) * 10)
    assert np.abs(c).max() > 1


def test_the_gates_are_seen_one_step_later_only_by_full_gate_recurrence():
    made = layer("greff_fgr")
    assert weights(made)["recurrent_kernel"].shape == (H, 13 * H)
    x, zero = noise(1, 1, D), np.zeros((1, H))
    states = [zero, zero, zero, zero, zero]
    for place in (2, 3, 4):
        moved = [np.ones((1, H)) if k == place else state for k, state in enumerate(states)]
        before, after = made(x, initial_state=states), made(x, initial_state=moved)
        assert not np.allclose(before[0], after[0])


def test_chrono_biases_of_input_and_forget_gate_mirror_each_other():
    made = layer("greff_v", forget_bias="chrono:50", stirred=False)
    i, f, o, g = blocks(made.bias.numpy(), 4)
    np.testing.assert_array_equal(i, -f)
    assert 0 <= f.min() < f.max() <= np.log(49)
    assert not np.any([o, g])


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match="activation must be one of"):
        layer("greff_v", candidate_activation="gelu")
    with pytest.raises(ValueError, match="initialization must be one of per_gate, joint, got 'uniform'"):
        layer("greff_cifg", initialization="uniform")
