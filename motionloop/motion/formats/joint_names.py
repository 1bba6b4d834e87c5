"""Which joint of a foreign skeleton is which SMPL joint: by its name, else by the tree's form.

Names are compared without prefixes, separators and capitals. The table covers the mocap
convention (CMU, LAFAN1, Mixamo: LeftUpLeg), anatomical names (XSens, 100STYLE: RightKnee),
Bandai-Namco (UpperLeg_L), Blender (thigh.L), Unreal (calf_l), Biped (Bip01 L Thigh), Daz
(lShin), MVN (LeftLowerLeg) and SMPL's own (L_Hip).
"""

import re
from collections.abc import Sequence

import numpy as np

from motionloop.samples import InputError

# What a joint is, and the names that it goes by; where two columns claim one name, the
# file's other joints decide (see _ROLES_IN_CONTEXT).
_LIMB_NAMES = {
    "hip": ("upleg", "upperleg", "thigh", "uleg", "femur", "upleg1", "hip", "hipjoint"),
    "knee": ("leg", "lowerleg", "lowleg", "loleg", "lleg", "shin", "calf", "knee", "tibia"),
    "ankle": ("foot", "ankle", "feet"),
    "foot": ("toe", "toes", "toebase", "toe0", "ball", "toe1", "foottoe"),
    "collar": ("collar", "clavicle", "clavicula", "shoulder", "shoulderblade"),
    "shoulder": ("arm", "upperarm", "uparm", "uarm", "shldr", "humerus", "shldrbend", "shoulder"),
    "elbow": (
        "forearm",
        "lowerarm",
        "lowarm",
        "loarm",
        "farm",
        "elbow",
        "radius",
        "larm",
        "forearmbend",
    ),
    "wrist": ("hand", "wrist"),
}
_CENTRE_NAMES = {
    "pelvis": ("hips", "pelvis", "hip", "bip01", "root", "torso"),
    "neck": ("neck", "neck0", "neck1", "lowerneck", "necklower"),
    "head": ("head", "skull"),
}
# With this joint in the file, the name on the left means the role on the right.
_ROLES_IN_CONTEXT = (
    ("shoulder", ("arm", "upperarm", "uparm", "uarm", "humerus", "shldr"), "collar"),
    ("shoulder", ("collar", "clavicle", "clavicula", "elbow"), "shoulder"),
    ("foot", ("ankle",), "foot"),
    ("hand", ("wrist",), None),
    ("leg", ("shin",), "hip"),
    ("hip", ("upleg", "upperleg", "thigh", "uleg", "femur"), None),
    ("hipjoint", ("upleg", "upperleg", "thigh", "uleg", "femur"), None),
)
_SIDE = re.compile(
    r"^(?P<front>left|right|[lr](?=[\s_.\-:]|(?-i:[A-Z])))?[\s_.\-]*(?P<core>.*?)"
    r"(?:[\s_.\-]*(?P<back>left|right)|[\s_.\-]+(?P<letter>[lr]))?$",
    re.IGNORECASE,
)
_REQUIRED = tuple(
    f"{side}_{part}"
    for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
    for side in ("left", "right")
)


def match_joints(
    names: Sequence[str], parents: Sequence[int], positions: np.ndarray | None = None
) -> dict[str, int]:
    """Indices of the joints that stand for SMPL joints, by SMPL joint name.

    Always present: pelvis, spine3 (the joint that carries the arms), hips, knees, ankles,
    shoulders, elbows, wrists. Present where the skeleton has them: collars, feet (the toe
    joint, else the End Site of the ankle), neck, head.

    Args:
        names: joint names.
        parents: index of every joint's parent, -1 for the root, parents first.
        positions: (T, J, 3) joint positions, z up; used only when the names say nothing, to
            tell left from right by where the toes point.

    Raises:
        InputError: names which joints have no counterpart and what the skeleton holds.
    """
    found = _by_name(names, parents)
    missing = [joint for joint in _REQUIRED if joint not in found]
    if missing and positions is not None:
        found = _by_form(parents, positions) or found
        missing = [joint for joint in _REQUIRED if joint not in found]
    if missing:
        raise InputError(
            f"no joint of the skeleton could be matched to {', '.join(missing)}; "
            f"it holds {', '.join(names)}. Rename them to the likes of LeftUpLeg, LeftLeg, "
            "LeftFoot, LeftArm, LeftForeArm, LeftHand"
        )
    return _completed(found, names, parents)


def _by_name(names: Sequence[str], parents: Sequence[int]) -> dict[str, int]:
    """What the names alone tell; of several joints of one role the one nearest the root."""
    split = [_side_and_core(name) for name in names]
    cores = {core for side, core in split if side}
    roles: dict[str, str | None] = {
        name: role for role, known in _LIMB_NAMES.items() for name in known
    }
    for name, others, role in reversed(_ROLES_IN_CONTEXT):
        if cores & set(others):
            roles[name] = role
    found: dict[str, int] = {}
    for j, (side, core) in enumerate(split):
        if names[j].endswith("_end"):
            continue
        if side and roles.get(core):
            found.setdefault(f"{side}_{roles[core]}", j)
        elif not side:
            for role, known in _CENTRE_NAMES.items():
                if core in known and (role != "pelvis" or core in ("hips", "pelvis", "hip")):
                    found.setdefault(role, j)
    for side in ("left", "right"):  # a limb is one chain; a name outside of it is no counterpart
        for chain in (("hip", "knee", "ankle", "foot"), ("shoulder", "elbow", "wrist")):
            for upper, lower in zip(chain, chain[1:]):
                u, low = found.get(f"{side}_{upper}"), found.get(f"{side}_{lower}")
                if u is not None and low is not None and u not in _ancestors(low, parents):
                    del found[f"{side}_{lower}"]
    return found


