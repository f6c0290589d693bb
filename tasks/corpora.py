"""The corpora that the tasks read: addresses, sizes, hashes and terms."""

from suite.corpus import Corpus, File

MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw"

CORPORA: dict[str, Corpus] = {
    "multi30k": Corpus(
        name="multi30k",
        files=tuple(
            File(name=name, size=size, sha256=sha256, url=f"{MULTI30K}/{name}")
            for name, size, sha256 in (
                ("train.en.gz", 568_929, "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f"),
                ("train.de.gz", 637_044, "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6"),
                ("val.en.gz", 21_650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
                ("val.de.gz", 24_681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
                ("test_2016_flickr.en.gz", 21_077, "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9"),
                ("test_2016_flickr.de.gz", 22_890, "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8"),
            )
        ),
        licence="research use",
        source="Elliott et al. (2016), arXiv:1605.00459, github.com/multi30k/dataset",
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
}
