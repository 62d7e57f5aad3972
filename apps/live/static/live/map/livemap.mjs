// The live map: positions as they come.

import { Feed } from "../feed.mjs";
import { find, showState } from "../page.mjs";
import { unpack } from "./tracks.mjs";
import { View } from "./view.mjs";

const AGES_MS = 5000; // how often ages are written anew without news
const SPREAD_MS = 2000; // pages that come back at one instant ask at different ones

const view = new View(() => Date.now());
const place = (positions) => {
  positions.forEach((position) => view.crews.place(position));
  view.draw();
};

async function askTrails() {
  const answer = await fetch(find("map").dataset.trails).catch(() => null);
  if (!answer?.ok) return; // then trails grow from here
  for (const [entryId, { ts, lat, lon }] of unpack(await answer.json())) {
    view.crews.comeFrom(entryId, ts.map((instant, n) => [lon[n], lat[n], instant]));
  }
  view.draw();
}

let isFirst = true;
const begin = (positions) => {
  place(positions);
  setTimeout(askTrails, isFirst ? 0 : Math.random() * SPREAD_MS);
  isFirst = false;
};

view.draw();
new Feed(showState).follow(find("map").dataset.topic, { snapshot: begin, changes: place });
setInterval(() => view.draw(), AGES_MS);
await view.open();
