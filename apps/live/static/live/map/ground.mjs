// The map itself: a blank ground with a graticule that needs no internet, and the organiser's basemap where there is one.

import { Map as GlMap, NavigationControl, ScaleControl, addProtocol } from "../vendor/maplibre-gl-6.17.0/maplibre-gl.mjs";

import { calm, words } from "../page.mjs";
import { basemapStyle } from "./basemap.mjs";
import { palette } from "./colours.mjs";
import { drawMissing } from "./images.mjs";
import { keepGraticule } from "./graticule.mjs";

/** Resolves to a map in an element, once its style is there. It is drawn anew when the scheme changes. */
export async function makeMap(container) {
  const basemap = container.dataset.basemap ? await basemapStyle(container.dataset.basemap, addProtocol) : null;
  const map = new GlMap({
    container,
    style: style(basemap),
    center: [20, 41.2],
    zoom: 7,
    attributionControl: basemap?.attribution ? { customAttribution: basemap.attribution, compact: true } : false,
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: calm.matches ? 0 : 150,
    locale: words.controls,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
  map.addControl(new ScaleControl({ maxWidth: 90 }), "bottom-left");
  map.setMissingStyleImageResolver(async (id) => drawMissing(map, id));
  map.on("dataloading", () => { container.ariaBusy = "true"; });
  map.on("idle", () => { container.ariaBusy = "false"; });
  await new Promise((loaded) => map.once("load", loaded));
  keepGraticule(map, basemap !== null);
  return map;
}

function style(basemap) {
  const colours = palette();
  return {
    version: 8,
    sources: { ...(basemap?.sources ?? {}) },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": colours.ground } },
      ...(basemap ? basemap.layers(colours) : []),
    ],
  };
}

export function boundsOf(coordinates) {
  const [lons, lats] = [coordinates.map(([lon]) => lon), coordinates.map(([, lat]) => lat)];
  return [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
}

export function fit(map, coordinates, options = {}) {
  if (!coordinates.length) return;
  map.fitBounds(boundsOf(coordinates), { padding: 48, maxZoom: 14, animate: !calm.matches, duration: 600, ...options });
}
