"""The simulated humanoid: a MuJoCo model of any SMPL rest skeleton, with human mass and strength.

Every SMPL joint is a body of the same name; the pelvis hangs on a free joint, the other 23 on
ball joints whose quaternions are SMPL's local rotations, because a body's axes are the axes of
the rest pose. Masses, centres of mass and radii of gyration follow de Leva, Adjustments to
Zatsiorsky-Seluyanov's segment inertia parameters (1996), mean of women and men.

MuJoCo numbers bodies depth-first, SMPL breadth-first: everything here maps by name.
"""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
from dataclasses import dataclass, field
from typing import Self

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from physics.motion import MotionError, SmplMotion
from physics.segments import (
    INSTEP,
    SEGMENTS,
    Segment,
    base_name,
    foot_boxes,
    limb_radius,
    segment_end,
    stature,
    surface_hull,
)
from physics.skeleton import JOINT_COUNT, JOINT_NAMES, PARENTS, Skeleton

FOOT_JOINTS = tuple(
    JOINT_NAMES.index(f"{s}_{j}") for s in ("left", "right") for j in ("ankle", "foot")
)


@dataclass(frozen=True)
class HumanoidOptions:
    """How the model is built; the defaults are the measured ones.

    Attributes:
        timestep: simulation step, s.
        body_mass_index: mass over squared stature, kg/m^2; 22.9 gives 70 kg at 1.75 m.
        friction: sliding friction coefficient between body and floor.
        armature: rotor inertia added to every ball joint, kg m^2.
        damping: viscous damping of every ball joint, N m s/rad.
        contact_time: time constant of the floor contact (MuJoCo solref), s.
        grip: how much harder than pressing in the floor answers sliding (MuJoCo impratio).
        contact_impedance: greatest constraint impedance of the floor contact (solimp).
        strength: factor on the table of torque limits.
    """

    timestep: float = 1 / 450
    body_mass_index: float = 22.9
    friction: float = 1.0
    armature: float = 0.02
    damping: float = 0.5
    contact_time: float = 0.008
    contact_impedance: float = 0.99
    grip: float = 10.0
    strength: float = 1.0


