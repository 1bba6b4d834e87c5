// One clip: its arrays from the page's data, and the matrices that move a surface at a time.
// This and the other files of the player are put into one script; see player.js.

const PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21];
const JOINTS = 24;

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
