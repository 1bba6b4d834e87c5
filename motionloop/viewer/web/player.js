// The player of motion pages: unpacks the page's scenes, poses the bodies and draws them with WebGL2.
// It needs no server, no network and no library. A page holds one data block
// (<script id="motionloop-scenes">) and any number of <div class="motionloop-player">; a player with
// data-live waits for a script of its page to give it scenes (display).
"use strict";
(() => {
const PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21];
const JOINTS = 24, SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4], FOV = 0.6;
// Where the camera stands before anybody moves it, from the scene's own side.
const FRONT = { turn: 0, elevation: 0.2, zoom: 1, aside: 0, up: 0 };
const LOOKS = ["skin", "skeleton", "humanoid"];

// ---- the page's data ------------------------------------------------------------------------

const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

let unpacked = null;
function pageData() {
  unpacked ??= (async () => {
    const packed = bytesOf(document.getElementById("motionloop-scenes").textContent.trim());
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  })();
  return unpacked;
}

function array(data, name, kind) {
  const bytes = bytesOf(data.blobs[name]);
  return new kind(bytes.buffer);
}

// ---- 4x4 matrices by columns, and quaternions (w, x, y, z) ----------------------------------

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

// ---- one clip: its poses, and the matrices that move a surface -------------------------------

class Clip {
  constructor(data, described) {
    this.title = described.title; this.note = described.note;
    this.colour = described.colour; this.group = described.group; this.fps = described.fps; this.surfaces = described.surfaces;
    this.pose = array(data, described.pose, Int16Array);  // T x 24 x 3, of unit quaternions, w >= 0
    this.root = array(data, described.root, Float32Array);  // T x 3
    this.feet = array(data, described.feet, Uint8Array);  // T x 2
    this.force = described.force ? array(data, described.force, Float32Array) : null;
    this.rest = array(data, described.rest, Float32Array);  // 24 x 3
    this.curves = described.curves.map((c) => ({ ...c, values: array(data, c.values, Float32Array) }));
    this.length = this.root.length / 3;
    this.meshes = {};  // by look, what the stage draws
    this.matrices = new Float32Array(JOINTS * 12);  // rows of [R | p - R rest] of every joint
    this.position = new Float32Array(JOINTS * 3);
    this.turn = new Float32Array(JOINTS * 4);
  }

  frame(time) { return Math.min(this.length - 1, Math.max(0, time * this.fps)); }

  rootAt(time) {
    const f = this.frame(time), i = Math.floor(f), j = Math.min(i + 1, this.length - 1), s = f - i;
    return [0, 1, 2].map((k) => (1 - s) * this.root[3 * i + k] + s * this.root[3 * j + k]);
  }

  local(i, joint) {
    const at = 3 * (JOINTS * i + joint), p = this.pose, s = 1 / 32767;
    const x = p[at] * s, y = p[at + 1] * s, z = p[at + 2] * s;
    return [Math.sqrt(Math.max(0, 1 - x * x - y * y - z * z)), x, y, z];
  }

