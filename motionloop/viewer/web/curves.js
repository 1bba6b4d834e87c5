// The curves of several clips over time, a row for each quantity, and a line where the time stands.

const LEFT = 46, RIGHT = 8;  // margins of the plot, pixels

class Curves {
  // `seek` is called with the part of the time, in [0, 1], that a person points at.
  constructor(box, seek) {
    this.box = box;
    box.innerHTML = '<canvas class="ml-plot"></canvas><i class="ml-now"></i>';
    [this.canvas, this.line] = box.children;
    this.canvas.addEventListener("pointerdown", (e) => seek((e.offsetX - LEFT) / (this.canvas.clientWidth - LEFT - RIGHT)));
  }

  // Curves are drawn when they or the place for them change; the line moves with the time.
  // `chosen` is the name of a curve, "all", or "" for none.
  show(clips, chosen, time, duration) {
    const { canvas } = this;
    this.box.hidden = !chosen;
    if (!chosen) return;
    const x = LEFT + (canvas.clientWidth - LEFT - RIGHT) * time / (duration || 1);
    this.line.style.transform = `translateX(${x}px)`;
    const drawn = [clips, chosen, canvas.clientWidth, window.devicePixelRatio];
    if (this.drawn?.every((value, n) => value === drawn[n])) return;
    this.drawn = drawn;
    const all = [...new Set(clips.flatMap((clip) => clip.curves.map((curve) => curve.name)))];
    this.draw(clips, chosen === "all" ? all : [chosen], duration);
  }

  draw(clips, names, duration) {
    const { canvas } = this;
    canvas.style.height = names.length > 1 ? `${5.2 * names.length}em` : "";
    const width = canvas.clientWidth, height = canvas.clientHeight, ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    names.forEach((name, n) => {
      const lines = clips.flatMap((clip) => clip.curves.filter((c) => c.name === name).map((c) => ({ ...c, clip })));
      this.row(pen, lines, [n * height / names.length, (n + 1) * height / names.length], width, duration);
    });
  }

  row(pen, lines, [upper, lower], width, duration) {
    let low = 0, high = 1e-3;
    for (const { values } of lines) for (const v of values) { low = Math.min(low, v); high = Math.max(high, v); }
    const right = width - RIGHT, top = upper + 18, bottom = lower - 8;
    const x = (t) => LEFT + (right - LEFT) * t / (duration || 1), y = (v) => bottom - (bottom - top) * (v - low) / (high - low);
    pen.font = "11.5px system-ui, sans-serif"; pen.fillStyle = "#556"; pen.strokeStyle = "#d5d9e0"; pen.lineWidth = 1;
    if (lines.length) pen.fillText(`${lines[0].name}, ${lines[0].unit}`, LEFT, top - 6);
    for (const v of [low, high]) {
      pen.fillText(Math.abs(v) < 10 ? v.toFixed(2) : v.toFixed(0), 4, y(v) + 4);
      pen.beginPath(); pen.moveTo(LEFT, y(v)); pen.lineTo(right, y(v)); pen.stroke();
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
}
