"""The corpora that the tasks read: addresses, sizes, hashes and terms."""

from suite.corpus import Corpus, File

CORPORA: dict[str, Corpus] = {
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
}