  // Forward kinematics at a time, between frames along the shorter arc.
  poseAt(time) {
    const f = this.frame(time), i = Math.floor(f), j = Math.min(i + 1, this.length - 1), s = f - i;
    const { position: p, turn: q, rest, matrices: m } = this;
    p.set(this.rootAt(time));
    for (let joint = 0; joint < JOINTS; joint++) {
      let [w, x, y, z] = this.local(i, joint);
      if (s > 0) {
        const b = this.local(j, joint);
        const t = w * b[0] + x * b[1] + y * b[2] + z * b[3] < 0 ? -s : s;
        w = (1 - s) * w + t * b[0]; x = (1 - s) * x + t * b[1];
        y = (1 - s) * y + t * b[2]; z = (1 - s) * z + t * b[3];
        const n = 1 / Math.hypot(w, x, y, z);
        w *= n; x *= n; y *= n; z *= n;
      }
      const at = 4 * joint, parent = PARENTS[joint];
      if (parent < 0) q.set([w, x, y, z], at);
      else {
        const [a, b, c, d] = q.subarray(4 * parent, 4 * parent + 4);
        q[at] = a * w - b * x - c * y - d * z; q[at + 1] = a * x + b * w + c * z - d * y;
        q[at + 2] = a * y - b * z + c * w + d * x; q[at + 3] = a * z + b * y - c * x + d * w;
        const r = 12 * parent, v = [0, 1, 2].map((k) => rest[3 * joint + k] - rest[3 * parent + k]);
        for (let k = 0; k < 3; k++)
          p[3 * joint + k] = p[3 * parent + k]
            + m[r + 4 * k] * v[0] + m[r + 4 * k + 1] * v[1] + m[r + 4 * k + 2] * v[2];
      }
      const [W, X, Y, Z] = q.subarray(at, at + 4), r = 12 * joint;
      m[r] = 1 - 2 * (Y * Y + Z * Z); m[r + 1] = 2 * (X * Y - W * Z); m[r + 2] = 2 * (X * Z + W * Y);
      m[r + 4] = 2 * (X * Y + W * Z); m[r + 5] = 1 - 2 * (X * X + Z * Z); m[r + 6] = 2 * (Y * Z - W * X);
      m[r + 8] = 2 * (X * Z - W * Y); m[r + 9] = 2 * (Y * Z + W * X); m[r + 10] = 1 - 2 * (X * X + Y * Y);
      for (let k = 0; k < 3; k++) {
        const row = r + 4 * k;
        m[row + 3] = p[3 * joint + k] - m[row] * rest[3 * joint]
          - m[row + 1] * rest[3 * joint + 1] - m[row + 2] * rest[3 * joint + 2];
      }
    }
    return m;
  }
}

// ---- drawing ----------------------------------------------------------------------------------

// Skinning happens once a frame, into buffers from which shadow and body are drawn.
const SKIN = [`#version 300 es
  layout(location = 0) in vec3 vertex; layout(location = 1) in vec3 normal;
  layout(location = 2) in vec4 joints; layout(location = 3) in vec4 weights;
  uniform vec4 pose[72]; uniform vec3 shift;
  out vec3 moved; out vec3 turned;
  void main() {
    vec4 a = vec4(0), b = vec4(0), c = vec4(0);
    for (int k = 0; k < 4; k++) {
      int j = 3 * int(joints[k]);
      a += weights[k] * pose[j]; b += weights[k] * pose[j + 1]; c += weights[k] * pose[j + 2];
    }
    vec4 v = vec4(vertex, 1);
    moved = vec3(dot(a, v), dot(b, v), dot(c, v)) + shift;
    turned = vec3(dot(a.xyz, normal), dot(b.xyz, normal), dot(c.xyz, normal));
  }`, `#version 300 es
  precision lowp float;
  void main() {}`];
const BODY = [`#version 300 es
  layout(location = 0) in vec3 moved; layout(location = 1) in vec3 turned;
  layout(location = 2) in float foot;
  uniform mat4 view; uniform vec4 feet[2];
  out vec3 place; out vec3 direction; out vec4 mark;
  void main() {
    place = moved; direction = turned;
    mark = foot > 1.5 ? feet[1] : foot > 0.5 ? feet[0] : vec4(0);
    gl_Position = view * vec4(moved, 1);
  }`, `#version 300 es
  precision highp float;
  in vec3 place; in vec3 direction; in vec4 mark;
  uniform vec3 colour; uniform vec3 eye; uniform vec3 lamp; uniform bool flatly; uniform float opacity;
  out vec4 ink;
  void main() {
    vec3 n = normalize(flatly ? cross(dFdx(place), dFdy(place)) : direction);
    vec3 v = normalize(eye - place);
    if (dot(n, v) < 0.0) n = -n;
    vec3 base = mix(colour, mark.rgb, mark.a);
    float light = 0.36 + 0.24 * (0.5 + 0.5 * n.z) + 0.52 * max(dot(n, lamp), 0.0);
    float rim = pow(1.0 - max(dot(n, v), 0.0), 3.0);
    ink = vec4(base * light + 0.09 * rim, opacity);
  }`];
const SHADOW = [`#version 300 es
  layout(location = 0) in vec3 moved;
  uniform mat4 view; uniform vec3 lamp;
  void main() {
    vec3 fallen = moved - lamp * (max(moved.z, 0.0) / lamp.z);
    gl_Position = view * vec4(fallen.xy, 0.002, 1);
  }`, `#version 300 es
  precision mediump float;
  out vec4 ink;
  void main() { ink = vec4(0.13, 0.16, 0.22, 0.26); }`];
