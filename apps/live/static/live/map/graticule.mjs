// Lines of latitude and longitude for what is in view, so that a map without a ground still tells place and scale.

import { palette } from "./colours.mjs";

const STEPS = [30, 20, 10, 5, 2, 1, 1 / 2, 1 / 4, 1 / 6, 1 / 12, 1 / 30, 1 / 60, 1 / 120, 1 / 360, 1 / 720];
const LEAST_LINES = 3;
const HEAD_PX = 28;
const LABEL_PX = 64; // a meridian's, with the room it needs

/** Keep the graticule to the view; faint over a basemap. */
export function keepGraticule(map, faint) {
  map.addSource("graticule", { type: "geojson", data: collection([]) });
  map.addSource("graticule-labels", { type: "geojson", data: collection([]) });
  const opacity = faint ? 0.25 : 1;
  map.addLayer({ id: "graticule", type: "line", source: "graticule", paint: { "line-color": palette().line, "line-width": 1, "line-opacity": opacity } });
  map.addLayer({
    id: "graticule-labels", type: "symbol", source: "graticule-labels",
    layout: { "icon-image": ["concat", "label|", ["get", "text"]], "icon-anchor": ["get", "anchor"], "icon-allow-overlap": true, "icon-ignore-placement": true },
    paint: { "icon-opacity": 0.75 },
  });
  const renew = () => draw(map);
  map.on("moveend", renew);
  renew();
}

function draw(map) {
  const bounds = map.getBounds();
  const [west, east, south, north] = [bounds.getWest(), bounds.getEast(), Math.max(-85, bounds.getSouth()), Math.min(85, bounds.getNorth())];
  const least = ((east - west) * LABEL_PX) / map.getContainer().clientWidth;
  const step = stepFor(Math.min(east - west, (north - south) * 1.3), least);
  const meridians = multiples(west, east, step).map((lon) => lineOf([[lon, south - step], [lon, north + step]]));
  const parallels = multiples(south, north, step).map((lat) => lineOf([[west - step, lat], [east + step, lat]]));
  map.getSource("graticule").setData(collection([...meridians, ...parallels]));
  const top = map.unproject([0, 6]).lat;
  const left = map.unproject([6, 0]).lng;
  const labels = [
    ...multiples(west, east, step).map((lon) => label([lon, top], degrees(lon, "E", "W"), "top")),
    ...multiples(south, north, step).filter(isClear(map, left)).map((lat) => label([left, lat], degrees(lat, "N", "S"), "left")),
  ];
  map.getSource("graticule-labels").setData(collection(labels));
}

/** Whether a parallel's label is below those of the meridians. */
const isClear = (map, lon) => (lat) => map.project([lon, lat]).y > HEAD_PX;

/** The largest step that still gives some lines across a span of degrees; none smaller than `least`, for its labels. */
export function stepFor(span, least = 0) {
  const roomy = STEPS.filter((step) => step >= least);
  return roomy.find((step) => span / step >= LEAST_LINES) ?? roomy.at(-1) ?? STEPS[0];
}

export function multiples(low, high, step) {
  const first = Math.ceil(low / step);
  const count = Math.max(0, Math.floor(high / step) - first + 1);
  return Array.from({ length: count }, (_, n) => (first + n) * step);
}

/** Degrees and minutes (and seconds where needed) with the hemisphere: 41°20′N. */
export function degrees(value, positive, negative) {
  const wrapped = positive === "E" ? ((value + 540) % 360) - 180 : value;
  const total = Math.round(Math.abs(wrapped) * 3600);
  const [d, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (n) => String(n).padStart(2, "0");
  return `${d}°${m || s ? `${two(m)}′` : ""}${s ? `${two(s)}″` : ""}${wrapped < 0 ? negative : positive}`;
}

const collection = (features) => ({ type: "FeatureCollection", features });
const lineOf = (coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } });
const label = (coordinates, text, anchor) => ({ type: "Feature", properties: { text, anchor }, geometry: { type: "Point", coordinates } });
