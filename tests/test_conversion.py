"""A Keras model on our layers is the same model: four real ones as their authors write them, before and through training."""

import keras
import numpy as np
import pytest
from keras import layers

import suite
from suite.conversion import verdicts

WORDS, LENGTH, UNITS, ROWS = 50, 12, 8, 32
RNG = np.random.default_rng(3)
TOKENS = RNG.integers(1, WORDS, (ROWS, LENGTH)) * (np.arange(LENGTH) < RNG.integers(2, LENGTH + 1, ROWS)[:, None])


def stacked_classifier():
    """Reviews as padded rows of words, two LSTMs, one sigmoid."""
    model = keras.Sequential(
        [
            keras.Input((LENGTH,), dtype="int32"),
            layers.Embedding(WORDS, 6, mask_zero=True),
            layers.LSTM(UNITS, return_sequences=True),
            layers.LSTM(UNITS),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy")
    return model, TOKENS, (TOKENS.sum(axis=1) % 2).astype("float32")


def bidirectional_tagger():
    """A tag for every word, read from both sides."""
    words = keras.Input((LENGTH,), dtype="int32")
    x = layers.Embedding(WORDS, 6, mask_zero=True)(words)
    x = layers.Bidirectional(layers.GRU(UNITS, return_sequences=True))(x)
    tags = layers.TimeDistributed(layers.Dense(4, activation="softmax"))(x)
    model = keras.Model(words, tags)
    model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy")
    return model, TOKENS, TOKENS % 4


def encoder_decoder():
    """Characters to characters: the encoder's two states are the decoder's first ones."""
    source = keras.Input((LENGTH, 5))
    _, h, c = layers.LSTM(UNITS, return_state=True)(source)
    target = keras.Input((LENGTH, 7))
    y, _, _ = layers.LSTM(UNITS, return_sequences=True, return_state=True)(target, initial_state=[h, c])
    model = keras.Model([source, target], layers.Dense(7, activation="softmax")(y))
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    x = RNG.normal(size=(ROWS, LENGTH, 5)).astype("float32")
    ids = RNG.integers(0, 7, (ROWS, LENGTH + 1))
    return model, [x, np.eye(7, dtype="float32")[ids[:, :-1]]], np.eye(7, dtype="float32")[ids[:, 1:]]


def stateful_characters():
    """A text in windows, the state carried from one to the next, and a vanilla layer on top."""
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(8, LENGTH), dtype="int32"),
            layers.Embedding(WORDS, 6),
            layers.GRU(UNITS, return_sequences=True, stateful=True),
            layers.SimpleRNN(UNITS, return_sequences=True, stateful=True),
            layers.Dense(WORDS),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, TOKENS, (TOKENS * 7 + 1) % WORDS


EXAMPLES = {function.__name__: function for function in (stacked_classifier, bidirectional_tagger, encoder_decoder, stateful_characters)}


@pytest.fixture(params=EXAMPLES)
def example(request):
    keras.utils.set_random_seed(1)
    return EXAMPLES[request.param]()


def test_it_predicts_the_same_and_learns_by_the_same_curve(example):
    model, x, y = example
    copy = suite.convert(model)
    assert all(verdict.becomes for verdict in verdicts(model))
    batch = 8
    first = copy.predict(x, batch_size=batch, verbose=0)
    np.testing.assert_allclose(first, model.predict(x, batch_size=batch, verbose=0), atol=1e-5)
    assert [weight.shape for weight in copy.weights] == [weight.shape for weight in model.weights]
    curves = []
    for one in (model, copy):
        for layer in one.layers:
            if getattr(layer, "stateful", False):
                layer.reset_states()
        keras.utils.set_random_seed(2)
        curves.append(one.fit(x, y, epochs=3, batch_size=batch, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(curves[1], curves[0], atol=1e-3)
    assert curves[0][-1] < curves[0][0]
    assert not np.allclose(copy.predict(x, batch_size=batch, verbose=0), first, atol=1e-3)  # it did learn


def test_the_copy_is_compiled_alike_and_the_original_is_left_alone():
    model, x, y = stacked_classifier()
    before = model.get_weights()
    copy = suite.convert(model)
    assert type(copy.optimizer) is type(model.optimizer)
    copy.fit(x, y, epochs=1, verbose=0)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_converted_model_is_saved_and_loaded(tmp_path):
    model, x, _ = bidirectional_tagger()
    copy = suite.convert(model)
    copy.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)


def test_a_layer_used_twice_stays_one_layer():
    shared = layers.GRU(UNITS)
    one, two = keras.Input((LENGTH, 3)), keras.Input((LENGTH, 3))
    model = keras.Model([one, two], layers.Dense(1)(layers.concatenate([shared(one), shared(two)])))
    copy = suite.convert(model)
    assert len(verdicts(model)) == 1
    x = [RNG.normal(size=(4, LENGTH, 3)).astype("float32") for _ in range(2)]
    np.testing.assert_allclose(copy.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)
    assert len(copy.weights) == len(model.weights)


LEFT = {
    "dropout": (layers.LSTM(4, dropout=0.5), "the suite's layers have no dropout"),
    "regulariser": (layers.GRU(4, kernel_regularizer="l2"), "the suite's layers have no kernel_regularizer"),
    "no bias": (layers.SimpleRNN(4, use_bias=False), "always learn a bias"),
    "activation": (layers.LSTM(4, activation="elu"), "activation must be one of linear, relu, sigmoid, tanh, it is elu"),
    "gate activation": (layers.GRU(4, recurrent_activation="hard_sigmoid"), "recurrent_activation must be sigmoid"),
    "cells": (layers.RNN(layers.LSTMCell(4)), "RNN over cells of its own"),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_cannot_be_converted_is_left_with_a_word(case):
    layer, why = LEFT[case]
    model = keras.Sequential([keras.Input((5, 3)), layer])
    (verdict,) = verdicts(model)
    assert not verdict.becomes
    assert why in verdict.why
    with pytest.warns(UserWarning, match=f"left as they are: {layer.name}"):
        copy = suite.convert(model)
    assert type(copy.layers[0]) is type(layer)
    with pytest.raises(ValueError, match="cannot be converted"):
        suite.convert(model, strict=True)


def test_what_is_no_plain_model_is_refused_with_a_word():
    class Own(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(TypeError, match="expected a Keras model, got int"):
        suite.convert(3)
    with pytest.raises(ValueError, match=r"code of its own: use suite\.layers"):
        suite.convert(Own())
    with pytest.raises(ValueError, match="has no weights yet"):
        suite.convert(keras.Sequential([layers.LSTM(3)]))