const FLOOR = [`#version 300 es
  layout(location = 0) in vec3 vertex;
  uniform mat4 view; uniform vec3 middle; out vec2 place;
  void main() { place = vertex.xy * 40.0 + middle.xy; gl_Position = view * vec4(place, 0, 1); }`,
  `#version 300 es
  precision highp float;
  in vec2 place; uniform vec3 middle; uniform float reach; out vec4 ink;
  void main() {
    vec2 tile = place / 0.5, soft = max(fwidth(tile), vec2(1e-4));
    vec2 wave = clamp((abs(fract(tile / 2.0) - 0.5) - 0.25) * 4.0 / (2.0 * soft), -1.0, 1.0);
    float far = length(place - middle.xy) / reach;
    float chequer = wave.x * wave.y * exp(-2.0 * far * far) * clamp(1.6 - max(soft.x, soft.y), 0.0, 1.0);
    vec3 plain = mix(vec3(0.87, 0.885, 0.91), vec3(0.962, 0.968, 0.978), smoothstep(0.2, 1.4, far));
    ink = vec4(plain + 0.045 * chequer, 1);
  }`];
const ARROW = [`#version 300 es
  layout(location = 0) in vec3 vertex;
  uniform mat4 view; uniform vec3 shift; uniform mat3 axes; uniform float length;
  void main() {
    vec3 v = vertex.z > 0.5 ? vec3(vertex.xy * 0.05, length + (vertex.z - 1.0) * 0.24)
                            : vec3(vertex.xy * 0.018, vertex.z * 2.0 * (length - 0.12));
    gl_Position = view * vec4(axes * v + shift, 1);
  }`, `#version 300 es
  precision mediump float;
  out vec4 ink;
  void main() { ink = vec4(0.80, 0.20, 0.62, 1); }`];

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

// ---- the player: time, camera and controls -----------------------------------------------------

const BAR = `
  <div class="ml-stage"><canvas></canvas><div class="ml-titles"></div>
    <div class="ml-legend"><i style="background:#1a9e52"></i>touches<i style="background:#f29e12"></i>slides
      <i style="background:#db1a1f"></i>penetrates<span class="ml-force"><i style="background:#cc339e"></i>assistance</span></div></div>
  <div class="ml-bar">
    <button data-do="back" title="one frame back (left arrow)">&#9664;&#xFE0E;&#8739;</button>
    <button data-do="play" class="ml-play" title="play or pause (space)">Play</button>
    <button data-do="forward" title="one frame on (right arrow)">&#8739;&#9654;&#xFE0E;</button>
    <input type="range" class="ml-time" min="0" step="any" aria-label="time">
    <output class="ml-clock"></output>
  </div>
  <div class="ml-bar ml-choices">
    <label class="ml-many">scene <select class="ml-scene"></select></label>
    <label>speed <select class="ml-speed"></select></label>
    <label>body <select class="ml-look"></select></label>
    <label class="ml-several">bodies <select class="ml-layout"><option>beside</option><option>overlaid</option></select></label>
    <label>curve <select class="ml-curve"></select></label>
    <label><input type="checkbox" class="ml-loop" checked> loop</label>
    <label><input type="checkbox" class="ml-follow" checked> follow</label>
  </div>
  <div class="ml-curves" hidden><canvas class="ml-plot"></canvas><i class="ml-now"></i></div>`;