@dataclass(frozen=True)
class Humanoid:
    """A compiled humanoid and the maps between SMPL's order and MuJoCo's.

    Attributes:
        skeleton: the rest skeleton that it was built from.
        options: the options that it was built with.
        model: the compiled model: free joint, 23 ball joints, three motors for each ball joint
            (in the order of its degrees of freedom), and a floor.
        body: (24,) MuJoCo body of each SMPL joint.
        quaternion: (24,) index in `qpos` where each joint's quaternion starts.
        dof: (24,) index in `qvel` where each joint's angular velocity starts.
        torque_limit: (69,) greatest torque of each motor, N m.
        corners: (C, 3) lower corners of the foot boxes in the rest frame of their joint, m.
        corner_joints: (C,) SMPL joint that carries each corner.
    """

    skeleton: Skeleton
    options: HumanoidOptions
    model: mujoco.MjModel = field(repr=False)
    body: np.ndarray
    quaternion: np.ndarray
    dof: np.ndarray
    torque_limit: np.ndarray
    corners: np.ndarray
    corner_joints: np.ndarray

    @classmethod
    def build(cls, skeleton: Skeleton, options: HumanoidOptions | None = None) -> Self:
        """The humanoid of a rest skeleton with surface points.

        Raises:
            MotionError: the rest joints are malformed, or no surface point lies on a foot.
        """
        options = options or HumanoidOptions()
        rest = np.asarray(skeleton.rest, dtype=float)
        if rest.shape != (JOINT_COUNT, 3) or not np.isfinite(rest).all():
            raise MotionError(
                f"rest joints have shape {rest.shape} or NaN; expected finite (24, 3)"
            )
        boxes = foot_boxes(skeleton)
        model = _specification(skeleton, options, boxes).compile()
        joint_id = np.array([model.joint(name).id for name in JOINT_NAMES])
        corners, owners = [], []
        for joint, (low, high) in boxes.items():
            for x in (low[0], high[0]):
                for z in (low[2], high[2]):
                    corners.append([x, low[1], z])
                    owners.append(joint)
        quaternion = model.jnt_qposadr[joint_id].copy()
        dof = model.jnt_dofadr[joint_id].copy()
        quaternion[0] += 3
        dof[0] += 3
        return cls(
            skeleton=skeleton,
            options=options,
            model=model,
            body=np.array([model.body(name).id for name in JOINT_NAMES]),
            quaternion=quaternion,
            dof=dof,
            torque_limit=model.actuator_ctrlrange[:, 1].copy(),
            corners=np.array(corners),
            corner_joints=np.array(owners),
        )

    @property
    def mass(self) -> float:
        """Mass of the whole body, kg."""
        return float(self.model.body_mass.sum())

    @property
    def weight(self) -> float:
        """Weight of the whole body, N."""
        return self.mass * float(np.linalg.norm(self.model.opt.gravity))

    def to_qpos(self, motion: SmplMotion) -> np.ndarray:
        """MuJoCo positions (T, 99) of a motion with this skeleton."""
        pose = np.concatenate([motion.global_orient[:, None], motion.body_pose], axis=1)
        quaternions = Rotation.from_rotvec(pose.reshape(-1, 3)).as_quat(scalar_first=True)
        qpos = np.empty((len(motion), self.model.nq))
        qpos[:, :3] = self.skeleton.rest[0] + motion.transl
        qpos[:, self._quaternion_columns] = quaternions.reshape(len(motion), JOINT_COUNT, 4)
        return qpos

    def from_qpos(self, qpos: np.ndarray, like: SmplMotion) -> SmplMotion:
        """The motion of MuJoCo positions (T, 99); shape, fps and caption are those of `like`."""
        quaternions = qpos[:, self._quaternion_columns].reshape(-1, 4)
        pose = Rotation.from_quat(quaternions, scalar_first=True).as_rotvec()
        pose = pose.reshape(len(qpos), JOINT_COUNT, 3)
        return SmplMotion(
            transl=qpos[:, :3] - self.skeleton.rest[0],
            global_orient=pose[:, 0],
            body_pose=pose[:, 1:],
            betas=like.betas,
            fps=like.fps,
            caption=like.caption,
        )

    def velocities(self, qpos: np.ndarray, step: float) -> np.ndarray:
        """Generalised velocities (T, 75) by central differences of positions `step` s apart."""
        qvel = np.zeros((len(qpos), self.model.nv))
        for k in range(len(qpos)):
            before, after = max(k - 1, 0), min(k + 1, len(qpos) - 1)
            if after > before:
                span = (after - before) * step
                mujoco.mj_differentiatePos(self.model, qvel[k], span, qpos[before], qpos[after])
        return qvel

    @property
    def _quaternion_columns(self) -> np.ndarray:
        return self.quaternion[:, None] + np.arange(4)


