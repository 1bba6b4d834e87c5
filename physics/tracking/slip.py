"""How fast does what the body presses on the floor slide over it? Skate by contact force.

    v = sum_c f_c |v_c| / sum_c f_c

over the contacts c of a simulation step, with normal force f_c and the horizontal velocity v_c that
moves the body's point during the step; 0 without contact. No threshold of height decides what
touches: force does. MuJoCo moves bodies with the velocity after the step's forces, so that v times
the step is the way that loaded points slide. The velocity before them would also count what a
landing stops at once: for walks, 1.7 to 1.9 times as much.
"""

# MuJoCo's bindings have no type stubs.
# pyright: reportAttributeAccessIssue=false
import mujoco
import numpy as np


def contact_slip(data: mujoco.MjData) -> float:
    """The slip v, m/s, of one humanoid and the floor, as `mj_step2` leaves the data.

    Brings `data.cvel` up to the step's new velocity.
    """
    mujoco.mj_comVel(data.model, data)
    contact = data.contact
    rows = np.flatnonzero(contact.efc_address >= 0)
    if not len(rows):
        return 0.0
    force = data.efc_force[contact.efc_address[rows]]  # the first row of a cone is the normal
    total = force.sum()
    if total <= 0:
        return 0.0
    body = data.model.geom_bodyid[contact.geom[rows]].max(axis=1)  # the floor's body is 0
    arm = contact.pos[rows] - data.subtree_com[1]
    speed = data.cvel[body, 3:5] + np.stack(
        [
            data.cvel[body, 1] * arm[:, 2] - data.cvel[body, 2] * arm[:, 1],
            data.cvel[body, 2] * arm[:, 0] - data.cvel[body, 0] * arm[:, 2],
        ],
        axis=1,
    )
    return float(force @ np.sqrt((speed**2).sum(axis=1)) / total)
