"""Slip by contact force: the way that loaded points slide."""

import mujoco
import numpy as np
import pytest

from physics.tracking.slip import contact_slip

BOX = """
<mujoco>
  <option timestep=".0044" cone="elliptic" impratio="10"/>
  <worldbody>
    <geom type="plane" size="9 9 1"/>
    <body pos="0 0 .1"><freejoint/><geom type="box" size=".15 .1 .05" mass="5"/></body>
  </worldbody>
</mujoco>
"""


@pytest.mark.parametrize("velocity", [(1, 0, -1), (0.3, 0.4, -2)])
def test_slip_adds_up_to_the_way_that_a_thrown_box_slides_while_it_presses(velocity):
    model = mujoco.MjModel.from_xml_string(BOX)
    data = mujoco.MjData(model)
    data.qvel[:3] = velocity
    slid = way = 0.0
    for _ in range(500):
        mujoco.mj_step1(model, data)
        before = data.qpos[:2].copy()
        mujoco.mj_step2(model, data)
        if data.qfrc_constraint[2] > 0:
            way += np.linalg.norm(data.qpos[:2] - before)
        slid += contact_slip(data) * model.opt.timestep
    assert way > 1e-3
    assert slid == pytest.approx(way, rel=0.02)


def test_in_the_air_nothing_slips():
    model = mujoco.MjModel.from_xml_string(BOX)
    data = mujoco.MjData(model)
    data.qvel[:3] = 1, 0, 1
    mujoco.mj_step(model, data)
    assert contact_slip(data) == 0
