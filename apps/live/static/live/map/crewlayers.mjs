// The crews on the map: trails, clusters, pills with race numbers, and which way they head.

import { calm } from "../page.mjs";
import { palette } from "./colours.mjs";

const EMPTY = { type: "FeatureCollection", features: [] };
const SIGN = ["concat", "crew|", ["to-string", ["get", "number"]], "|", ["get", "colour"], "|", ["get", "state"]];

/** Add sources and layers; returns `draw(crews, now)`. `choose(entryId)` is called for a crew that is clicked. */
export function crewLayers(map, choose) {
  map.addSource("trails", { type: "geojson", data: EMPTY });
  map.addSource("crews", { type: "geojson", data: EMPTY, cluster: true, clusterRadius: 26, clusterMaxZoom: 13 });
  map.addSource("apart", { type: "geojson", data: EMPTY });
  for (const layer of layers()) map.addLayer(layer);
  listen(map, choose);
  return (crews, now) => {
    map.getSource("trails").setData(crews.trails());
    map.getSource("crews").setData(crews.points(now));
    map.getSource("apart").setData(crews.apartPoints(now));
  };
}

function layers() {
  const { halo } = palette();
  const lines = { "line-join": "round", "line-cap": "round" };
  const always = { "icon-allow-overlap": true, "icon-ignore-placement": true };
  const turned = { "icon-image": ["concat", "heading|", ["get", "colour"]], "icon-rotate": ["get", "course"], "icon-rotation-alignment": "map", ...always };
  const heading = (source) => ({ id: `${source}-heading`, type: "symbol", source, filter: ["all", ["!", ["has", "point_count"]], ["get", "heads"]], layout: turned });
  const sign = (source) => ({ id: `${source}-sign`, type: "symbol", source, filter: ["!", ["has", "point_count"]], layout: { "icon-image": SIGN, ...always } });
  return [
    { id: "trail-edge", type: "line", source: "trails", layout: lines, paint: { "line-color": halo, "line-width": 5, "line-opacity": 0.6 } },
    { id: "trail", type: "line", source: "trails", layout: lines, paint: { "line-color": ["get", "colour"], "line-width": 2.5, "line-opacity": 0.85 } },
    heading("crews"),
    sign("crews"),
    {
      id: "clusters", type: "symbol", source: "crews", filter: ["has", "point_count"],
      layout: { "icon-image": ["concat", "cluster|", ["to-string", ["get", "point_count"]]], ...always },
    },
    heading("apart"),
    sign("apart"),
  ];
}

function listen(map, choose) {
  for (const id of ["crews-sign", "apart-sign"]) {
    map.on("click", id, ({ features }) => choose(features[0].properties.entryId));
  }
  map.on("click", "clusters", async ({ features: [cluster] }) => {
    const zoom = await map.getSource("crews").getClusterExpansionZoom(cluster.properties.cluster_id);
    map[calm.matches ? "jumpTo" : "easeTo"]({ center: cluster.geometry.coordinates, zoom });
  });
  for (const id of ["crews-sign", "apart-sign", "clusters"]) {
    map.on("mouseenter", id, () => { map.getCanvas().style.cursor = "pointer"; });
    map.on("mouseleave", id, () => { map.getCanvas().style.cursor = ""; });
  }
}
