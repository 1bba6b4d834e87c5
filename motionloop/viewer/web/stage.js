// Draws posed bodies on a floor with WebGL2.

const FOV = 0.6;  // vertical field of view, rad

function multiply(a, b) {
  const out = new Float32Array(16);
  for (let c = 0; c < 4; c++) for (let r = 0; r < 4; r++) for (let k = 0; k < 4; k++)
    out[4 * c + r] += a[4 * k + r] * b[4 * c + k];
  return out;
}

function perspective(fov, aspect, near, far) {
  const f = 1 / Math.tan(fov / 2), m = new Float32Array(16);
  m[0] = f / aspect; m[5] = f; m[10] = (far + near) / (near - far); m[11] = -1;
  m[14] = 2 * far * near / (near - far);
  return m;
}

const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const unit = (a) => { const n = Math.hypot(...a); return a.map((x) => x / n); };

function lookAt(eye, target) {
  const back = unit(eye.map((x, i) => x - target[i]));
  const right = unit(cross([0, 0, 1], back)), up = cross(back, right);
  return new Float32Array([
    right[0], up[0], back[0], 0, right[1], up[1], back[1], 0, right[2], up[2], back[2], 0,
    -dot(right, eye), -dot(up, eye), -dot(back, eye), 1,
  ]);
}

// What a foot does (free, touching, sliding, penetrating): its colour and how much of it.
const MARKS = [[0, 0, 0, 0], [0.10, 0.62, 0.32, 0.85], [0.95, 0.62, 0.07, 0.95], [0.86, 0.10, 0.12, 0.95]];

function program(gl, [vertex, fragment], captured) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  if (captured) gl.transformFeedbackVaryings(made, captured, gl.SEPARATE_ATTRIBS);
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw Error(gl.getProgramInfoLog(made));
  const uniforms = {};
  for (let i = 0; i < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); i++) {
    const { name } = gl.getActiveUniform(made, i);
    uniforms[name.replace("[0]", "")] = gl.getUniformLocation(made, name);
  }
  return { made, uniforms };
}

function buffered(gl, columns, indices) {
  const vao = gl.createVertexArray();
  gl.bindVertexArray(vao);
  columns.forEach(([values, size, normalized], location) => {
    if (values instanceof WebGLBuffer) gl.bindBuffer(gl.ARRAY_BUFFER, values);
    else {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    }
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, values instanceof Uint8Array ? gl.UNSIGNED_BYTE : gl.FLOAT,
      normalized ?? false, 0, 0);
  });
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
  return { vao, count: indices.length };
}

function vertexNormals(vertices, faces) {
  const out = new Float32Array(vertices.length);
  for (let f = 0; f < faces.length; f += 3) {
    const [a, b, c] = [0, 1, 2].map((k) => vertices.subarray(3 * faces[f + k], 3 * faces[f + k] + 3));
    const n = cross([b[0] - a[0], b[1] - a[1], b[2] - a[2]], [c[0] - a[0], c[1] - a[1], c[2] - a[2]]);
    for (let k = 0; k < 3; k++) for (let i = 0; i < 3; i++) out[3 * faces[f + k] + i] += n[i];
  }
  return out;  // the shader normalises
}

function drawnByProcessor() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const known = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = known ? gl.getParameter(known.UNMASKED_RENDERER_WEBGL) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|basic render/i.test(name);
}

