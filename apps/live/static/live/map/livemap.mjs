// The live map: positions as they come.

import { Feed } from "../feed.mjs";
import { find, showState } from "../page.mjs";
import { View } from "./view.mjs";

const AGES_MS = 5000; // how often ages are written anew without news

const view = new View(() => Date.now());
const place = (positions) => {
  positions.forEach((position) => view.crews.place(position));
  view.draw();
};

view.draw();
new Feed(showState).follow(find("map").dataset.topic, { snapshot: place, changes: place });
setInterval(() => view.draw(), AGES_MS);
await view.open();
