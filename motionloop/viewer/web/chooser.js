// The choices of a page that is served: which run, generation and sample its player shows.
// The choice stands in the address, so that a view can be kept, sent and opened again; look, layout,
// curve and time (s, where it stands still) may be written there too.
"use strict";
(() => {
const COLUMNS = 4, LOOK_AGAIN = 10;  // s between looks for new generations of a run that still goes
const BAR = `
  <div class="ml-bar ml-columns"></div>
  <div class="ml-bar">
    <label class="ml-run">samples <select data-name="kind"></select></label>
    <label class="ml-run">show <select data-name="part"></select></label>
    <label>caption <select data-name="caption"></select></label>
    <label>sort by <select data-name="order"></select></label>
  </div>
  <div class="ml-bar">
    <button data-by="-1" title="sample before (p)">&#9664;&#xFE0E;</button>
    <input type="range" class="ml-place" min="0" step="1" value="0" aria-label="sample">
    <button data-by="1" title="sample after (n)">&#9654;&#xFE0E;</button>
    <output class="ml-count"></output>
  </div>
  <ul class="ml-about"></ul>`;
const CSS = `
  .ml-chooser { font: 14px/1.4 system-ui, sans-serif; color: #222; margin-bottom: .5em; }
  .ml-chooser .ml-bar { display: flex; flex-wrap: wrap; gap: .4em .9em; align-items: center; padding: .2em 0; }
  .ml-chooser label, .ml-chooser output { color: #556; white-space: nowrap; }
  .ml-chooser button, .ml-chooser select { font: inherit; padding: .15em .5em; border: 1px solid #c3c8d0; border-radius: 6px; background: #fff; color: #222; max-width: 20em; }
  .ml-chooser .ml-column { padding: .1em .5em; border: 1px solid #e2e5ea; border-radius: 8px; display: inline-flex; gap: .4em; align-items: center; }
  .ml-chooser .ml-place { flex: 1 1 10em; }
  .ml-chooser .ml-about { margin: .3em 0 0; padding: 0; list-style: none; color: #334; font-size: 13px; min-height: 1.4em; }
  .ml-chooser .ml-wrong { color: #a11; }
  .ml-chooser.ml-waiting .ml-about { opacity: .4; }
  .ml-chooser [hidden] { display: none; }`;

class Chooser {
  constructor(root, player) {
    this.root = root; this.player = player; this.asked = 0;
    root.innerHTML = BAR;
    const asked = new URLSearchParams(location.search);
    this.columns = asked.getAll("column").map((text) => {
      const at = text.lastIndexOf(":");
      return [text.slice(0, at), Number(text.slice(at + 1))];
    });
    this.place = Number(asked.get("place") ?? 0);
    this.wanted = Object.fromEntries(asked);
    for (const select of this.selects()) select.onchange = () => {
      if (select.dataset.name !== "part") this.place = 0;
      this.ask();
    };
    this.find("place").oninput = () => { this.place = Number(this.find("place").value); this.ask(); };
    for (const button of root.querySelectorAll("[data-by]")) button.onclick = () => this.move(Number(button.dataset.by));
    Object.assign(player.keys, {
      n: () => this.move(1), p: () => this.move(-1), g: () => this.nextGeneration(1), G: () => this.nextGeneration(-1),
    });
  }

  find(name) { return this.root.querySelector(".ml-" + name); }
  selects() { return this.root.querySelectorAll("select[data-name]"); }
  value(name) { return this.root.querySelector(`[data-name=${name}]`).value; }

  static fill(select, options, value) {
    const texts = options.map(String);
    if (texts.join("\n") !== [...select.options].map((o) => o.value).join("\n"))
      select.replaceChildren(...texts.map((text) => new Option(text, text)));
    select.value = texts.includes(String(value)) ? value : texts[0];
  }

  async start() {
    await this.menu();
    for (const name of ["kind", "part", "order"])
      Chooser.fill(this.root.querySelector(`[data-name=${name}]`), this.offered[name], this.wanted[name]);
    this.caption = this.wanted.caption;
    if (!this.columns.length) this.columns = this.offered.first;
    this.draw();
    await this.ask();
    for (const name of ["look", "layout", "curve"]) this.player.set(name, this.wanted[name]);
    if (this.wanted.time) { this.player.play(false); this.player.seek(Number(this.wanted.time)); }
    setInterval(() => { if (!document.hidden) this.lookAgain(); }, 1000 * LOOK_AGAIN);
  }

  // What there is to choose from; a run that still goes has more each time.
  async menu() {
    const reply = await fetch("menu");
    this.offered = await reply.json();
    this.generations = Object.fromEntries(this.offered.sources.map((s) => [s.name, s.generations]));
    for (const label of this.root.querySelectorAll(".ml-run")) label.hidden = !this.offered.sources.some((s) => s.run);
  }

  async lookAgain() {
    await this.menu();
    const first = !this.columns.length;
    if (first) this.columns = this.offered.first;
    this.draw();
    if (first && this.columns.length) await this.ask();
  }

  draw() {
    const names = Object.keys(this.generations), bar = this.find("columns");
    if (bar.contains(document.activeElement)) return;  // not while a person chooses
    bar.replaceChildren(...this.columns.map(([name, generation], n) => {
      const box = document.createElement("span"), run = document.createElement("select"), number = document.createElement("select");
      box.className = "ml-column";
      Chooser.fill(run, names, name);
      Chooser.fill(number, this.generations[run.value] ?? [], generation);
      run.title = "run"; number.title = "generation";
      run.onchange = () => { this.columns[n] = [run.value, this.nearest(run.value, this.columns[n][1])]; this.changed(); };
      number.onchange = () => { this.columns[n] = [run.value, Number(number.value)]; this.changed(); };
      box.append(run);
      if (this.offered.sources.find((s) => s.name === run.value)?.run) box.append("generation", number);
      if (this.columns.length > 1) {
        const away = document.createElement("button");
        away.textContent = "×"; away.title = "take away";
        away.onclick = () => { this.columns.splice(n, 1); this.changed(); };
        box.append(away);
      }
      return box;
    }));
    if (this.columns.length && this.columns.length < COLUMNS && (names.length > 1 || this.generations[names[0]].length > 1)) {
      const more = document.createElement("button");
      more.textContent = "+ beside it"; more.className = "ml-more";
      more.onclick = () => { this.columns.push(this.another()); this.changed(); };
      bar.append(more);
    }
  }

  // What a new column shows: the next run, or the generation before.
  another() {
    const names = Object.keys(this.generations), [name, generation] = this.columns.at(-1);
    const free = names.find((other) => !this.columns.some((c) => c[0] === other));
    if (free) return [free, this.nearest(free, generation)];
    const before = this.generations[name].filter((g) => g < generation).at(-1);
    return [name, before ?? generation];
  }

  nearest(name, generation) {
    const found = this.generations[name];
    return found.includes(generation) ? generation : found.at(-1) ?? 0;
  }

  changed() { document.activeElement?.blur(); this.draw(); this.ask(); }

  move(by) {
    this.place = Math.min(Math.max(this.place + by, 0), Number(this.find("place").max));
    this.ask();
  }

  nextGeneration(by) {
    for (const column of this.columns) {
      const found = this.generations[column[0]];
      column[1] = found[(found.indexOf(column[1]) + by + found.length) % found.length];
    }
    this.changed();
  }

  query() {
    const query = new URLSearchParams();
    for (const [name, generation] of this.columns) query.append("column", `${name}:${generation}`);
    for (const name of ["kind", "part", "order"]) query.set(name, this.value(name));
    query.set("caption", this.value("caption") || this.caption || "");
    query.set("place", this.place);
    return query;
  }

  // Ask for the chosen scene; an answer that comes after a newer question is left.
  async ask() {
    const mine = ++this.asked, query = this.query();
    history.replaceState(null, "", "?" + query);
    for (const name of Object.keys(this.player.data.surfaces)) query.append("known", name);
    this.root.classList.add("ml-waiting");
    let answer;
    try {
      const reply = await fetch("scene?" + query);
      answer = await reply.json();
    } catch {
      answer = { wrong: "the program that serves this page does not answer; is it still running?" };
    }
    if (mine !== this.asked) return;
    this.root.classList.remove("ml-waiting");
    this.tell(answer);
    if (answer.wrong) return;
    Chooser.fill(this.root.querySelector("[data-name=caption]"), answer.captions, answer.caption);
    this.place = answer.place;
    Object.assign(this.find("place"), { max: answer.count - 1, value: answer.place, disabled: answer.count < 2 });
    this.find("count").textContent = `${answer.place + 1} of ${answer.count}`;
    this.player.display(answer.data.scenes[0], answer.data);
    this.shown = mine;
  }

  tell(answer) {
    const line = (text, name) => {
      const item = document.createElement("li");
      item.textContent = text; item.className = name;
      return item;
    };
    this.find("about").replaceChildren(
      ...(answer.about ?? []).map((text) => line(text, "")),
      ...[answer.wrong, ...this.offered.problems].filter(Boolean).map((text) => line(text, "ml-wrong")),
    );
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const style = document.createElement("style");
  style.textContent = CSS;
  document.head.append(style);
  const root = document.querySelector(".ml-chooser"), player = document.querySelector(".motionloop-player").motionloop;
  if (player) (root.motionloop = new Chooser(root, player)).start();
});
})();
