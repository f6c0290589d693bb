"""The ladder of architectures: in which order a reader meets them, and what each rung adds to the one below."""

from typing import NamedTuple


class Chapter(NamedTuple):
    """One rung: its title, what to look for, and the files of `suite.layers` that it goes through."""

    title: str
    introduction: str
    files: tuple[str, ...]
    parts: tuple[str, ...] = ()  # classes that several of its layers are made of


WIRED = "Encoder-decoders"  # of every architecture that serves sequences alone
BASELINES = "Trained baselines"  # of every architecture whose role it is

CHAPTERS = (
    Chapter(
        "Simple recurrent networks",
        """A recurrent network reads a row one step at a time and keeps one vector, its state. The gradient of a late error with
respect to an early state is a product of one Jacobian a step: where their norms are below one it vanishes, where they are above it
explodes. Everything further down is an answer to this product. Already here it can be changed without a gate: by the activation,
by how the recurrent matrix begins (orthogonal, identity), or by leaving of that matrix only its diagonal.""",
        ("elman",),
    ),
    Chapter(
        "Gates",
        """A gate is a number between 0 and 1, computed from the input and the state, that says how much is kept. Where it keeps, the
state is carried over by a product with nearly one, and so is its gradient: what a network remembers and for how long becomes
something that it can learn. The LSTM keeps a second state, c, that no matrix multiplies; the GRU does with one. How a gate's bias
begins decides how long a fresh network remembers, and costs nothing: compare the presets.""",
        ("lstm", "gru"),
    ),
    Chapter(
        "Relatives of the LSTM and the GRU",
        """Which part of a gated cell matters? Take one away, or add one, and leave the rest. Some were designed, some found by search;
some drop a gate to be smaller, some make the gates exponential. The last one is a wrapper: two cells, one from each end.""",
        ("peephole", "lstm_relatives", "gru_relatives", "found", "sru", "slstm", "bidirectional"),
    ),
    Chapter(
        "Orthogonal matrices, differential equations, clocks",
        """Instead of a gate, the recurrent map itself can be made to neither shrink nor stretch: an orthogonal matrix keeps the length of
every vector, and so of every gradient. A small step along a differential equation that neither decays nor grows comes to the same.
A clock keeps a unit as it is between its ticks. None of these forgets by itself, which is their strength on long delays and their
weakness where most of the input is noise.""",
        ("orthogonal", "antisymmetric", "oscillators", "clockwork"),
    ),
    Chapter(
        "Linear recurrences and state spaces",
        """If no gate reads the state, a step is linear in the state, h' = a * h + b, and all steps can be solved at once: training is
parallel over time, and decoding still costs one step a step. What is lost is what a nonlinear state can compute; what is won is
speed, and gradients that are products of known numbers. First the state is a vector, whose factors a are fixed or read off the input;
then it is a matrix, written to by keys and read by queries, which is attention whose past has a fixed size. An eigenvalue below zero
is what counting modulo two needs: compare the two DeltaNets on parity.""",
        (
            "minimal",
            "qrnn",
            "lru",
            "s4d",
            "s5",
            "mamba",
            "linear_attention",
            "retention",
            "mlstm",
            "delta_net",
            "rwkv",
        ),
    ),
    Chapter(
        "Attention",
        """Attention keeps everything and looks things up: each step asks a question of all the others, and the path of a gradient has
length one whatever the distance. The price grows with the square of the row, and what has to be kept to go on grows with it. By
itself it does not know the order of what it sees, so it is told the places, or, in the hybrid, a recurrent layer tells them.""",
        ("transformer", "hybrid"),
        (
            "suite.layers.attention_block:Attention",
            "suite.layers.attention_block:FeedForward",
            "suite.layers.attention_block:Block",
            "suite.layers.transformer:Entry",
        ),
    ),
    Chapter(
        "Convolutions",
        """A convolution sees a window of fixed length; dilated ones on top of each other double it level by level. What is outside is not
forgotten but never seen: a row that is longer than this field is refused.""",
        ("tcn", "convolution"),
    ),
    Chapter(
        WIRED,
        """One network reads a source, another writes a target of another length. At first a single vector stands between the two, however
long the source is; attention lets every step of the target look back at all of it. Every cell above that carries a state is an
encoder-decoder on such tasks too, joined by its states; here stand those that differ by what joins them.""",
        ("encoder_decoder_transformer",),
        ("suite.alignment:Alignment",),
    ),
    Chapter(
        BASELINES,
        """What can be had without order, without memory, or without training? A number says little before it stands beside these. They are
tuned and counted like all others. (Those that are fitted and not trained, majority, n-gram, persistence, belong to the tasks.)""",
        ("bag", "pooled", "convolution", "positional", "reservoir"),
    ),
)
