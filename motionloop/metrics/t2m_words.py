"""The word classes of the official T2M evaluator: parts of speech, and words that motion hangs on.

Numbers and lists are part of what its weights mean (Guo et al. 2022, published code, MIT licence).
"""

import re

CLASSES = (
    "VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV",
    "Loc_VIP", "Body_VIP", "Obj_VIP", "Act_VIP", "Desc_VIP", "OTHER",
)  # fmt: skip
_LISTED = {
    "Loc_VIP": "left right clockwise counterclockwise anticlockwise forward back backward up down "
    "straight curve",
    "Body_VIP": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "Obj_VIP": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "Act_VIP": "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop "
    "sit lift lower raise wash stand kneel stroll rub bend balance flap jog shuffle lean rotate "
    "spin spread climb",
    "Desc_VIP": "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly",
}
_CLASS_OF = {word: name for name, words in _LISTED.items() for word in words.split()}
_DETERMINERS = {"a", "an", "the", "his", "her", "their", "its"}


def word_class(word: str, tag: str) -> str:
    """The class of a word that is tagged with a part of speech; the lists go before the tag."""
    return _CLASS_OF.get(word) or (tag if tag in CLASSES else "OTHER")


def tagged(caption: str) -> list[str]:
    """A caption's words as "walk/VERB", guessed: for captions without a tagger's word.

    Listed actions lose their ending ("walks" to "walk"); words in no list have no class.
    """
    found = []
    for word in re.findall(r"[a-z]+", caption.lower()):
        stems = [word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ing")]
        stem = next((s for s in stems if s in _CLASS_OF), None)
        if stem is not None:
            found.append(f"{stem}/OTHER")
        else:
            found.append(f"{word}/{'DET' if word in _DETERMINERS else 'OTHER'}")
    return found
