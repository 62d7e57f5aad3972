// What live map and replay share: the map with its course and crews, the list, the filter, and following a crew.

import { calm, find, given, say, words } from "../page.mjs";
import { onScheme } from "./colours.mjs";
import { openCourse, positionsOf } from "./course.mjs";
import { crewLayers } from "./crewlayers.mjs";
import { showInList, writeList } from "./crewlist.mjs";
import { Crews } from "./crews.mjs";
import { fit, makeMap } from "./ground.mjs";

const DRAW_EVERY_MS = 200;

export class View {
  crews = new Crews(given("crew-data"));
  #map = null;
  #drawCrews = null;
  #showCourse = null;
  #stage = null;
  #now;
  #drawing = 0;
  #fitted = false;

  /** `now()` is the instant that is shown, epoch ms. */
  constructor(now) {
    this.#now = now;
    const asked = new URLSearchParams(location.search);
    this.#wireFilter(asked.get("class") ?? "", asked.get("find") ?? "");
    this.crews.followed = this.crews.byNumber(asked.get("follow"))?.entryId ?? null;
    onScheme(() => location.reload());
  }

  /** Resolves when the map is there; without WebGL the list remains. */
  async open(stage = null) {
    const container = find("map");
    try {
      this.#map = await makeMap(container);
    } catch (error) {
      console.warn("no map", error);
      container.hidden = true;
      return;
    }
    await this.#openCourse(container.dataset.course);
    this.look(this.#stage ?? stage);
    this.#drawCrews = crewLayers(this.#map, (entryId) => this.follow(entryId));
    container.dataset.ready = "true";
    this.draw();
  }

  async #openCourse(address) {
    try {
      this.#showCourse = await openCourse(this.#map, address);
    } catch (error) {
      console.warn("no course", error);
      find("announcement").textContent = words.noCourse;
    }
  }

  /** Keep to the course of one stage, and go there; without one all are drawn, and the one that runs is gone to. */
  look(stage) {
    const isHere = stage !== null && stage === this.#stage && this.#fitted;
    this.#stage = stage;
    if (!this.#showCourse || isHere) return;
    const features = this.#showCourse(stage);
    const ofStage = features.filter(({ properties }) => properties.stage === (stage ?? find("map").dataset.stage));
    fit(this.#map, positionsOf(ofStage.length ? ofStage : features), { animate: this.#fitted && !calm.matches });
    this.#fitted = features.length > 0;
  }

  /** Draw soon; many calls make one drawing. */
  draw() {
    this.#drawing ||= setTimeout(() => this.#drawNow(), DRAW_EVERY_MS);
  }

  #drawNow() {
    this.#drawing = 0;
    const now = this.#now();
    writeList(this.crews, now, (entryId) => this.follow(entryId));
    if (this.#inSight !== this.crews.followed) showInList((this.#inSight = this.crews.followed));
    if (!this.#drawCrews) return;
    this.#drawCrews(this.crews, now);
    const crew = this.crews.of(this.crews.followed);
    if (crew?.at) this.#go([crew.at.lon, crew.at.lat]);
    else this.#fitCrews();
  }

  /** Once, where there was no course to fit the view to. */
  #fitCrews() {
    const seen = this.crews.shown().filter((crew) => crew.at).map((crew) => [crew.at.lon, crew.at.lat]);
    if (this.#fitted || !seen.length) return;
    this.#fitted = true;
    fit(this.#map, seen);
  }

  #go(center) {
    const zoom = Math.max(this.#map.getZoom(), this.#following === this.crews.followed ? 0 : 12);
    this.#following = this.crews.followed;
    if (calm.matches) this.#map.jumpTo({ center, zoom });
    else this.#map.easeTo({ center, zoom, duration: 500, easing: (t) => t });
  }

  #following = null;
  #inSight = null;

  /** Follow a crew, or nobody when it is followed already. */
  follow(entryId) {
    this.crews.followed = this.crews.followed === entryId ? null : entryId;
    const crew = this.crews.of(this.crews.followed);
    this.#following = null;
    find("announcement").textContent = crew ? say(words.followed, { number: crew.raceNumber, crew: crew.crew }) : words.unfollowed;
    keep("follow", crew?.raceNumber ?? "");
    this.draw();
  }

  #wireFilter(classCode, text) {
    const [select, search] = [find("class"), find("search")];
    select.value = classCode;
    search.value = text;
    this.crews.chosen = { classCode: select.value, text };
    select.addEventListener("change", () => {
      this.crews.chosen.classCode = select.value;
      keep("class", select.value);
      this.draw();
    });
    search.addEventListener("input", () => {
      this.crews.chosen.text = search.value;
      keep("find", search.value.trim());
      this.draw();
    });
  }
}

/** Keep a choice in the address, so that it can be shared. */
function keep(name, value) {
  const url = new URL(location.href);
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
  history.replaceState(null, "", url);
}