class Stage {
  constructor(canvas) {
    // Without a graphics card smooth edges cost more than all the rest.
    const gl = canvas.getContext("webgl2", { stencil: true, alpha: false, antialias: !drawnByProcessor() });
    if (!gl) throw Error("this browser has no WebGL 2");
    this.gl = gl; this.canvas = canvas; this.surfaces = new Map();
    [this.body, this.shadow, this.floor, this.arrow] = [BODY, SHADOW, FLOOR, ARROW].map((p) => program(gl, p));
    this.skin = program(gl, SKIN, ["moved", "turned"]);
    const square = new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0]);
    this.square = buffered(gl, [[square, 3]], new Uint32Array([0, 1, 2, 0, 2, 3]));
    this.pointer = arrowMesh(gl);
    gl.clearColor(0.962, 0.968, 0.978, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  // What stays the same of a surface in all poses.
  surface(data, name) {
    if (!this.surfaces.has(name)) {
      const { gl } = this, s = data.surfaces[name];
      const vertices = Float32Array.from(array(data, s.vertices, Int16Array), (x) => x * s.scale);
      const faces = array(data, s.faces, Uint32Array);
      const rest = buffered(gl, [
        [vertices, 3], [vertexNormals(vertices, faces), 3], [array(data, s.joints, Uint8Array), 4],
        [array(data, s.weights, Uint8Array), 4, true],
      ], faces);
      this.surfaces.set(name, { rest, faces, foot: array(data, s.foot, Uint8Array), flat: s.flat, size: vertices.length });
    }
    return this.surfaces.get(name);
  }

  // A surface in one pose; a clip keeps its own.
  posed(surface) {
    const { gl } = this, feedback = gl.createTransformFeedback(), buffers = [0, 1].map(() => {
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, 4 * surface.size, gl.DYNAMIC_COPY);
      return buffer;
    });
    const drawn = buffered(gl, [[buffers[0], 3], [buffers[1], 3], [surface.foot, 1]], surface.faces);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, feedback);
    buffers.forEach((buffer, n) => gl.bindBufferBase(gl.TRANSFORM_FEEDBACK_BUFFER, n, buffer));
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, null);
    return { ...drawn, feedback, surface, buffers };
  }

  // Give back what a clip's poses took on the graphics card.
  forget(clip) {
    for (const mesh of Object.values(clip.meshes)) {
      for (const buffer of mesh.buffers) this.gl.deleteBuffer(buffer);
      this.gl.deleteTransformFeedback(mesh.feedback);
      this.gl.deleteVertexArray(mesh.vao);
    }
  }

  pose(body) {
    const { gl } = this, { made, uniforms: u } = this.skin, { feedback, surface } = body.mesh;
    gl.useProgram(made);
    gl.uniform4fv(u.pose, body.matrices);
    gl.uniform3fv(u.shift, body.shift);
    gl.bindVertexArray(surface.rest.vao);
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, feedback);
    gl.beginTransformFeedback(gl.POINTS);
    gl.drawArrays(gl.POINTS, 0, surface.size / 3);
    gl.endTransformFeedback();
    gl.bindTransformFeedback(gl.TRANSFORM_FEEDBACK, null);
  }

  mesh(body) {
    this.gl.bindVertexArray(body.mesh.vao);
    this.gl.drawElements(this.gl.TRIANGLES, body.mesh.count, this.gl.UNSIGNED_INT, 0);
  }

  // bodies: [{mesh, matrices, shift, colour, feet, opacity, root, force}]
  draw(bodies, camera) {
    const { gl, canvas } = this;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * ratio), height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width || canvas.height !== height) { canvas.width = width; canvas.height = height; }
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT | gl.STENCIL_BUFFER_BIT);
    const view = multiply(perspective(FOV, width / Math.max(height, 1), 0.05, 120), lookAt(camera.eye, camera.target));
    const lamp = unit([0.55 * camera.right[0] * -1 + 0.5 * camera.back[0], 0.55 * camera.right[1] * -1 + 0.5 * camera.back[1], 1.25]);

    gl.enable(gl.RASTERIZER_DISCARD);
    for (const body of bodies) this.pose(body);
    gl.disable(gl.RASTERIZER_DISCARD);

    let { made, uniforms: u } = this.floor;
    gl.useProgram(made);
    gl.uniformMatrix4fv(u.view, false, view);
    gl.uniform3fv(u.middle, camera.target);
    gl.uniform1f(u.reach, 2.2 * camera.distance);
    gl.bindVertexArray(this.square.vao);
    if (camera.eye[2] > 0) gl.drawElements(gl.TRIANGLES, 6, gl.UNSIGNED_INT, 0);

    // Bodies are closed: what is seen from inside need not be drawn, in shadows neither.
    gl.enable(gl.CULL_FACE);
    // Shadows: every pixel of the floor is darkened once, whatever covers it.
    ({ made, uniforms: u } = this.shadow);
    gl.useProgram(made);
    gl.uniformMatrix4fv(u.view, false, view);
    gl.uniform3fv(u.lamp, lamp);
    gl.enable(gl.BLEND); gl.enable(gl.STENCIL_TEST); gl.depthMask(false);
    gl.stencilFunc(gl.EQUAL, 0, 0xff);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.INCR);
    if (camera.eye[2] > 0) for (const body of bodies) this.mesh(body);
    gl.disable(gl.STENCIL_TEST); gl.disable(gl.BLEND); gl.depthMask(true);

    ({ made, uniforms: u } = this.body);
    gl.useProgram(made);
    gl.uniformMatrix4fv(u.view, false, view);
    gl.uniform3fv(u.lamp, lamp);
    gl.uniform3fv(u.eye, camera.eye);
    for (const body of bodies) {
      if (body.opacity < 1) gl.enable(gl.BLEND);
      gl.uniform3fv(u.colour, body.colour);
      gl.uniform4fv(u.feet, body.feet.flat());
      gl.uniform1i(u.flatly, body.mesh.surface.flat ? 1 : 0);
      gl.uniform1f(u.opacity, body.opacity);
      this.mesh(body);
      gl.disable(gl.BLEND);
    }
    gl.disable(gl.CULL_FACE);
    this.arrows(bodies, view);
  }

  arrows(bodies, view) {
    const { gl } = this, { made, uniforms: u } = this.arrow;
    gl.useProgram(made);
    gl.uniformMatrix4fv(u.view, false, view);
    gl.disable(gl.DEPTH_TEST);  // a force is seen through the body that it holds
    for (const { force, root, shift } of bodies) {
      const length = force ? Math.hypot(...force) : 0;
      if (length < 0.02) continue;
      const z = unit(force), x = unit(cross(Math.abs(z[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0], z));
      gl.uniformMatrix3fv(u.axes, false, [...x, ...cross(z, x), ...z]);
      gl.uniform3fv(u.shift, root.map((c, k) => c + shift[k]));
      gl.uniform1f(u.length, 0.12 + 2 * length);  // 1 m for half a body weight
      gl.bindVertexArray(this.pointer.vao);
      gl.drawElements(gl.TRIANGLES, this.pointer.count, gl.UNSIGNED_INT, 0);
    }
    gl.enable(gl.DEPTH_TEST);
  }
}

// A shaft from z = 0 to 0.5 and a head from just above it to z = 1, which the shader stretches.
function arrowMesh(gl) {
  const corners = [], indices = [], sides = 12;
  for (let k = 0; k < sides; k++) {
    const a = 2 * Math.PI * k / sides, c = [Math.cos(a), Math.sin(a)];
    corners.push(...c, 0, ...c, 0.5, ...c, 0.501);
  }
  const tip = 3 * sides;
  corners.push(0, 0, 1);
  for (let k = 0; k < sides; k++) {
    const a = 3 * k, b = 3 * ((k + 1) % sides);
    indices.push(a, b, a + 1, b, b + 1, a + 1, a + 2, b + 2, tip);
  }
  return buffered(gl, [[new Float32Array(corners), 3]], new Uint32Array(indices));
}