const CSS = `
  .motionloop-player { font: 14px/1.4 system-ui, sans-serif; color: #222; max-width: 100%; outline: none; }
  .motionloop-player .ml-stage { position: relative; width: 100%; aspect-ratio: 16 / 10; max-height: 60vh; background: #f5f7fa; overflow: hidden; }
  .motionloop-player .ml-stage canvas { width: 100%; height: 100%; display: block; touch-action: none; cursor: grab; }
  .motionloop-player .ml-titles span { position: absolute; left: 0; top: 0; padding: 0 .5em; border-radius: .7em; background: rgba(255,255,255,.8); white-space: nowrap; font-size: 12.5px; pointer-events: none; }
  .motionloop-player .ml-titles b { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; }
  .motionloop-player .ml-legend { position: absolute; right: .6em; top: .5em; font-size: 11.5px; color: #556; pointer-events: none; }
  .motionloop-player .ml-legend i { display: inline-block; width: .75em; height: .75em; border-radius: 2px; margin: 0 .35em 0 .9em; }
  .motionloop-player .ml-bar { display: flex; flex-wrap: wrap; gap: .5em .8em; align-items: center; padding: .4em .2em 0; }
  .motionloop-player .ml-bar label { white-space: nowrap; color: #556; }
  .motionloop-player .ml-time { flex: 1 1 8em; min-width: 6em; }
  .motionloop-player .ml-clock { font-variant-numeric: tabular-nums; color: #556; min-width: 11.5em; }
  .motionloop-player button, .motionloop-player select { font: inherit; padding: .15em .6em; border: 1px solid #c3c8d0; border-radius: 6px; background: #fff; color: #222; }
  .motionloop-player .ml-play { min-width: 4.6em; font-weight: 600; }
  .motionloop-player .ml-scene { max-width: 24em; }
  .motionloop-player .ml-curves { position: relative; }
  .motionloop-player .ml-plot { width: 100%; height: 9em; display: block; }
  .motionloop-player .ml-now { position: absolute; left: 0; top: 14px; bottom: 4px; width: 1.5px; background: #222; pointer-events: none; }
  .motionloop-player .ml-error { padding: 1em; color: #a11; }
  @media print { .motionloop-player .ml-bar { display: none; } }`;

let active = null;  // the player that the keyboard is for: the last one touched, or the only one

