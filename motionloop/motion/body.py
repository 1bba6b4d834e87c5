"""Body: the skin that a motion moves, as smplx moves SMPL's.

    v = v_template + shapedirs betas;  J = J_regressor v;  skin = linear blend skinning of v

Loper et al., SMPL: A Skinned Multi-Person Linear Model (2015). The shipped body has the same
format and is free (assets/body); a licensed SMPL file can be given instead.
"""

import contextlib
import functools
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from motionloop.motion.body_file import BodyArrays, read_body
from motionloop.motion.motions import Motions
from motionloop.motion.surface_points import contact_vertices, sole_vertices
from motionloop.paths import BODY
from physics.motion import SmplMotion
from physics.skeleton import Skeleton, forward_kinematics, rotation_matrices

SHIPPED = BODY / "motionloop_neutral.npz"
_FRAMES_AT_ONCE = 64  # of the skin; about 60 MB of working memory
_SOLE_POINTS = 16  # on each foot, for the metrics
_NO_LANDMARKS = dict.fromkeys(("nose", "reye", "leye", "rear", "lear"), 0)


class Body:
    """A body model; immutable, caches skeletons by shape."""

    def __init__(self, arrays: BodyArrays, name: str, sha256: str):
        """Take over arrays; use `Body.load`.

        Args:
            arrays: the body model.
            name: the file's name without suffix.
            sha256: the file's digest, for records of what was used.
        """
        self.name = name
        self.sha256 = sha256
        self.faces = np.asarray(arrays.f, dtype=np.int64)
        self._arrays = arrays
        self._template = np.asarray(arrays.v_template, dtype=np.float64)
        self._shapes = np.asarray(arrays.shapedirs, dtype=np.float64)
        self._regressor = np.asarray(arrays.J_regressor, dtype=np.float64)
        self._skeletons: dict[bytes, Skeleton] = {}

    @classmethod
    def load(cls, path: Path | None = None) -> "Body":
        """The shipped body, or the one in an .npz or a licensed SMPL .pkl file.

        Raises:
            InputError: the file is missing, is no SMPL body, or asks for code to be run.
        """
        path = SHIPPED if path is None else Path(path)
        arrays, digest = read_body(path)
        return cls(arrays, path.stem, digest)

    def rest_vertices(self, betas: np.ndarray) -> np.ndarray:
        """The skin (V, 3) in the rest pose of a shape (10,), m."""
        return self._template + self._shapes @ np.asarray(betas, dtype=np.float64)

    def rest_joints(self, betas: np.ndarray) -> np.ndarray:
        """The joints (24, 3) in the rest pose of a shape (10,), m."""
        return self._regressor @ self.rest_vertices(betas)

    def skeleton(self, betas: np.ndarray) -> Skeleton:
        """Rest joints and contact points of a shape (10,), for `physics`."""
        key = np.asarray(betas, dtype=np.float64).tobytes()
        if key not in self._skeletons:
            vertices, carriers = self._contacts
            rest = self.rest_vertices(betas)
            self._skeletons[key] = Skeleton(self._regressor @ rest, rest[vertices], carriers)
        return self._skeletons[key]

    def joints(self, motions: Motions) -> np.ndarray:
        """World joints (N, T, 24, 3) of a batch of motions, m."""
        return np.array(
            [
                forward_kinematics(self.rest_joints(betas), *pose)[0]
                for betas, *pose in zip(
                    motions.betas, motions.transl, motions.global_orient, motions.body_pose
                )
            ]
        ).reshape(len(motions), -1, 24, 3)

    def vertices(self, motion: SmplMotion) -> np.ndarray:
        """The skin (T, V, 3), float32, m."""
        return np.concatenate(list(self._skins(motion)))

    def lowest(self, motion: SmplMotion) -> np.ndarray:
        """Height (T,) of the lowest vertex, m."""
        return np.concatenate([skin[:, :, 2].min(axis=1) for skin in self._skins(motion)])

    def feet(self, motion: SmplMotion) -> np.ndarray:
        """Vertices (T, F, 3) of both soles, the left one's first, m."""
        return np.concatenate([skin[:, self.sole] for skin in self._skins(motion)])

    @functools.cached_property
    def sole(self) -> np.ndarray:
        """The vertices (F,) that `feet` gives."""
        return np.concatenate(sole_vertices(self._template, self.skin_weights, _SOLE_POINTS))

    @property
    def skin_weights(self) -> np.ndarray:
        """How far each of the 24 joints carries each vertex: (V, 24), rows sum to 1."""
        return np.asarray(self._arrays.weights)

    @property
    def has_pose_correctives(self) -> bool:
        """Whether the skin also changes with the pose, beyond linear blend skinning."""
        return bool(np.any(self._arrays.posedirs))

    @functools.cached_property
    def _contacts(self) -> tuple[np.ndarray, np.ndarray]:
        return contact_vertices(self._template, self.skin_weights)

    @functools.cached_property
    def _layer(self) -> Any:  # smplx's annotations name its own Tensor
        """The body as smplx builds it, in float32."""
        import smplx
        from smplx.utils import Struct

        with contextlib.redirect_stdout(io.StringIO()):  # smplx prints a warning on 10 shapes
            return smplx.SMPLLayer(
                model_path="",
                data_struct=Struct(**vars(self._arrays)),
                num_betas=10,
                vertex_ids=_NO_LANDMARKS,
                use_hands=False,
                use_feet_keypoints=False,
            ).requires_grad_(False)

    def _skins(self, motion: SmplMotion) -> Iterator[np.ndarray]:
        """The skin in pieces of frames, so that long clips need little memory."""
        import torch

        betas = torch.tensor(motion.betas, dtype=torch.float32)[None]
        for start in range(0, len(motion), _FRAMES_AT_ONCE):
            frames = slice(start, start + _FRAMES_AT_ONCE)
            pose = np.concatenate(
                [motion.global_orient[frames, None], motion.body_pose[frames]], axis=1
            )
            turn = torch.as_tensor(rotation_matrices(pose), dtype=torch.float32)  # (B, 24, 3, 3)
            with torch.no_grad():
                out = self._layer.forward(
                    betas=betas.expand(len(turn), -1),
                    global_orient=turn[:, :1],
                    body_pose=turn[:, 1:],
                )
            yield (out.vertices.numpy() + motion.transl[frames, None]).astype(np.float32)
