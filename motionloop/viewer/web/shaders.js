// What runs on the graphics card: skinning, bodies, their shadows, the floor and arrows.

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