def _specification(skeleton: Skeleton, options: HumanoidOptions, boxes: dict) -> mujoco.MjSpec:
    """The model before compilation."""
    spec = mujoco.MjSpec()
    spec.modelname = "humanoid"
    spec.compiler.degree = False
    spec.option.timestep = options.timestep
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = options.grip
    # Dense: the sparse Cholesky factorisation of the Newton solver is wrong in MuJoCo 4.0.0.
    spec.option.jacobian = mujoco.mjtJacobian.mjJAC_DENSE
    spec.option.solver = mujoco.mjtSolver.mjSOL_NEWTON
    spec.option.iterations = 20
    impedance = options.contact_impedance
    contact = {
        "friction": [options.friction, 0.005, 0.0001],
        "solref": [options.contact_time, 1.0],
        "solimp": [0.9, impedance, 0.001, 0.5, 2.0],
    }
    floor = spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[0, 0, 1])
    # The body collides with the floor only: its geoms have no type, the floor no affinity.
    floor.contype, floor.conaffinity = 1, 0
    for name, value in contact.items():
        setattr(floor, name, value)

    height = stature(skeleton)
    mass = options.body_mass_index * height**2
    segments = [SEGMENTS[base_name(name)] for name in JOINT_NAMES]
    share = sum(segment.mass for segment in segments)
    # Torque limits are for 70 kg at 1.75 m; strength times lever grows with mass and stature.
    strength = options.strength * mass / 70 * height / 1.75
    bodies = {}
    for joint, name in enumerate(JOINT_NAMES):
        parent = PARENTS[joint]
        segment = segments[joint]
        owner = spec.worldbody if parent < 0 else bodies[parent]
        offset = skeleton.rest[joint] - (skeleton.rest[parent] if parent >= 0 else 0)
        body = bodies[joint] = owner.add_body(name=name, pos=offset)
        end = segment_end(skeleton, joint)
        _give_inertia(body, segment, end, segment.mass / share * mass, height)
        if parent < 0:
            body.add_freejoint(name=name)
        else:
            # Spec files hold damping as a cubic polynomial of the velocity; only its first term.
            body.add_joint(
                name=name,
                type=mujoco.mjtJoint.mjJNT_BALL,
                armature=options.armature,
                damping=[options.damping, 0, 0],
                limited=mujoco.mjtLimited.mjLIMITED_TRUE,
                range=[0, np.radians(segment.cone)],
            )
        if joint in boxes:
            low, high = boxes[joint]
            _add_geom(body, mujoco.mjtGeom.mjGEOM_BOX, (high - low) / 2, contact, (low + high) / 2)
            hull = surface_hull(skeleton, joint, above=low[1] + INSTEP)
        else:
            hull = surface_hull(skeleton, joint)
        if hull is not None:
            spec.add_mesh(name=name, uservert=hull.ravel())
            geom = _add_geom(body, mujoco.mjtGeom.mjGEOM_MESH, [0, 0, 0], contact)
            geom.meshname = name
        elif joint not in boxes:
            start = np.asarray(segment.start) * height
            radius = limb_radius(skeleton, joint, start, end)
            geom = _add_geom(body, mujoco.mjtGeom.mjGEOM_CAPSULE, [radius, 0, 0], contact)
            geom.fromto = [*start, *end]
    # Motors in the order of the degrees of freedom, which is depth-first.
    for name in _depth_first(0):
        if name == JOINT_NAMES[0]:
            continue
        torque = SEGMENTS[base_name(name)].torque * strength
        for axis in range(3):
            motor = spec.add_actuator(name=f"{name}_{'xyz'[axis]}", target=name)
            motor.trntype = mujoco.mjtTrn.mjTRN_JOINT
            motor.set_to_motor()
            motor.gear = [*np.eye(3)[axis], 0, 0, 0]
            motor.ctrllimited = mujoco.mjtLimited.mjLIMITED_TRUE
            motor.ctrlrange = [-torque, torque]
    return spec


def _add_geom(body, kind, size, contact: dict, pos=(0, 0, 0)):
    """A geom that touches only the floor and adds no mass of its own."""
    geom = body.add_geom(type=kind, size=size, pos=pos, mass=0, **contact)
    geom.contype, geom.conaffinity = 0, 1
    return geom


def _give_inertia(body, segment: Segment, end: np.ndarray, mass: float, height: float) -> None:
    """Explicit mass, centre of mass and inertia; the long axis lies along the segment."""
    body.explicitinertial = True
    body.mass = mass
    body.ipos = segment.com * end
    axis = np.array([0.0, 1.0, 0.0]) if segment.upright else end / np.linalg.norm(end)
    turn = Rotation.align_vectors([axis], [[0, 0, 1]])[0]
    body.iquat = turn.as_quat(scalar_first=True)
    length = segment.length * height if segment.length else np.linalg.norm(end)
    body.inertia = mass * (np.asarray(segment.gyration) * length) ** 2


def _depth_first(joint: int) -> list[str]:
    children = [child for child in range(JOINT_COUNT) if PARENTS[child] == joint]
    return [JOINT_NAMES[joint]] + [name for child in children for name in _depth_first(child)]
