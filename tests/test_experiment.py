"""Laws of configuration: every config builds, and every mistake is named with a remedy."""

import pytest

from motionloop import experiment
from motionloop.samples import InputError


@pytest.mark.parametrize("name", experiment.shipped_configs())
def test_every_config_builds_and_its_resolved_text_gives_the_same_experiment(tmp_path, name):
    built = experiment.load(name)
    path = tmp_path / "config.yaml"
    path.write_text(built.text)
    again = experiment.load(str(path))
    assert again == built
    assert again.name == name


def config(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task: {name: gaussian}\nloop: {syntetic_ratio: 1}", "did you mean 'synthetic_ratio'"),
        ("task: {name: gaussian}\nlop: {generations: 1}", "did you mean 'loop'"),
        ("task: {name: gausian}", "did you mean 'gaussian'"),
        ("task: {name: gaussian}\nloop: {generations: many}", "loop.generations.*many"),
        ("task: {name: gaussian}\nloop: {generations: -1}", "loop.generations is -1"),
        ("task: {name: gaussian}\nloop: {workflow: replce}", "workflow.*replce"),
        ("task: {name: gaussian}\ntask.corrector.gamma: -1", "gamma is -1"),
        ("task: {name: gaussian}\nsweep: {over: {task.corrector.gama: [1]}}", "mean 'gamma'"),
        ("task: {name: gaussian}\nsweep: {over: {task.corrector.gamma: [x]}}", "gamma.*x"),
        ("task: {name: gaussian}\nsweep: {seeds: 0}", "sweep.seeds is 0"),
        (
            "task: {name: gaussian}\nsweep: {over: {loop.steps: [1]}, arms: {a: {loop.steps: 2}}}",
            "the arm 'a' and sweep.over both set loop.steps",
        ),
        ("loop: {}", "task.name"),
        ("- a list", "sections"),
        ("task: {name: [", "not YAML"),
    ],
)
def test_a_mistake_in_a_config_is_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        experiment.load(config(tmp_path, text))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--loop.syntetic_ratio", "1"], "did you mean 'synthetic_ratio'"),
        (["--generatons", "1"], "did you mean 'generations'"),
        (["--generations", "many"], "loop.generations.*many"),
        (["--gamma=-1"], "gamma is -1"),
        (["--loop.generations"], "generations"),
        (["surplus"], "surplus"),
    ],
)
def test_a_mistake_on_the_command_line_is_named(arguments, message):
    with pytest.raises(InputError, match=message):
        experiment.load("gaussian", arguments)


def test_an_unknown_config_is_named_with_the_nearest_one():
    with pytest.raises(InputError, match="did you mean 'gaussian'"):
        experiment.load("gausian")


def test_a_setting_has_a_short_and_a_full_name_and_infinity_a_plain_one():
    short = experiment.load("gaussian", ["--gamma", "inf", "--seed=3"])
    full = experiment.load("gaussian", ["--task.corrector.gamma", ".inf", "--loop.seed", "3"])
    assert short == full
    assert short.task.corrector.gamma == float("inf")
    assert short.loop.seed == 3


def test_one_setting_changes_by_its_dotted_name_and_nothing_else():
    one = experiment.load("gaussian")
    other = one.with_setting("task.corrector.gamma", 7.0)
    assert other.task.corrector.gamma == 7.0
    assert other.loop == one.loop
    assert one.task.corrector.gamma != 7.0


def test_a_value_on_the_command_line_takes_the_place_of_those_swept_over():
    one = experiment.load("kazdan_gaussian", ["--workflow", "replace"])
    assert one.loop.workflow == "replace"
    assert list(one.sweep.over) == ["task.count"]
    over = "--sweep.over={loop.workflow: [replace, accumulate]}"
    with pytest.raises(InputError, match="workflow has one value and several"):
        experiment.load("gaussian", ["--workflow", "replace", over])
