// The shapes of a course on the map: drawn, picked, their corners dragged. Positions are [longitude, latitude].

import { Marker } from "../live/vendor/maplibre-gl-6.17.0/maplibre-gl.mjs";
import { fit, makeMap } from "../live/map/ground.mjs";

const EARTH_M = 6_371_008.8;
const SNAP_PX = 12;
const DECIMALS = 7;

export const rounded = ([lon, lat]) => [Number(lon.toFixed(DECIMALS)), Number(lat.toFixed(DECIMALS))];
const collection = (features) => ({ type: "FeatureCollection", features });

export class CourseMap {
  #map;
  #shapes = [];
  #chosen = null;
  #draft = [];
  #corners = [];
  #events;

  /** `events`: picked(shape), changed(shape) while dragging, clicked(position) where nothing is picked. */
  constructor(events) {
    this.#events = events;
  }

  async open(container, shapes) {
    this.#map = await makeMap(container);
    for (const name of ["shapes", "track", "draft"]) this.#map.addSource(name, { type: "geojson", data: collection([]) });
    for (const layer of layers()) this.#map.addLayer(layer);
    this.#map.on("click", (event) => this.#click(event));
    this.#map.doubleClickZoom.disable();
    this.show(shapes, null);
    this.fitAll();
    container.dataset.ready = "true";
  }

  fitAll() {
    fit(this.#map, this.#shapes.flatMap((shape) => shape.coordinates), { animate: false });
  }

  goTo(shape) {
    if (shape.coordinates.length) fit(this.#map, ringOf(shape), { maxZoom: 15 });
  }

  /** Draw all shapes, and handles at the chosen one. */
  show(shapes, chosen, handles = false) {
    this.#shapes = shapes;
    this.#chosen = chosen;
    this.#draw();
    this.#setCorners(handles);
  }

  drawing(points, on) {
    this.#draft = points;
    this.#map.getContainer().classList.toggle("is-drawing", on);
    const line = points.length > 1 ? [feature("LineString", points, {})] : [];
    this.#map.getSource("draft").setData(collection([...line, ...points.map((point) => feature("Point", point, {}))]));
  }

  track(line) {
    this.#map.getSource("track").setData(collection([feature("LineString", line, {})]));
    fit(this.#map, line);
  }

  #click(event) {
    const position = this.#snapped(event.point, rounded(event.lngLat.toArray()));
    const ids = this.#map.queryRenderedFeatures(near(event.point), { layers: ["control", "edge", "fill"] }).map((one) => one.properties.id);
    this.#events.clicked(position, this.#draft.length > 2 && this.#isNear(event.point, this.#draft[0]), ids[0] ?? null);
  }

  /** The corner of another shape that is near, or the position itself. */
  #snapped(point, position) {
    const others = this.#shapes.filter((shape) => shape !== this.#chosen).flatMap((shape) => shape.coordinates);
    return others.find((other) => this.#isNear(point, other)) ?? position;
  }

  #isNear(point, position) {
    const at = this.#map.project(position);
    return Math.hypot(at.x - point.x, at.y - point.y) <= SNAP_PX;
  }

  #draw() {
    this.#map.getSource("shapes").setData(collection(this.#shapes.filter((shape) => shape.coordinates.length).flatMap((shape) => featuresOf(shape, shape === this.#chosen))));
  }