class Player {
  constructor(root, data) {
    this.root = root; this.data = data;
    const listed = (root.dataset.scenes ?? "").split(",").filter(Boolean).map(Number);
    this.scenes = listed.length ? listed.map((n) => data.scenes[n]) : data.scenes;
    root.innerHTML = BAR;
    root.tabIndex = 0;
    this.find = (name) => root.querySelector(".ml-" + name);
    this.stage = new Stage(root.querySelector(".ml-stage canvas"));
    this.time = 0; this.duration = 0; this.playing = false; this.frames = 0; this.clips = [];
    this.view = { ...FRONT };
    this.keys = {};  // what a script of the page adds to the keyboard
    this.fill("speed", SPEEDS.map((s) => [s, s + "×"]), 1);
    this.fill("scene", this.scenes.map((s, n) => [n, s.title]), 0);
    this.find("many").hidden = this.scenes.length < 2;
    this.listen();
    if (this.scenes.length) this.choose(0);
    this.wanted = root.dataset.play !== undefined;  // to play as soon as there is something
    if (this.wanted) this.play(true);
    active ??= this;
    const tick = (now) => { this.tick(now); requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
  }

  fill(name, options, chosen) {
    const select = this.find(name);
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
    select.value = chosen;
  }

  choose(n) {
    this.find("scene").value = n;
    this.display(this.scenes[n], this.data);
  }

  // Show a scene; its arrays are in `data`, its surfaces there or in what came before.
  display(scene, data) {
    this.scene = scene;
    for (const [name, surface] of Object.entries(data.surfaces)) if (!this.data.surfaces[name]) {
      this.data.surfaces[name] = surface;
      for (const key of ["vertices", "faces", "joints", "weights", "foot"])
        this.data.blobs[surface[key]] = data.blobs[surface[key]];
    }
    for (const clip of this.clips) this.stage.forget(clip);
    this.clips = scene.clips.map((c) => new Clip(data, c));
    this.duration = Math.max(...this.clips.map((c) => (c.length - 1) / c.fps));
    this.rate = this.clips[0].fps;
    this.time = Math.min(this.time, this.duration);
    this.find("time").max = this.duration || 1;
    this.find("time").disabled = !this.duration;
    this.find("several").hidden = this.clips.length < 2;
    const looks = LOOKS.filter((l) => this.clips.every((c) => c.surfaces[l]));
    const look = this.find("look").value;
    this.fill("look", looks.map((l) => [l, l]), looks.includes(look) ? look : looks[0]);
    const names = [...new Set(this.clips.flatMap((c) => c.curves.map((k) => k.name)))];
    const curve = this.find("curve").value;
    const offered = ["", "all", ...names], first = this.root.dataset.curve ?? "";
    this.fill("curve", offered.map((name) => [name, name || "none"]), offered.includes(curve) && this.drawn ? curve : first);
    this.drawn = true;
    this.find("titles").replaceChildren(...this.clips.map((clip) => {
      const tag = document.createElement("span"), dot = document.createElement("b");
      dot.style.background = `rgb(${clip.colour.map((x) => Math.round(255 * x))})`;
      tag.append(dot, clip.title + (clip.note ? " · " + clip.note : ""));
      tag.hidden = !clip.title && !clip.note;
      return tag;
    }));
    this.widths = [];  // of the tags, pixels
    this.find("force").hidden = !this.clips.some((c) => c.force);
    this.centre = null;
    if (this.wanted) this.play(true);
    this.dirty = true;
  }

  listen() {
    const { root, find } = this;
    const act = { play: () => this.play(), back: () => this.step(-1), forward: () => this.step(1) };
    for (const button of root.querySelectorAll("[data-do]")) button.onclick = () => act[button.dataset.do]();
    find("time").oninput = () => { this.play(false); this.seek(Number(find("time").value)); };
    find("scene").onchange = () => this.choose(Number(find("scene").value));
    for (const name of ["look", "layout", "curve", "follow"]) find(name).onchange = () => { this.dirty = true; };
    root.addEventListener("pointerdown", () => { active = this; });
    new ResizeObserver(() => { this.dirty = true; }).observe(root);
    const canvas = this.stage.canvas, held = new Map();
    canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); held.set(e.pointerId, [e.clientX, e.clientY]); });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (e) => held.delete(e.pointerId));
    canvas.addEventListener("contextmenu", (e) => e.preventDefault());
    canvas.addEventListener("pointermove", (e) => {
      const last = held.get(e.pointerId);
      if (!last) return;
      const dx = e.clientX - last[0], dy = e.clientY - last[1], v = this.view;
      if (held.size === 2) {  // two fingers: zoom
        const other = [...held].find(([id]) => id !== e.pointerId)[1];
        const span = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
        v.zoom *= span(last) / span([e.clientX, e.clientY]);
      } else if (e.shiftKey || e.buttons & 2) {
        const s = this.camera.distance * FOV / canvas.clientHeight;
        v.aside -= dx * s; v.up += dy * s;
      } else {
        v.turn -= 0.006 * dx;
        v.elevation = Math.min(1.5, Math.max(-0.1, v.elevation + 0.006 * dy));
      }
      held.set(e.pointerId, [e.clientX, e.clientY]);
      this.dirty = true;
    });
    canvas.addEventListener("wheel", (e) => {
      e.preventDefault();
      this.view.zoom = Math.min(10, Math.max(0.2, this.view.zoom * Math.exp(0.001 * e.deltaY)));
      this.dirty = true;
    }, { passive: false });
    const plot = find("plot");
    plot.addEventListener("pointerdown", (e) => { this.play(false); this.seek(this.duration * (e.offsetX - 46) / (plot.clientWidth - 54)); });
  }

  play(on = !this.playing) {
    this.playing = on && this.duration > 0;
    if (this.playing && this.time >= this.duration && !this.find("loop").checked) this.time = 0;
    this.find("play").textContent = this.playing ? "Pause" : "Play";
    this.last = null;
  }

  // Choose in one of the lists, where it has such a choice.
  set(name, value) {
    const select = this.find(name);
    if ([...select.options].some((option) => option.value === value)) select.value = value;
    this.dirty = true;
  }

  seek(time) { this.time = Math.min(this.duration, Math.max(0, time)); this.dirty = true; }

  step(frames) {
    this.play(false);
    this.seek((Math.round(this.time * this.rate) + frames) / this.rate);
  }

  tick(now) {
    if (this.playing) {
      const passed = Math.min(0.25, (now - (this.last ?? now)) / 1000) * Number(this.find("speed").value);
      this.last = now;
      let time = this.time + passed;
      if (time > this.duration) {
        if (this.find("loop").checked) time %= this.duration;
        else { time = this.duration; this.play(false); }
      }
      this.time = time;
      this.dirty = true;
    }
    if (this.dirty && this.clips.length && this.stage.canvas.clientWidth) { this.dirty = false; this.show(); }
  }

  // Where clip n stands beside the others, m; overlaid clips of one group share a place.
  place(n) {
    const overlaid = this.find("layout").value === "overlaid";
    const groups = [...new Set(this.clips.map((clip) => clip.group))];
    const [at, count] = overlaid ? [groups.indexOf(this.clips[n].group), groups.length] : [n, this.clips.length];
    const by = 1.25 * (at - (count - 1) / 2), a = this.scene.azimuth;
    return [-Math.sin(a) * by, Math.cos(a) * by, 0];
  }

  show() {
    const { time, clips, view } = this, overlaid = this.find("layout").value === "overlaid";
    const look = this.find("look").value;
    const roots = clips.map((clip) => clip.rootAt(time));
    const middle = [0, 1].map((k) => roots.reduce((sum, r) => sum + r[k], 0) / roots.length);
    if (!this.centre || this.find("follow").checked) this.centre = middle;
    const azimuth = this.scene.azimuth + view.turn, ca = Math.cos(azimuth), sa = Math.sin(azimuth);
    const ce = Math.cos(view.elevation), se = Math.sin(view.elevation);
    const camera = this.camera = { back: [ca * ce, sa * ce, se], right: [-sa, ca, 0] };
    camera.distance = view.zoom * (3.1 + 0.75 * (clips.length - 1));
    camera.target = [this.centre[0] - sa * view.aside, this.centre[1] + ca * view.aside, 0.92 + view.up];
    camera.eye = camera.target.map((t, k) => t + camera.distance * camera.back[k]);
    const bodies = clips.map((clip, n) => {
      const at = Math.round(clip.frame(time));
      return {
        mesh: this.mesh(clip, look), matrices: clip.poseAt(time),
        shift: this.place(n), colour: clip.colour, feet: [...clip.feet.subarray(2 * at, 2 * at + 2)].map((s) => MARKS[s]),
        opacity: overlaid && clips[n + 1]?.group === clip.group ? 0.55 : 1, root: roots[n],
        force: clip.force ? [...clip.force.subarray(3 * at, 3 * at + 3)] : null,
      };
    });
    // What is seen through is drawn after what is not.
    this.stage.draw(bodies.sort((a, b) => b.opacity - a.opacity), camera);
    this.frames++;
    this.tags(roots, camera);
    this.find("time").value = time;
    const frame = Math.round(time * this.rate), last = Math.round(this.duration * this.rate);
    this.find("clock").textContent = `${time.toFixed(2)} / ${this.duration.toFixed(2)} s · frame ${frame} / ${last}`;
    this.plot();
  }

  mesh(clip, look) {
    return clip.meshes[look] ??= this.stage.posed(this.stage.surface(this.data, clip.surfaces[look]));
  }

  tags(roots, camera) {
    const up = cross(camera.back, camera.right), tags = this.find("titles").children, rows = [];
    const focal = this.stage.canvas.clientHeight / 2 / Math.tan(FOV / 2);
    for (let n = 0; n < tags.length; n++) {
      const shift = this.place(n), front = 0.5 / Math.hypot(camera.back[0], camera.back[1]);  // m towards the camera, not on the feet
      const at = [roots[n][0] + shift[0] + front * camera.back[0], roots[n][1] + shift[1] + front * camera.back[1], 0].map((x, k) => x - camera.eye[k]);
      const depth = -dot(at, camera.back);
      tags[n].style.visibility = depth > 0 ? "visible" : "hidden";
      const left = this.stage.canvas.clientWidth / 2 + focal * dot(at, camera.right) / depth;
      const half = (this.widths[n] ??= tags[n].offsetWidth) / 2 + 4;
      const top = this.stage.canvas.clientHeight / 2 - focal * dot(at, up) / depth;
      const shown = Math.min(this.stage.canvas.clientWidth - half, Math.max(half, left));
      // Tags that would cover each other stand one below the other.
      let row = Math.min(top, this.stage.canvas.clientHeight - 24);
      for (const other of rows) if (Math.abs(other[0] - shown) < other[2] + half && Math.abs(other[1] - row) < 22) row = other[1] - 23;
      rows.push([shown, row, half]);
      tags[n].style.transform = `translate(${shown - half + 4}px, ${row}px)`;
    }
  }

  // The chosen curves of every clip, a row each, drawn when they change; a line shows the time.
  plot() {
    const canvas = this.find("plot"), chosen = this.find("curve").value;
    this.find("curves").hidden = !chosen;
    if (!chosen) return;
    this.find("now").style.transform = `translateX(${46 + (canvas.clientWidth - 54) * this.time / (this.duration || 1)}px)`;
    const drawn = [this.clips, chosen, canvas.clientWidth, window.devicePixelRatio];
    if (this.plotted?.every((value, n) => value === drawn[n])) return;
    this.plotted = drawn;
    const all = [...new Set(this.clips.flatMap((c) => c.curves.map((k) => k.name)))];
    const names = chosen === "all" ? all : [chosen];
    canvas.style.height = names.length > 1 ? `${5.2 * names.length}em` : "";
    const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    names.forEach((name, n) => this.row(pen, name, [n * height / names.length, (n + 1) * height / names.length], width));
  }

  row(pen, name, [upper, lower], width) {
    const lines = this.clips.flatMap((clip) => clip.curves.filter((c) => c.name === name).map((c) => ({ ...c, clip })));
    let low = 0, high = 1e-3;
    for (const { values } of lines) for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
    const left = 46, right = width - 8, top = upper + 18, bottom = lower - 8;
    const x = (t) => left + (right - left) * t / (this.duration || 1), y = (v) => bottom - (bottom - top) * (v - low) / (high - low);
    pen.font = "11.5px system-ui, sans-serif"; pen.fillStyle = "#556"; pen.strokeStyle = "#d5d9e0"; pen.lineWidth = 1;
    pen.fillText(`${name}, ${lines[0].unit}`, left, top - 6);
    for (const v of [low, high]) {
      pen.fillText(Math.abs(v) < 10 ? v.toFixed(2) : v.toFixed(0), 4, y(v) + 4);
      pen.beginPath(); pen.moveTo(left, y(v)); pen.lineTo(right, y(v)); pen.stroke();
    }
    pen.lineWidth = 1.6;
    for (const { values, clip } of lines) {
      const every = Math.max(1, Math.floor(values.length / (2 * width)));
      pen.strokeStyle = `rgb(${clip.colour.map((c) => Math.round(215 * c))})`;
      pen.beginPath();
      for (let i = 0; i < values.length; i += every) pen.lineTo(x(i / clip.fps), y(values[i]));
      pen.stroke();
    }
  }

  next(name, by = 1) {
    const select = this.find(name), count = select.options.length;
    select.selectedIndex = (select.selectedIndex + by + count) % count;
    select.dispatchEvent(new Event("change"));
  }

  // Whether the key meant something.
  key(e) {
    const keys = {
      " ": () => this.play(), ArrowLeft: () => this.step(e.shiftKey ? -10 : -1), ArrowRight: () => this.step(e.shiftKey ? 10 : 1),
      Home: () => { this.play(false); this.seek(0); }, End: () => { this.play(false); this.seek(this.duration); },
      "+": () => this.next("speed"), "-": () => this.next("speed", -1), n: () => this.next("scene"), p: () => this.next("scene", -1),
      b: () => this.next("layout"), v: () => this.next("look"), c: () => this.next("curve"),
      l: () => this.find("loop").click(), f: () => this.find("follow").click(),
      r: () => { this.view = { ...FRONT }; this.dirty = true; }, ...this.keys,
    };
    if (e.ctrlKey || e.metaKey || e.altKey || !keys[e.key]) return false;
    keys[e.key]();
    return true;
  }
}

document.addEventListener("keydown", (e) => {
  if (!active || /^(SELECT|TEXTAREA)$/.test(e.target.tagName) || e.target.matches?.("input:not([type=range], [type=checkbox])")) return;
  if (active.key(e)) e.preventDefault();
});

async function start() {
  const style = document.createElement("style");
  style.textContent = CSS;
  document.head.append(style);
  for (const root of document.querySelectorAll(".motionloop-player")) {
    try {
      const live = root.dataset.live !== undefined;
      root.motionloop = new Player(root, live ? { blobs: {}, surfaces: {}, scenes: [] } : await pageData());
    } catch (error) {
      console.error(error);
      root.innerHTML = '<p class="ml-error"></p>';
      root.firstChild.textContent = `This motion cannot be shown: ${error.message}`;
    }
  }
}
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
})();
