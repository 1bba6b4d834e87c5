// The player of motion pages: time, camera, controls and curves of the bodies on a stage.
// It needs no server, no network and no library. A page holds one data block
// (<script id="motionloop-scenes">) and any number of <div class="motionloop-player">; a player with
// data-live waits for a script of its page to give it scenes (display). Its script is clip.js,
// shaders.js, stage.js, curves.js and this file in one function, so that a page has no names of theirs.

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
const LOOKS = ["skin", "skeleton", "humanoid"];
// Where the camera stands before anybody moves it, from the scene's own side.
const FRONT = { turn: 0, elevation: 0.2, zoom: 1, aside: 0, up: 0 };

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
  <div class="ml-curves" hidden></div>`;
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
    this.wanted = root.dataset.play !== undefined;  // to play as soon as there is something
    if (this.scenes.length) this.choose(0);
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
    if (this.wanted && this.duration > 0) {
      this.wanted = false;
      this.play(true);
    }
    if (!this.duration) this.play(false);
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
    this.curves = new Curves(find("curves"), (part) => { this.play(false); this.seek(part * this.duration); });
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
    this.curves.show(this.clips, this.find("curve").value, this.time, this.duration);
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
