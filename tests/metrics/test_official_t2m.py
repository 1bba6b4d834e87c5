"""The official evaluator, with random weights in the published layout: read, run, refuse code."""

import pickle

import numpy as np
import pytest
import torch
from made_motions import make_motions
from torch.nn import functional

from motionloop.metrics.official_t2m import OfficialT2MEvaluator
from motionloop.metrics.t2m_words import CLASSES, tagged, word_class
from motionloop.metrics.text_motion_metrics import load_evaluator
from motionloop.motion.formats import humanml3d
from motionloop.samples import InputError
from physics.skeleton import REST_TO_WORLD

WORDS = ["sos", "eos", "unk", "a", "person", "walk", "slowly"]


def _recurrent(width: int, hidden: int, tags: int = 0) -> dict[str, torch.Tensor]:
    gru = torch.nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
    named = {f"gru.{key}": tensor for key, tensor in gru.state_dict().items()}
    layers = {
        "input_emb": (hidden, width),
        "output_net.0": (hidden, 2 * hidden),
        "output_net.3": (512, hidden),
    } | ({"pos_emb": (width, tags)} if tags else {})
    for name, shape in layers.items():
        named[f"{name}.weight"] = torch.randn(shape) / shape[1] ** 0.5
        named[f"{name}.bias"] = torch.randn(shape[0]) * 0.1
    named["output_net.1.weight"], named["output_net.1.bias"] = (
        torch.ones(hidden),
        torch.ones(hidden),
    )
    return named | {"hidden": torch.randn(2, 1, hidden)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files as they are published, with random numbers in them."""
    torch.manual_seed(0)
    home = tmp_path_factory.mktemp("t2m")
    for name in ("model", "glove", "texts", "meta"):
        (home / name).mkdir()
    movement = {}
    for name, shape in (
        ("main.0", (512, 259, 4)),
        ("main.3", (512, 512, 4)),
        ("out_net", (512, 512)),
    ):
        movement[f"{name}.weight"] = torch.randn(shape) / np.prod(shape[1:]) ** 0.5
        movement[f"{name}.bias"] = torch.randn(shape[0]) * 0.1
    torch.save(
        {
            "movement_encoder": movement,
            "motion_encoder": _recurrent(512, 1024),
            "text_encoder": _recurrent(300, 512, 15),
            "epoch": 3,
        },
        home / "model" / "finest.tar",
    )
    rng = np.random.default_rng(0)
    np.save(home / "glove" / "our_vab_data.npy", rng.normal(size=(len(WORDS), 300)))
    for name, value in (("words", WORDS), ("idx", {w: n for n, w in enumerate(WORDS)})):
        (home / "glove" / f"our_vab_{name}.pkl").write_bytes(pickle.dumps(value))
    np.save(home / "meta" / "mean.npy", 0.1 * rng.normal(size=263))
    np.save(home / "meta" / "std.npy", rng.uniform(0.5, 1.5, 263))
    (home / "texts" / "000000.txt").write_text(
        "a person walks slowly.#a/DET person/NOUN walk/VERB slowly/ADV#0.0#0.0\n"
    )
    return home


@pytest.fixture(scope="module")
def official(folder):
    return load_evaluator(folder)


def _plain_recurrent(weights, x):
    """One sequence (L, W) without packing or batching."""
    hidden = weights["hidden"].shape[-1]
    gru = torch.nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
    gru.load_state_dict({k[4:]: v for k, v in weights.items() if k.startswith("gru.")})
    x = functional.linear(x, weights["input_emb.weight"], weights["input_emb.bias"])
    _, last = gru(x[None], weights["hidden"])
    y = functional.linear(
        last.flatten(), weights["output_net.0.weight"], weights["output_net.0.bias"]
    )
    y = functional.layer_norm(
        y, y.shape, weights["output_net.1.weight"], weights["output_net.1.bias"]
    )
    y = functional.leaky_relu(y, 0.2)
    return functional.linear(y, weights["output_net.3.weight"], weights["output_net.3.bias"])


def test_motion_features_are_those_of_the_plain_formula(official, folder, body):
    motions = make_motions(np.random.default_rng(0), 3, frames=46)
    joints = body.joints(motions)
    length = np.array([46, 30, 41])
    found = official.motions(joints, length, 20.0)
    weights = torch.load(folder / "model" / "finest.tar", weights_only=True)
    move = weights["movement_encoder"]
    mean, std = np.load(folder / "meta" / "mean.npy"), np.load(folder / "meta" / "std.npy")
    for n in range(3):
        rows = humanml3d.features(joints[n, : length[n], :22] @ REST_TO_WORLD)
        kept = len(rows) // 4 * 4
        x = np.zeros((196, 263))
        x[:kept] = ((rows - mean) / std)[:kept]
        x = torch.tensor(x[:, :259], dtype=torch.float32).T[None]
        for layer in ("main.0", "main.3"):
            x = functional.conv1d(x, move[f"{layer}.weight"], move[f"{layer}.bias"], 2, 1)
            x = functional.leaky_relu(x, 0.2)
        x = functional.linear(x[0].T, move["out_net.weight"], move["out_net.bias"])
        with torch.no_grad():
            wanted = _plain_recurrent(weights["motion_encoder"], x[: kept // 4])
        np.testing.assert_allclose(found[n], wanted, atol=1e-4)


def test_caption_features_are_those_of_the_tagged_words(official, folder):
    text = "a person walks slowly."
    found = official.captions([text, text])[0]
    weights = torch.load(folder / "model" / "finest.tar", weights_only=True)["text_encoder"]
    glove = torch.tensor(np.load(folder / "glove" / "our_vab_data.npy"), dtype=torch.float32)
    words = ["sos", "a", "person", "walk", "slowly", "eos"]
    kinds = ["OTHER", "DET", "NOUN", "Act_VIP", "Desc_VIP", "OTHER"]  # lists go before tags
    one = torch.eye(len(CLASSES))[[CLASSES.index(kind) for kind in kinds]]
    tags = functional.linear(one, weights["pos_emb.weight"], weights["pos_emb.bias"])
    with torch.no_grad():
        wanted = _plain_recurrent(weights, glove[[WORDS.index(w) for w in words]] + tags)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_captions_beyond_the_texts_are_guessed_with_a_warning(official):
    with pytest.warns(UserWarning, match="1 captions, such as 'a person walks'"):
        assert official.captions(["a person walks", "a person walks slowly."]).shape == (2, 512)
    assert tagged("A person walks") == ["a/DET", "person/OTHER", "walk/OTHER"]
    assert word_class("walk", "NOUN") == "Act_VIP"
    assert word_class("table", "NOUN") == "NOUN"
    assert word_class("table", "X") == "OTHER"


def test_a_missing_file_and_a_pickle_with_code_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match=r"finest\.tar"):
        OfficialT2MEvaluator.load(tmp_path)
    for path in folder.rglob("*.*"):
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "our_vab_words.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(InputError, match="might run code"):
        OfficialT2MEvaluator.load(tmp_path)


def test_a_motion_that_is_too_short_is_named(official, body):
    motions = make_motions(np.random.default_rng(0), 1, frames=4)
    with pytest.raises(InputError, match="needs 5"):
        official.motions(body.joints(motions), motions.length, 20.0)
