"""Captions from file names, for motion files that carry none."""

import re
from pathlib import Path

# Bandai-Namco-Research-Motiondataset: dataset-{1,2}_{content}_{style}_{id}.
_BANDAI = re.compile(r"^dataset-[12]_(?P<content>[^_]+)_(?P<style>[^_]+)(?:_\d+)?$")
_CONTENTS = {
    "bow": "bows",
    "bye": "waves goodbye",
    "byebye": "waves goodbye again and again",
    "call": "calls someone over",
    "dance-long": "dances for long",
    "dance-short": "dances briefly",
    "dash": "dashes",
    "guide": "shows the way",
    "kick": "kicks",
    "punch": "punches",
    "raise-up-both-hands": "raises both hands",
    "raise-up-left-hand": "raises the left hand",
    "raise-up-right-hand": "raises the right hand",
    "respond": "responds",
    "run": "runs",
    "slash": "slashes",
    "walk": "walks",
    "walk-back": "walks backwards",
    "walk-left": "walks to the left",
    "walk-right": "walks to the right",
    "walk-turn-left": "walks and turns left",
    "walk-turn-right": "walks and turns right",
    "wave-both-hands": "waves both hands",
    "wave-left-hand": "waves the left hand",
    "wave-right-hand": "waves the right hand",
}
_STYLES = {
    "active": "active",
    "angry": "angry",
    "childish": "childish",
    "chimpira": "like a hoodlum",
    "elderly": "elderly",
    "exhausted": "exhausted",
    "feminine": "feminine",
    "giant": "like a giant",
    "happy": "happy",
    "masculine": "masculine",
    "masculinity": "masculine",
    "musical": "musical",
    "normal": "",
    "not-confident": "not confident",
    "old": "old",
    "proud": "proud",
    "sad": "sad",
    "tired": "tired",
    "youthful": "youthful",
}
_NOISE = {"poses", "stageii", "stagei", "mirrored", "motion", "clip", "take", "trial", "bvh"}


def caption_of(path: Path) -> str:
    """A caption from a file's name.

    Bandai-Namco's names become "a person walks, exhausted": what is done stands before the
    comma, the style behind it. Of other names the words are kept, without numbers and
    punctuation; where no word is left, the folder's name serves.
    """
    match = _BANDAI.match(Path(path).stem)
    if match:
        content, style = match["content"], match["style"]
        verb = _CONTENTS.get(content, content.replace("-", " "))
        manner = _STYLES.get(style, style.replace("-", " "))
        return f"a person {verb}" + (f", {manner}" if manner else "")
    return _words(Path(path).stem) or _words(Path(path).parent.name) or "a motion"


def _words(name: str) -> str:
    """The words in a name, in small letters: "walkTurn_Left-02" becomes "walk turn left"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = re.findall(r"[^\W\d_]+", spaced)
    return " ".join(word.lower() for word in words if word.lower() not in _NOISE)
