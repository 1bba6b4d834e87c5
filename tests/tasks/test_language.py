"""Laws of the language task: known probabilities, exact cross-entropy, mistakes named."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from motionloop.loop.controller import LoopConfig, run
from motionloop.models.language import LanguageConfig, LanguageModel
from motionloop.models.tokens import texts_of
from motionloop.reporters import SilentReporter
from motionloop.samples import InputError
from motionloop.tasks import language
from motionloop.tasks.language import LanguageTaskConfig
from motionloop.tasks.stories import draw_story, log_probability

pytest.importorskip("transformers")
SMALL = LanguageTaskConfig(
    count=60, held_out=20, longest=50, vocabulary=400,
    model=LanguageConfig(width=16, blocks=1, heads=2, batch=8),
)  # fmt: skip


def test_how_often_a_story_begins_so_is_as_the_weights_say():
    rng = np.random.default_rng(0)
    stories = [draw_story(rng) for _ in range(3000)]
    share = np.mean([story.startswith("One morning") for story in stories])
    assert share == pytest.approx(1 / sum(1 / k for k in range(1, 7)), abs=0.03)


def test_a_storys_probability_is_the_product_of_its_choices():
    story = ("One morning , Mila the red fox lost a red key . "
             "At last Mila found the key at the river and the fox was happy .")  # fmt: skip
    chances = [sum(1 / k for k in range(1, n + 1)) for n in (6, 20, 8, 10, 8, 11, 2, 9, 6)]
    assert log_probability(story) == pytest.approx(-sum(map(math.log, chances)))
    for wrong in ("", "One day", story + " x", story.replace("Mila found", "Tom found")):
        with pytest.raises(InputError, match="no such story"):
            log_probability(wrong)


def test_text_comes_back_from_tokens():
    task = language.build(SMALL, 0)
    vocabulary = language._vocabulary(SMALL, [draw_story(np.random.default_rng(9))])
    tokens = language.tokens_of(["One fox äß .", "a"], vocabulary, 50)
    assert texts_of(tokens, vocabulary) == ["One fox äß .", "a"]
    assert len(task.real) == 60
    assert len(task.reference) == 20


def test_cross_entropy_of_a_model_that_knows_nothing_is_the_log_of_the_vocabulary():
    task = language.build(SMALL, 0)
    model = task.make_model(np.random.default_rng(0))
    assert model.cross_entropy(task.reference) == pytest.approx(math.log(400), rel=0.05)
    before = model.cross_entropy(task.reference)
    model.fit(task.real, 30, np.random.default_rng(0))
    judged = task.model_metrics[0](model)
    assert judged["cross_entropy"] < before - 1
    assert 0 < judged["excess"] < judged["cross_entropy"]


def test_low_temperature_repeats_itself_and_the_same_seed_tells_the_same():
    task = language.build(SMALL, 0)
    model = task.make_model(np.random.default_rng(0))
    model.fit(task.real, 10, np.random.default_rng(0))
    one, again = (model.sample(12, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.ids, again.ids)
    # At a temperature near 0 the likeliest token always wins.
    model.config = LanguageConfig(width=16, blocks=1, heads=2, temperature=0.01)
    cold = model.sample(12, np.random.default_rng(5))
    assert len(np.unique(cold.ids, axis=0)) == 1
    assert len(np.unique(one.ids, axis=0)) == 12
    assert language.distinct(cold, cold)["distinct_1"] < language.distinct(one, one)["distinct_1"]


def test_the_loop_runs_on_texts_and_resumes_exactly(tmp_path):
    loop = LoopConfig(
        generations=2, workflow="accumulate_subsample", regime="scratch", initial_steps=3,
        evaluation_count=4,
    )  # fmt: skip
    whole = run(language.build(SMALL, 0), loop, tmp_path / "a", SilentReporter())
    first = LoopConfig(**{**vars(loop), "generations": 1})
    run(language.build(SMALL, 0), first, tmp_path / "b", SilentReporter())
    assert run(language.build(SMALL, 0), loop, tmp_path / "b", SilentReporter()) == whole
    assert (tmp_path / "a" / "generation_002" / "preview.txt").stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, "no such file"),
        ("empty.txt", b"\n \n", "holds no text"),
        ("picture.txt", b"\xff\xd8\xff", "is not UTF-8 text"),
        ("bad.jsonl", b'{"title": "x"}\n', "field text"),
        ("short.txt", b"one\ntwo\nthree\n", "holds 3 texts, and count \\+ held_out is 80"),
    ],
)
def test_a_text_that_cannot_serve_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        language.build(LanguageTaskConfig(**{**vars(SMALL), "text": path}), 0)


def test_an_epoch_passes_over_every_text_once_whatever_the_steps(monkeypatch):
    task = language.build(SMALL, 0)
    model = task.make_model(np.random.default_rng(0))
    model.config = replace(model.config, epochs=2)
    seen = []

    def loss(data):
        seen.extend(map(tuple, data.ids))
        return LanguageModel._loss(model, data)

    monkeypatch.setattr(model, "_loss", loss)
    model.fit(task.real, 1, np.random.default_rng(0))
    assert sorted(seen) == sorted([*map(tuple, task.real.ids)] * 2)
    with pytest.raises(InputError, match="epochs"):
        LanguageConfig(epochs=-1)


def test_base_weights_know_the_language_and_every_generation_starts_from_them():
    config = replace(SMALL, base_steps=150)
    task, plain = language.build(config, 0), language.build(SMALL, 0)
    one = task.make_model(np.random.default_rng(0))
    known = one.cross_entropy(task.reference)
    assert known < plain.make_model(np.random.default_rng(0)).cross_entropy(task.reference) - 1
    one.fit(task.real, 30, np.random.default_rng(0))
    assert one.cross_entropy(task.reference) < known
    again = task.make_model(np.random.default_rng(1))
    assert again.cross_entropy(task.reference) == known
    with pytest.raises(InputError, match="base_steps"):
        replace(config, text=Path("stories.txt"))


def test_in_an_even_language_all_words_are_equally_likely():
    rng = np.random.default_rng(0)
    stories = [draw_story(rng, even=True) for _ in range(3000)]
    share = np.mean([story.startswith("One morning") for story in stories])
    assert share == pytest.approx(1 / 6, abs=0.03)
    assert all(np.isfinite(log_probability(story)) for story in stories[:20])


def test_a_model_folder_is_read_and_one_without_a_tokenizer_is_named(tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    folder = tmp_path / "gpt"
    GPT2LMHeadModel(
        GPT2Config(vocab_size=400, n_positions=64, n_embd=16, n_layer=1, n_head=2)
    ).save_pretrained(folder)
    config = LanguageTaskConfig(**{**vars(SMALL), "model": LanguageConfig(folder=folder)})
    with pytest.raises(InputError, match="no tokenizer"):
        language.build(config, 0)
    made = language._vocabulary(SMALL, [draw_story(np.random.default_rng(0))] * 50)
    PreTrainedTokenizerFast(tokenizer_object=made._model, eos_token="<end>").save_pretrained(folder)
    task = language.build(config, 0)
    model = task.make_model(np.random.default_rng(0))
    assert model.cross_entropy(task.reference) == pytest.approx(math.log(400), rel=0.05)
    with pytest.raises(InputError, match="no model folder"):
        language.build(
            LanguageTaskConfig(**{**vars(SMALL), "model": LanguageConfig(folder=tmp_path)}), 0
        )
