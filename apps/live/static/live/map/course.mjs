// The course: legs from control to control, controls with the radius that validates them, zones, areas and gates.

import { palette } from "./colours.mjs";

const EARTH_M = 6_371_008.8;
const CIRCLE_FROM_ZOOM = 12;
const NAMES_FROM_ZOOM = 10;

/** Resolves to what draws the features at an address: `show(stage)` keeps to one stage's own, and returns them. */
export async function openCourse(map, address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the course: ${answer.status}`);
  const all = (await answer.json()).features;
  for (const id of ["course", "course-circles"]) map.addSource(id, { type: "geojson", data: collection([]) });
  for (const layer of layers()) map.addLayer(layer);
  return (stage) => {
    const features = all.filter(({ properties }) => !stage || !properties.stage || properties.stage === stage);
    map.getSource("course").setData(collection(features));
    map.getSource("course-circles").setData(collection(features.filter(isWaypoint).map(circle)));
    return features;
  };
}

const isWaypoint = ({ properties }) => properties.kind === "waypoint";
const kind = (name) => ["==", ["get", "kind"], name];

function layers() {
  const { course, zone, ink } = palette();
  const of = (id, type, name, rest) => ({ id: `course-${id}`, type, source: "course", filter: kind(name), ...rest });
  return [
    of("area", "fill", "area", { paint: { "fill-color": course, "fill-opacity": 0.12 } }),
    of("area-edge", "line", "area", { paint: { "line-color": course, "line-width": 1.2, "line-dasharray": [3, 2] } }),
    of("zone", "fill", "zone", { paint: { "fill-color": zone, "fill-opacity": 0.14 } }),
    of("zone-edge", "line", "zone", { paint: { "line-color": zone, "line-width": 1.4 } }),
    of("leg", "line", "leg", { layout: { "line-join": "round" }, paint: { "line-color": course, "line-width": 1.6, "line-dasharray": [2, 2], "line-opacity": 0.8 } }),
    of("gate", "line", "gate", { paint: { "line-color": ink, "line-width": 4 } }),
    { id: "course-circle", type: "line", source: "course-circles", minzoom: CIRCLE_FROM_ZOOM, paint: { "line-color": course, "line-width": 1 } },
    of("control", "symbol", "waypoint", {
      layout: {
        "icon-image": ["step", ["zoom"], ["concat", "control|", ["get", "type"], "|"], NAMES_FROM_ZOOM, ["concat", "control|", ["get", "type"], "|", ["get", "name"]]],
        "icon-anchor": "left", "icon-offset": [-9, 0], "icon-padding": 0,
        "symbol-sort-key": ["match", ["get", "type"], ["DSS", "ASS"], 0, 1], "icon-allow-overlap": ["step", ["zoom"], false, 13, true],
      },
    }),
    of("limit", "symbol", "zone", { minzoom: 9, layout: { "icon-image": ["concat", "limit|", ["to-string", ["round", ["get", "limit"]]]] } }),
  ];
}

/** A waypoint's circle of validation as a ring of positions. */
function circle({ geometry, properties }) {
  const [lon, lat] = geometry.coordinates;
  const up = ((properties.radius / EARTH_M) * 180) / Math.PI;
  const across = up / Math.cos((lat * Math.PI) / 180);
  const coordinates = Array.from({ length: 49 }, (_, n) => {
    const turn = (n / 48) * 2 * Math.PI;
    return [lon + across * Math.sin(turn), lat + up * Math.cos(turn)];
  });
  return { type: "Feature", properties, geometry: { type: "LineString", coordinates } };
}

/** Every position of features, flat, to fit a view to. */
export function positionsOf(features) {
  return features.flatMap(({ geometry }) => flat(geometry.coordinates));
}

const flat = (nested) => (typeof nested[0] === "number" ? [nested] : nested.flatMap(flat));
const collection = (features) => ({ type: "FeatureCollection", features });