def _side_and_core(name: str) -> tuple[str, str]:
    """A joint's side ("left", "right" or "") and its bare name, in small letters."""
    bare = re.split(r"[:|]", name)[-1]
    bare = re.sub(r"^(mixamorig\d*|bip\d*|def|org|mvn|skeleton\d*)[\s_.\-]+", "", bare, flags=re.I)
    bare = re.sub(r"^mixamorig\d*(?=[A-Z])", "", bare)
    match = _SIDE.match(bare)
    if match is None:
        return "", bare.lower()
    side = (match["front"] or match["back"] or match["letter"] or "").lower()
    side = {"l": "left", "r": "right"}.get(side, side)
    return side, re.sub(r"[\s_.\-]", "", match["core"]).lower()


def _ancestors(joint: int, parents: Sequence[int]) -> list[int]:
    """All joints above `joint`, nearest first."""
    chain = []
    while parents[joint] >= 0:
        joint = parents[joint]
        chain.append(joint)
    return chain


def _children(parents: Sequence[int]) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in parents]
    for j, parent in enumerate(parents):
        if parent >= 0:
            children[parent].append(j)
    return children


def _completed(found: dict[str, int], names: Sequence[str], parents: Sequence[int]):
    """The match with pelvis, chest, neck, head, collars and toes read off the tree."""
    found = dict(found)
    legs = [_ancestors(found[f"{side}_hip"], parents) for side in ("left", "right")]
    arms = [_ancestors(found[f"{side}_shoulder"], parents) for side in ("left", "right")]
    pelvis = next((j for j in legs[0] if j in legs[1]), None)
    chest = next((j for j in arms[0] if j in arms[1]), None)
    if pelvis is None or chest is None:
        raise InputError(f"the two legs or arms hang on no common joint among {', '.join(names)}")
    found["pelvis"], found["spine3"] = pelvis, chest
    children = _children(parents)
    for side in ("left", "right"):
        above = parents[found[f"{side}_shoulder"]]
        if above == chest:
            found.pop(f"{side}_collar", None)
        else:
            found[f"{side}_collar"] = above
        if f"{side}_foot" not in found and children[found[f"{side}_ankle"]]:
            found[f"{side}_foot"] = children[found[f"{side}_ankle"]][0]
    for name in ("neck", "head"):
        if name in found and chest not in _ancestors(found[name], parents):
            del found[name]
    return found


def _by_form(parents: Sequence[int], positions: np.ndarray) -> dict[str, int] | None:
    """The match by the tree: two legs from one joint, two arms and a head from a higher one."""
    children = _children(parents)
    size = [1] * len(parents)
    for j in range(len(parents) - 1, 0, -1):
        size[parents[j]] += size[j]
    hubs = [j for j, below in enumerate(children) if sum(size[c] >= 3 for c in below) >= 3]
    if not hubs:
        return None
    pelvis = hubs[0]
    trunk = max(children[pelvis], key=lambda c: size[c])
    chest = next((j for j in hubs[1:] if trunk == j or trunk in _ancestors(j, parents)), None)
    if chest is None:
        chest = next((j for j in hubs[1:]), None)
    legs = sorted((c for c in children[pelvis] if c != trunk), key=lambda c: -size[c])[:2]
    if chest is None or len(legs) < 2:
        return None
    branches = sorted(children[chest], key=lambda c: -size[c])
    head = max(branches[:3], key=lambda c: _height_of_tip(c, children, positions))
    arms = [c for c in branches[:3] if c != head]
    leg_chains = [_chain(leg, children) for leg in legs]
    arm_chains = [_chain(arm, children) for arm in arms]
    if len(arms) < 2 or min(map(len, leg_chains)) < 3 or min(map(len, arm_chains)) < 3:
        return None
    up = np.array([0.0, 0.0, 1.0])
    toes = sum(positions[:, c[min(3, len(c) - 1)]] - positions[:, c[2]] for c in leg_chains)
    left = np.cross(up, toes)
    found = {"pelvis": pelvis, "neck": head}
    if size[head] > 1 and children[head]:
        found["head"] = children[head][0]
    for chains, parts in (
        (leg_chains, ("hip", "knee", "ankle", "foot")),
        (arm_chains, ("shoulder", "elbow", "wrist")),
    ):
        chains = [c[1:] if len(parts) == 3 and len(c) > 3 else c for c in chains]
        across = positions[:, chains[0][0]] - positions[:, chains[1][0]]
        first_is_left = float((across * left).sum()) > 0
        for chain, side in zip(chains, ("left", "right") if first_is_left else ("right", "left")):
            found.update({f"{side}_{part}": j for part, j in zip(parts, chain)})
    return found


def _chain(joint: int, children: list[list[int]]) -> list[int]:
    """The joints from `joint` down to the first branching or the tip."""
    chain = [joint]
    while len(children[chain[-1]]) == 1:
        chain.append(children[chain[-1]][0])
    return chain


def _height_of_tip(joint: int, children: list[list[int]], positions: np.ndarray) -> float:
    """Mean height of the end of a branch, m."""
    return float(positions[:, _chain(joint, children)[-1], 2].mean())
