"""The physics corrector: a clip in, the clip that a simulated humanoid can really do out.

The kinematic stage repairs floor contact (`clean_up`); the humanoid then tracks the repaired clip
in simulation. What the floor cannot give may come from assistance, an external wrench on the
root, up to a budget; it is recorded for every frame. A clip that falls is a result with a reason.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Self

import numpy as np

from physics.balance import BalanceConfig, rebalance
from physics.cleanup import CleanupConfig, clean_up
from physics.dynamics import Reference, control_count, plan_reference, sample_qpos
from physics.fidelity import distortion
from physics.humanoid import Humanoid, HumanoidOptions
from physics.motion import MotionError, SmplMotion
from physics.skeleton import Skeleton, forward_kinematics
from physics.tracking.preview import PreviewConfig
from physics.tracking.rollout import Course, Rollout, State
from physics.tracking.search import SearchConfig, search
from physics.tracking.support import Support, support_of
from physics.tracking.whole_body import Gains, WholeBodyController
from physics.tracking.windows import Window, joined, track_windows
from physics.tracking.workers import Workers

# Changes of the re-plan and of the tracker's gains to try, in order, after a fall with the first.
RETRIES: tuple[tuple[dict[str, float], dict[str, float]], ...] = (
    ({"resting": 0.5, "swinging": 1.5}, {}),
    ({"heights": False}, {"height_frequency": 0.0, "landing_time": 0.0}),
    ({}, {"landing_time": 0.25, "balance": 4.0, "reach": 0.03}),
    ({"clearance": 0.0}, {"balance": 1.0, "reach": 0.03}),
)
SLOWEST, FASTEST = 1.0, 1000.0  # Hz, frame rates that are corrected


@dataclass(frozen=True)
class CorrectorConfig:
    """Settings of the corrector.

    Attributes:
        assistance_budget: greatest external wrench on the root, in body weights; its torque
            counts with the height of the pelvis as lever. 0 is pure physics.
        rescue_budgets: larger ones that a clip is tried with in turn, after it fell with every
            setting and the search; the result says which it took.
        kinematic_only: stop after the clean-up, without simulation.
        retries: how many other settings a clip that falls is tried with, at most 4.
        search: what is looked for where it still falls or strays: other places for the centre of
            mass and the feet, from the setting that got furthest. Not with `preview`, which plans
            them itself.
        workers: processes; 0 takes one for each core.
        control_rate: control steps a second, Hz; rounded to whole simulation steps.
        position_sigma: Gaussian smoothing of the reference's positions, s.
        acceleration_sigma: Gaussian smoothing of the reference's accelerations, s.
        fall_distance: mean joint error that counts as a fall, m (UHC and PHC: 0.5).
        stray_distance: mean joint error to the reference, m, beyond which the other settings of the
            same budget are tried too, and the one that strays and slides least is taken.
        window: length of the pieces in which a longer clip is tracked, s.
        overlap: how far each is simulated past its end before the next takes over, s.
        time_limit: processor time for one clip, s; what is not tracked by then counts as fallen.
        cleanup: the kinematic stage.
        balance: the re-plan of the centre of mass.
        humanoid: the body.
        gains: the first setting of the tracker.
        preview: model-predictive control of steps and centre of mass; off by default.
    """

    assistance_budget: float = 0.0
    rescue_budgets: tuple[float, ...] = ()
    kinematic_only: bool = False
    retries: int = 4
    workers: int = 0
    control_rate: float = 225.0
    position_sigma: float = 0.012
    acceleration_sigma: float = 0.04
    fall_distance: float = 0.5
    stray_distance: float = 0.12
    window: float = 8.0
    overlap: float = 0.5
    time_limit: float = 1800.0
    cleanup: CleanupConfig = field(default_factory=CleanupConfig)
    balance: BalanceConfig = field(default_factory=BalanceConfig)
    humanoid: HumanoidOptions = field(default_factory=HumanoidOptions)
    gains: Gains = field(default_factory=Gains)
    preview: PreviewConfig = field(default_factory=PreviewConfig)
    search: SearchConfig = field(default_factory=SearchConfig)

    def __post_init__(self):
        if not self.assistance_budget >= 0:
            raise MotionError(
                f"assistance_budget is {self.assistance_budget}; give body weights, 0 or more"
            )
        if any(not budget > self.assistance_budget for budget in self.rescue_budgets):
            raise MotionError(
                f"rescue_budgets is {self.rescue_budgets}; each must be larger than "
                f"assistance_budget, {self.assistance_budget}"
            )
        if not 0 <= self.retries <= len(RETRIES):
            raise MotionError(f"retries is {self.retries}; it can be 0 to {len(RETRIES)}")
        if self.workers < 0:
            raise MotionError(f"workers is {self.workers}; 0 takes all cores")
        if not self.overlap >= 0:
            raise MotionError(f"overlap is {self.overlap}; give seconds, 0 or more")
        for name in (
            "control_rate", "position_sigma", "acceleration_sigma", "fall_distance",
            "stray_distance", "window", "time_limit",
        ):  # fmt: skip
            if not getattr(self, name) > 0:
                raise MotionError(f"{name} is {getattr(self, name)}; it must be positive")

    @property
    def control_step(self) -> float:
        """Time between two control steps, s: a whole number of simulation steps."""
        step = self.humanoid.timestep
        return max(1, round(1 / (self.control_rate * step))) * step


@dataclass(frozen=True)
class TrackingResult:
    """What became of one clip.

    Attributes:
        motion: the corrected clip: simulated, or `kinematic` if it fell or none was asked for; of
            a clip of several windows, those that fell follow the re-planned reference.
        kinematic: the clip after the clean-up; length, rate, shape, caption of the input.
        fell: whether tracking failed.
        reason: why and when it fell; "" if it did not.
        position_error: (T,) mean over joints of the distance to `kinematic`, m; as far as the
            clip was simulated, and 0 after a fall.
        assistance: (T,) norm of the external wrench on the root, N; 0 after a fall.
        assistance_force: (T, 3) the wrench's force in world axes, N; 0 after a fall.
        contact_force: (T,) norm of the floor's force, N; 0 after a fall.
        contact_slip: (T,) how fast what the body presses on the floor slides over it, m/s: the
            mean over contacts, weighted by their force; 0 after a fall.
        weight: the humanoid's weight, N.
        rung: which attempt it is from; 0 is the first setting, then the retries, then the search,
            then the rescue budgets.
        budget: assistance that the attempt was allowed, body weights.
        fallen: what the simulated body did up to its fall, with the first setting; None if it
            stood, or if the clip was tracked in several windows.
    """

    motion: SmplMotion
    kinematic: SmplMotion
    fell: bool
    reason: str
    position_error: np.ndarray
    assistance: np.ndarray
    assistance_force: np.ndarray
    contact_force: np.ndarray
    contact_slip: np.ndarray
    weight: float
    rung: int = 0
    budget: float = 0.0
    fallen: SmplMotion | None = None

    @property
    def success(self) -> bool:
        """Whether the clip was tracked to its end."""
        return not self.fell

    @property
    def force_skate_mm(self) -> float:
        """Mean slip of what presses on the floor from frame to frame, mm."""
        return float(self.contact_slip.mean() / self.motion.fps * 1000)

    @property
    def assistance_mean_bw(self) -> float:
        """Mean assistance, body weights."""
        return float(self.assistance.mean() / self.weight)

    @property
    def assistance_max_bw(self) -> float:
        """Greatest assistance, body weights."""
        return float(self.assistance.max() / self.weight)


class TrackingCorrector:
    """Corrects clips on worker processes that live as long as it does; a context manager."""

    def __init__(
        self,
        skeleton_of: Callable[[np.ndarray], Skeleton],
        config: CorrectorConfig | None = None,
    ):
        """A corrector; processes start with the first call of `correct`.

        Args:
            skeleton_of: gives the rest skeleton of betas (10,).
            config: settings; the defaults if None.
        """
        self.config = config or CorrectorConfig()
        self._skeleton_of = skeleton_of

    def correct(
        self, motions: list[SmplMotion], progress: Callable[[int], None] | None = None
    ) -> list[TrackingResult]:
        """Correct clips; the result does not depend on the number of workers.

        Args:
            motions: clips of any length and rate.
            progress: called with the number of clips done.
        """
        jobs = [(motion, self._skeleton_of(motion.betas), self.config) for motion in motions]
        return self._workers.map(correct_clip, jobs, progress)

    def close(self) -> None:
        """End the worker processes."""
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @cached_property
    def _workers(self) -> Workers:
        return Workers(self.config.workers)


def correct_clip(motion: SmplMotion, skeleton: Skeleton, config: CorrectorConfig) -> TrackingResult:
    """Correct one clip in this process.

    Raises:
        MotionError: frames come less often than once a second or more often than 1000 times.
    """
    if not SLOWEST <= motion.fps <= FASTEST:
        raise MotionError(
            f"fps is {motion.fps:g}; the corrector takes {SLOWEST:g} to {FASTEST:g} frames a "
            "second: check the clip's frame rate, or resample it"
        )
    kinematic, plan = clean_up(motion, skeleton, config.cleanup)
    humanoid = _humanoid(_Key(skeleton, config.humanoid))
    if config.kinematic_only or len(motion) < 2:
        return _untracked(kinematic, humanoid, "")
    support = support_of(humanoid, kinematic, plan)
    rungs = list(ladder(config))
    references: dict[BalanceConfig, Reference] = {}
    tried: list[tuple[Course, Rollout]] = []  # of a window

    def attempt(rung: int, first: int, last: int, state: State | None) -> Rollout:
        setting = rungs[rung]
        if setting.search.samples:
            return search(*max(tried, key=_got), setting.search, expired)
        if setting.balance not in references:
            path = rebalance(humanoid, kinematic, support, plan.flight, setting.balance)
            references[setting.balance] = _reference(humanoid, path, setting)
        part = references[setting.balance].between(first, last)
        course = _course(humanoid, part, support, motion.fps, setting)
        rollout = course.simulate(state)
        if rung == 0:
            tried.clear()
        tried.append((course, rollout))
        return rollout

    def good_enough(rung: int, rollout: Rollout) -> bool:
        if rung < config.retries:
            return rollout.error.max() <= config.stray_distance
        if rung == config.retries and any(setting.search.samples for setting in rungs):
            return rollout.error.max() <= config.search.distance
        return True  # larger budgets are for what falls

    def expired() -> bool:
        return time.process_time() > end

    step, end = config.control_step, time.process_time() + config.time_limit
    windows = track_windows(
        control_count(kinematic, step),
        round(config.window / step),
        round(config.overlap / step),
        len(rungs),
        attempt,
        good_enough,
        expired,
    )
    done = _of_windows(windows, kinematic, humanoid, references[config.balance])
    highest = max((window.rung or 0 for window in windows), default=0)
    done = replace(done, rung=highest, budget=rungs[highest].assistance_budget)
    wrong = "" if done.fell else distortion(motion, done.motion, plan, skeleton)
    if wrong:
        return replace(done, motion=kinematic, fell=True, reason=wrong)
    return done


def _got(one: tuple[Course, Rollout]) -> tuple[int, float]:
    """How far a setting got, and how near it stayed."""
    _, rollout = one
    return len(rollout), -rollout.error.max()


def ladder(config: CorrectorConfig) -> Iterator[CorrectorConfig]:
    """The settings that a clip is tried with, in turn; one that has samples searches."""
    plain = replace(config, search=replace(config.search, samples=0))
    for path, feedback in (({}, {}), *RETRIES[: config.retries]):
        balance, gains = replace(config.balance, **path), replace(config.gains, **feedback)
        yield replace(plain, balance=balance, gains=gains)
    if config.search.samples and not config.preview.horizon:
        yield config
    for budget in config.rescue_budgets:
        yield replace(plain, assistance_budget=budget, rescue_budgets=())


def course_of(
    humanoid: Humanoid, motion: SmplMotion, support: Support, config: CorrectorConfig
) -> Course:
    """A clip of at least two frames, to be tracked with the first setting of the tracker."""
    return _course(humanoid, _reference(humanoid, motion, config), support, motion.fps, config)


def _reference(humanoid: Humanoid, motion: SmplMotion, config: CorrectorConfig) -> Reference:
    sigmas = config.position_sigma, config.acceleration_sigma
    return plan_reference(humanoid, motion, config.control_step, *sigmas)


def _course(
    humanoid: Humanoid,
    reference: Reference,
    support: Support,
    fps: float,
    config: CorrectorConfig,
) -> Course:
    """A reference, or a part of it, to be followed with one setting of the tracker."""
    budget = config.assistance_budget * humanoid.weight
    controller = WholeBodyController(humanoid, support.points, support.joints, config.gains, budget)
    times = reference.begin + np.arange(len(reference) + 1) * reference.step
    planned = support.at(times, fps)
    return Course(humanoid, controller, reference, planned, config.fall_distance, config.preview)


@dataclass(frozen=True)
class _Key:
    """A skeleton and options, compared by value, so that a batch of one shape builds one model."""

    skeleton: Skeleton
    options: HumanoidOptions

    def _bytes(self) -> tuple:
        s = self.skeleton
        arrays = (s.rest, s.surface_points, s.surface_joints)
        return (*(np.ascontiguousarray(a).tobytes() for a in arrays), self.options)

    def __hash__(self) -> int:
        return hash(self._bytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._bytes() == other._bytes()


@lru_cache(maxsize=16)
def _humanoid(key: _Key) -> Humanoid:
    return Humanoid.build(key.skeleton, key.options)


def _untracked(kinematic: SmplMotion, humanoid: Humanoid, reason: str) -> TrackingResult:
    nothing = np.zeros(len(kinematic))
    return TrackingResult(
        motion=kinematic,
        kinematic=kinematic,
        fell=bool(reason),
        reason=reason,
        position_error=nothing,
        assistance=nothing.copy(),
        assistance_force=np.zeros((len(kinematic), 3)),
        contact_force=nothing.copy(),
        contact_slip=nothing.copy(),
        weight=humanoid.weight,
    )


def _tracked(kinematic: SmplMotion, humanoid: Humanoid, rollout: Rollout) -> TrackingResult:
    times = np.arange(len(kinematic)) / kinematic.fps
    motion = humanoid.from_qpos(
        sample_qpos(humanoid, rollout.qpos, rollout.step, times), like=kinematic
    )
    return TrackingResult(
        motion=motion,
        kinematic=kinematic,
        fell=False,
        reason="",
        position_error=_joint_distance(motion, kinematic, humanoid.skeleton),
        assistance=_per_frame(rollout.assistance_norm, times, rollout.step),
        assistance_force=_per_frame(rollout.assistance[:, :3], times, rollout.step),
        contact_force=_per_frame(rollout.contact_force, times, rollout.step),
        contact_slip=_per_frame(rollout.slip, times, rollout.step),
        weight=humanoid.weight,
    )


def _fallen(kinematic: SmplMotion, humanoid: Humanoid, rollout: Rollout) -> TrackingResult:
    """The clean-up as motion, with the record of the simulation up to the fall."""
    frame = min(int(len(rollout) * rollout.step * kinematic.fps), len(kinematic) - 1)
    times = np.arange(frame) / kinematic.fps
    rows = np.round(times / rollout.step).astype(int)
    result = _untracked(kinematic, humanoid, f"{rollout.fault} (frame {frame})")
    result.position_error[:frame] = np.nan_to_num(rollout.error[rows])
    result.assistance[:frame] = _per_frame(rollout.assistance_norm, times, rollout.step)
    result.assistance_force[:frame] = _per_frame(rollout.assistance[:, :3], times, rollout.step)
    result.contact_force[:frame] = np.nan_to_num(
        _per_frame(rollout.contact_force, times, rollout.step)
    )
    result.contact_slip[:frame] = np.nan_to_num(_per_frame(rollout.slip, times, rollout.step))
    if frame and np.isfinite(rollout.qpos).all():
        states = sample_qpos(humanoid, rollout.qpos, rollout.step, times)
        return replace(result, fallen=humanoid.from_qpos(states, like=kinematic))
    return result


def _of_windows(
    windows: list[Window], kinematic: SmplMotion, humanoid: Humanoid, reference: Reference
) -> TrackingResult:
    """The result of a clip; of one of several windows, those that fell are not simulated."""
    fallen = [window for window in windows if window.rung is None]
    if len(windows) == 1 and fallen:
        return _fallen(kinematic, humanoid, windows[0].rollout)
    result = _tracked(kinematic, humanoid, joined(windows, humanoid, reference))
    if not fallen:
        return result
    told = [
        f"{window.rollout.fault} (frame "
        f"{int((window.first + len(window.rollout)) * reference.step * kinematic.fps)})"
        for window in fallen
    ]
    spans = ", ".join(
        f"{window.first * reference.step:.1f} to {window.last * reference.step:.1f} s"
        for window in fallen
    )
    return replace(result, fell=True, reason=f"{'; '.join(told)}; not simulated: {spans}")


def _per_frame(values: np.ndarray, times: np.ndarray, step: float) -> np.ndarray:
    """Means of values (K, ...) of control steps over the interval that leads to each frame.

    Frame 0 has no such interval and takes the first step.
    """
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    last = np.clip(np.ceil(times / step - 1e-6).astype(int), 1, len(values))
    first = np.concatenate([[0], np.minimum(last[:-1], last[1:] - 1)]) if len(times) else last
    steps = (last - first).reshape(-1, *(1,) * (values.ndim - 1))
    return (total[last] - total[first]) / steps


def _joint_distance(motion: SmplMotion, other: SmplMotion, skeleton: Skeleton) -> np.ndarray:
    """Mean distance (T,) of the joints of two clips, m."""
    joints = [
        forward_kinematics(skeleton.rest, m.transl, m.global_orient, m.body_pose)[0]
        for m in (motion, other)
    ]
    return np.linalg.norm(joints[0] - joints[1], axis=-1).mean(axis=1)
