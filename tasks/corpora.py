"""The corpora that the tasks read: addresses, sizes, hashes and terms."""

from suite.corpus import Corpus, File

MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist"
UD_EWT = "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/4c89b5833a70aa5ed3a00bad2f23f57992cc7df8"

CORPORA: dict[str, Corpus] = {
    "mnist": Corpus(
        name="mnist",
        files=tuple(
            File(name=name, size=size, sha256=sha256, url=f"{MNIST}/{name}")
            for name, size, sha256 in (
                ("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
                ("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
                ("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
                ("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
            )
        ),
        licence="CC BY-SA 3.0",
        source="LeCun, Bottou, Bengio & Haffner (1998), doi:10.1109/5.726791; yann.lecun.com/exdb/mnist",
    ),
    "tinyshakespeare": Corpus(
        name="tinyshakespeare",
        files=(
            File(
                name="input.txt",
                size=1_115_394,
                sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
                url="https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
            ),
        ),
        licence="public domain",
        source="Karpathy (2015), github.com/karpathy/char-rnn",
    ),
    "ud-english-ewt": Corpus(
        name="ud-english-ewt",
        files=tuple(
            File(name=name, size=size, sha256=sha256, url=f"{UD_EWT}/{name}")
            for name, size, sha256 in (
                ("en_ewt-ud-train.conllu", 14_203_025, "3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b"),
                ("en_ewt-ud-dev.conllu", 1_805_545, "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6"),
                ("en_ewt-ud-test.conllu", 1_804_515, "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd"),
            )
        ),
        licence="CC BY-SA 4.0",
        source="Silveira et al. (2014), Universal Dependencies English EWT r2.16, github.com/UniversalDependencies/UD_English-EWT",
    ),
}
