"""Short stories from a grammar that knows the probability of every story it can tell.

A story is a chain of choices with known weights, and the words between them are fixed. Telling
the story again with its own words finds every choice back, so its probability is exact, and with
it the entropy of the language: what is left above it in a model's cross-entropy is the model's.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from motionloop.samples import InputError

_TIMES = ("morning", "evening", "winter", "summer", "spring", "night")
_NAMES = (
    "Mila", "Tom", "Ada", "Juno", "Pip", "Otto", "Lena", "Bruno", "Ivy", "Max", "Nora", "Theo",
    "Wren", "Hugo", "Zora", "Finn", "Ruth", "Kai", "Olga", "Ben",
)  # fmt: skip
_ANIMALS = ("fox", "mouse", "bear", "owl", "hare", "goat", "otter", "crow", "mole", "swan")
_COLOURS = ("red", "grey", "white", "brown", "golden", "black", "blue", "green")
_THINGS = ("key", "lamp", "boat", "bell", "map", "coat", "drum", "kite", "ring", "book", "shoe")
_PLACES = ("river", "hill", "market", "tower", "forest", "bridge", "garden", "mill", "shore")
_FOODS = ("bread", "soup", "honey", "apples", "cheese", "nuts")
_MOODS = ("happy", "tired", "proud", "sad", "calm", "surprised")
_EVENTS = ("met", "walked", "ate", "asked", "slept")
_NUMBERS = ("one", "two", "three", "many")

Choose = Callable[[Sequence[str]], str]


def _tell(choose: Choose, say: Callable[[str], None]) -> None:
    """Tell one story: `choose` picks words, `say` takes what is fixed."""

    def line(*parts: str | Sequence[str]) -> None:
        for part in parts:
            if isinstance(part, str):
                say(part)
            else:
                choose(part)

    line("One", _TIMES, ",")
    hero = choose(_NAMES)
    line("the", _COLOURS)
    kind = choose(_ANIMALS)
    line("lost a", _COLOURS)
    thing = choose(_THINGS)
    line(".")
    while choose(("At last", "Then")) == "Then":
        line(hero)
        match choose(_EVENTS):
            case "met":
                friend = choose(_NAMES)
                line("the", _ANIMALS, "and", friend, "gave", _FOODS)
            case "walked":
                line("to the", _PLACES)
            case "ate":
                line(_FOODS, "with the", _COLOURS, _ANIMALS)
            case "asked":
                line(_NAMES, "about the", thing)
            case _:
                line(_NUMBERS, "nights at the", _PLACES)
        line(".")
    line(hero, "found the", thing, "at the", _PLACES, "and the", kind, "was", _MOODS, ".")


def _weights(options: Sequence[str]) -> np.ndarray:
    """Zipf's: the k-th option weighs 1 / k."""
    weights = 1 / np.arange(1, len(options) + 1)
    return weights / weights.sum()


def draw_story(rng: np.random.Generator, even: bool = False) -> str:
    """One story; of an even language, all options are equally likely."""
    words: list[str] = []

    def choose(options: Sequence[str]) -> str:
        weights = None if even else _weights(options)
        words.append(options[int(rng.choice(len(options), p=weights))])
        return words[-1]

    _tell(choose, words.append)
    return " ".join(words)


def log_probability(story: str) -> float:
    """The logarithm of a story's probability, nats.

    Raises:
        InputError: the grammar tells no such story.
    """
    rest, total = story + " ", 0.0

    def take(words: str) -> None:
        nonlocal rest
        if not rest.startswith(words + " "):
            raise InputError(f"the grammar tells no such story, at {rest[:30]!r}")
        rest = rest[len(words) + 1 :]

    def choose(options: Sequence[str]) -> str:
        nonlocal total
        for option, weight in zip(options, _weights(options)):
            if rest.startswith(option + " "):
                total += math.log(weight)
                take(option)
                return option
        raise InputError(f"the grammar tells no such story, at {rest[:30]!r}")

    _tell(choose, take)
    if rest:
        raise InputError(f"the grammar tells no such story, at {rest[:30]!r}")
    return total
