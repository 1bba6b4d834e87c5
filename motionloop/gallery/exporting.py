"""Which scenes of a gallery go on an exported page."""

from dataclasses import dataclass

from motionloop.gallery.catalogue import Clips, Kind
from motionloop.gallery.choice import Choice, Gallery
from motionloop.gallery.ranking import Order
from motionloop.samples import InputError
from motionloop.viewer.web.scene import Scene


@dataclass(frozen=True)
class Selection:
    """What of a run is exported.

    Attributes:
        generations: which ones; None takes all.
        kind: which samples of a generation.
        order: the first ones in this order are taken.
        clips: so many of every generation.
    """

    generations: tuple[int, ...] | None = None
    kind: Kind = "synthetic"
    order: Order = "number"
    clips: int = 8


def scenes_of(gallery: Gallery, selection: Selection) -> tuple[list[Scene], list[str]]:
    """The scenes, and what was left out and why.

    Several sources stand beside each other in a scene; generations that one lacks are left out.

    Raises:
        InputError: nothing is left to show.
    """
    names, problems = list(gallery.sources), []
    if all(isinstance(source, Clips) for source in gallery.sources.values()):
        columns = tuple((name, 0) for name in names)
        return _of(gallery, columns, selection, problems), problems
    shared: list[int] | None = None
    for source in gallery.sources.values():
        found, wrong = source.generations()
        problems += wrong
        if not isinstance(source, Clips):
            shared = found if shared is None else [g for g in shared if g in found]
    wanted = shared or []
    if selection.generations is not None:
        missing = sorted(set(selection.generations) - set(wanted))
        if missing:
            raise InputError(f"there is no generation {missing[0]}; there are {wanted or 'none'}")
        wanted = list(selection.generations)
    elif selection.kind == "synthetic":
        wanted = [g for g in wanted if g > 0]
    scenes = []
    for generation in wanted:
        columns = tuple(
            (name, 0 if isinstance(source, Clips) else generation)
            for name, source in gallery.sources.items()
        )
        scenes += _of(gallery, columns, selection, problems)
    if not scenes:
        reasons = "; ".join(problems) or "no generation has samples of this kind yet"
        raise InputError(f"nothing to export: {reasons}")
    return scenes, problems


def _of(
    gallery: Gallery,
    columns: tuple[tuple[str, int], ...],
    selection: Selection,
    problems: list[str],
) -> list[Scene]:
    """The scenes of one generation, fewer than asked for where it has fewer samples."""
    scenes = []
    try:
        for place in range(selection.clips):
            choice = Choice(columns, selection.kind, order=selection.order, place=place)
            chosen = gallery.choose(choice)
            if place >= chosen.count:
                break
            scenes.append(chosen.scene)
    except InputError as error:
        problems.append(str(error))
    return scenes