  #setCorners(handles) {
    for (const corner of this.#corners) corner.remove();
    this.#corners = [];
    const shape = this.#chosen;
    if (!handles || !shape || shape.shape === "pair") return;
    shape.coordinates.forEach((_position, n) => this.#corner(shape, n));
    if (shape.shape === "polygon") shape.coordinates.forEach((_position, n) => this.#between(shape, n));
    if (shape.shape === "point") this.#ring(shape);
  }

  #corner(shape, n) {
    const marker = this.#handle("desk-corner", shape.coordinates[n], (position) => { shape.coordinates[n] = position; });
    marker.getElement().addEventListener("dblclick", (event) => {
      event.stopPropagation();
      if (shape.shape !== "polygon" || shape.coordinates.length <= 3) return;
      shape.coordinates.splice(n, 1);
      this.#changed(shape);
    });
  }

  /** A small dot on an edge becomes a corner when it is dragged. */
  #between(shape, n) {
    const [a, b] = [shape.coordinates[n], shape.coordinates[(n + 1) % shape.coordinates.length]];
    let made = false;
    this.#handle("desk-corner between", [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], (position) => {
      shape.coordinates.splice(n + 1, made ? 1 : 0, position);
      made = true;
    });
  }

  #ring(shape) {
    const [lon, lat] = shape.coordinates[0];
    const east = lon + degrees(shape.radius || 1) / Math.cos((lat * Math.PI) / 180);
    this.#handle("desk-corner ring", [east, lat], (position) => { shape.radius = Math.max(1, Math.round(metres(shape.coordinates[0], position))); });
  }

  #handle(className, position, moved) {
    const element = Object.assign(document.createElement("div"), { className });
    const marker = new Marker({ element, draggable: true }).setLngLat(position).addTo(this.#map);
    marker.on("drag", () => {
      const to = marker.getLngLat();
      moved(this.#snapped(this.#map.project(to), rounded(to.toArray())));
      this.#draw();
      this.#events.changed(this.#chosen);
    });
    marker.on("dragend", () => this.#changed(this.#chosen));
    this.#corners.push(marker);
    return marker;
  }

  #changed(shape) {
    this.show(this.#shapes, shape, true);
    this.#events.changed(shape);
  }
}

function layers() {
  const colour = ["match", ["get", "kind"], "zone", "#c25e00", "waypoint", "#5b6470", "#0f8a64"];
  const width = ["case", ["get", "chosen"], 4, ["==", ["get", "shape"], "line"], 4, 1.6];
  return [
    { id: "track", type: "line", source: "track", paint: { "line-color": "#a3195b", "line-width": 3, "line-opacity": 0.8 } },
    { id: "fill", type: "fill", source: "shapes", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": colour, "fill-opacity": ["case", ["get", "chosen"], 0.25, 0.12] } },
    { id: "edge", type: "line", source: "shapes", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": colour, "line-width": width } },
    {
      id: "control", type: "symbol", source: "shapes", filter: ["==", ["geometry-type"], "Point"],
      layout: { "icon-image": ["concat", "control|", ["get", "type"], "|", ["get", "label"]], "icon-anchor": "left", "icon-offset": [-9, 0], "icon-allow-overlap": ["step", ["zoom"], false, 12, true] },
    },
    { id: "draft-line", type: "line", source: "draft", paint: { "line-color": "#0b5fa5", "line-width": 3, "line-dasharray": [2, 1] } },
    { id: "draft-point", type: "circle", source: "draft", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": "#0b5fa5", "circle-radius": 6, "circle-stroke-color": "#fff", "circle-stroke-width": 2 } },
  ];
}

function featuresOf(shape, chosen) {
  const properties = { id: shape.id ?? "new", kind: shape.kind, shape: shape.shape, type: shape.type || "", label: shape.label || shape.name || "", chosen };
  if (shape.shape === "line") return [feature("LineString", shape.coordinates, properties)];
  if (shape.shape === "polygon") return [feature("Polygon", [[...shape.coordinates, shape.coordinates[0]]], properties)];
  return [feature("Polygon", [ringOf(shape)], properties), feature("Point", shape.coordinates[0], properties)];
}

const feature = (type, coordinates, properties) => ({ type: "Feature", properties, geometry: { type, coordinates } });
const degrees = (m) => ((m / EARTH_M) * 180) / Math.PI;

/** What bounds a shape: a waypoint's circle as a ring. */
function ringOf(shape) {
  if (shape.shape !== "point") return shape.coordinates;
  const [lon, lat] = shape.coordinates[0];
  const up = degrees(shape.radius || 1);
  const across = up / Math.cos((lat * Math.PI) / 180);
  return Array.from({ length: 49 }, (_all, n) => [lon + across * Math.sin((n / 24) * Math.PI), lat + up * Math.cos((n / 24) * Math.PI)]);
}

function metres([lonA, latA], [lonB, latB]) {
  const across = (lonB - lonA) * Math.cos(((latA + latB) * Math.PI) / 360);
  return (Math.hypot(across, latB - latA) * Math.PI * EARTH_M) / 180;
}

const near = ({ x, y }) => [[x - 6, y - 6], [x + 6, y + 6]];
