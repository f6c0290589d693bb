"""Recurrences with an orthogonal kernel: the equations, that it is orthogonal, and its gradient against another implementation."""

import math

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from suite.layers import skew
from tests.replay import FEATURES, UNITS, assert_replays, layer, noise

D, H = FEATURES, UNITS
NAMES = ("exprnn", "scornn")


def antisymmetric(triangle, units=H):
    a = np.zeros((units, units))
    a[np.triu_indices(units, 1)] = triangle
    return a - a.T


def modrelu(z, b):
    return np.sign(z) * np.maximum(np.abs(z) + b, 0)


def cayley(triangle, negative):
    a = antisymmetric(triangle)
    signs = np.array([1.0] * (H - negative) + [-1.0] * negative)
    return np.linalg.inv(np.eye(H) + a) @ (np.eye(H) - a) @ np.diag(signs)


def exponential(triangle, _=None):
    return scipy.linalg.expm(antisymmetric(triangle))


def step(kernel_of, *given):
    def take(x, states, *, kernel, recurrent_kernel, bias):
        return (modrelu(x @ kernel + states[0] @ kernel_of(recurrent_kernel, *given), bias),)

    return take


def test_exprnn_matches_the_equations_of_its_docstring():
    assert_replays(layer("exprnn"), step(exponential))


@pytest.mark.parametrize(("negative", "count"), [(0.0, 0), (0.25, 2), (1.0, 8)])
def test_scornn_matches_the_equations_of_its_docstring(negative, count):
    assert_replays(layer("scornn", negative=negative), step(cayley, count))


@pytest.mark.parametrize("name", NAMES)
def test_only_the_triangle_of_its_kernel_is_counted(name):
    made = layer(name)
    assert made.count_params() == H * D + H * (H - 1) // 2 + H
    assert made.flops(10) == 2 * H * (D + H)  # what it multiplies by is the whole matrix


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("size", [0.3, 3.0])
@pytest.mark.parametrize("name", NAMES)
def test_the_kernel_is_orthogonal_whatever_its_weights(name, size, dtype):
    made = layer(name, units=64, dtype=dtype, stirred=False)
    made.recurrent_kernel.assign(size * noise(64 * 63 // 2))
    kernel = made.kernels().numpy()
    assert kernel.dtype == np.float32
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(64), atol=1e-4)


def test_a_rotation_is_one_and_the_negative_share_makes_it_a_reflection():
    assert np.linalg.det(layer("exprnn").kernels()) == pytest.approx(1.0)
    assert np.linalg.det(layer("scornn", negative=3 / 8).kernels()) == pytest.approx(-1.0)


def test_the_state_keeps_its_length_where_nothing_is_read_and_the_bias_is_zero():
    made = layer("exprnn")
    made.bias.assign(np.zeros(H))
    h = noise(1, H, seed=4)
    y, _ = made(np.zeros((1, 300, D)), initial_state=[h])
    np.testing.assert_allclose(np.linalg.norm(y[0], axis=-1), np.full(300, np.linalg.norm(h)), rtol=1e-9)


@pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
def test_the_gradient_of_the_exponential_is_its_frechet_derivative(jit):
    """d<G, exp(A)> along E is <G, L(A, E)>; scipy computes L by another way."""
    rng = np.random.default_rng(0)
    a, upstream = rng.normal(size=(6, 6)), 1e3 * rng.normal(size=(6, 6))

    def slope(a):
        with tf.GradientTape() as tape:
            tape.watch(a)
            loss = tf.reduce_sum(skew.exponential(a) * upstream)
        return tape.gradient(loss, a)

    found = tf.function(slope, jit_compile=jit, autograph=False)(tf.constant(a)).numpy()
    for _ in range(4):
        direction = rng.normal(size=(6, 6))
        expected = np.sum(upstream * scipy.linalg.expm_frechet(a, direction, compute_expm=False))
        assert np.sum(found * direction) == pytest.approx(expected, rel=1e-9)


def test_the_exponential_has_a_gradient_of_zero_where_nothing_is_asked():
    with tf.GradientTape() as tape:
        a = tf.Variable(tf.eye(3, dtype=tf.float64))
        loss = tf.reduce_sum(skew.exponential(a) * 0.0)
    np.testing.assert_array_equal(tape.gradient(loss, a), np.zeros((3, 3)))


@pytest.mark.parametrize(("kind", "most"), [("henaff", math.pi), ("cayley", 1.0)])
def test_it_begins_as_rotations_of_planes_by_angles_of_all_sizes(kind, most):
    """Cayley: s = tan(t / 2), t ~ U(0, pi / 2), so that s <= 1 and its median is tan(pi / 8)."""
    made = layer("exprnn", units=200, initialization=kind, stirred=False)
    a = antisymmetric(made.recurrent_kernel.numpy(), 200)
    planes = np.array([a[k, k + 1] for k in range(0, 200, 2)])
    assert np.count_nonzero(a) == 200
    assert 0.9 * most < np.abs(planes).max() <= most
    middle = 0.0 if kind == "henaff" else math.tan(math.pi / 8)
    assert abs(np.median(planes) - middle) < most / 3  # of 100 draws
    assert (planes.min() < 0) == (kind == "henaff")


def test_impossible_options_are_refused():
    with pytest.raises(ValueError, match=r"negative must be a share of the units, from 0 to 1, got 1\.5"):
        layer("scornn", negative=1.5)
    with pytest.raises(ValueError, match="initialization must be one of henaff, cayley, got 'orthogonal'"):
        layer("exprnn", initialization="orthogonal")
