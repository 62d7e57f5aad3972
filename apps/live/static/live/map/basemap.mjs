// A PMTiles archive as layers: raster as it is; vector in the two common schemas, without any font from elsewhere.

const SOURCE = "basemap";
const ROADS = ["roads", "transportation"];
const PLACES = ["places", "place"];
const NAME = ["coalesce", ["get", "name:latin"], ["get", "name:en"], ["get", "name"], ""];

/** Resolves to { sources, layers(colours), attribution } of the archive at an address; null when it cannot be read. */
export async function basemapStyle(address, addProtocol) {
  try {
    const { PMTiles, Protocol } = globalThis.pmtiles;
    const url = new URL(address, location.href).href;
    const archive = new PMTiles(url);
    const protocol = new Protocol();
    protocol.add(archive);
    addProtocol("pmtiles", protocol.tile);
    const [header, metadata] = await Promise.all([archive.getHeader(), archive.getMetadata()]);
    const isVector = header.tileType === 1;
    return {
      sources: { [SOURCE]: source(url, header, isVector) },
      layers: isVector ? (colours) => vectorLayers(colours, metadata?.vector_layers ?? []) : rasterLayers,
      attribution: metadata?.attribution ?? "",
    };
  } catch (error) {
    console.warn("no basemap", error);
    return null;
  }
}

function source(url, header, isVector) {
  return {
    type: isVector ? "vector" : "raster",
    tiles: [`pmtiles://${url}/{z}/{x}/{y}`],
    minzoom: header.minZoom,
    maxzoom: header.maxZoom,
    bounds: [header.minLon, header.minLat, header.maxLon, header.maxLat],
    ...(isVector ? {} : { tileSize: 256 }),
  };
}

const rasterLayers = () => [{ id: "basemap", type: "raster", source: SOURCE }];

function vectorLayers(colours, known) {
  const has = new Set(known.map((layer) => layer.id));
  const wanted = [
    fill("earth", colours.ground), fill("landcover", colours.green), fill("landuse", colours.green, 0.5),
    fill("water", colours.water), line("waterway", colours.water, 1), fill("buildings", colours.building),
    fill("building", colours.building), ...ROADS.map((name) => road(name, colours)),
    border("boundaries", colours), border("boundary", colours), ...PLACES.map((name) => place(name, colours)),
  ];
  return wanted.filter((layer) => has.has(layer["source-layer"]));
}

const layer = (name, type) => ({ id: `basemap-${name}`, type, source: SOURCE, "source-layer": name });
const polygons = ["match", ["geometry-type"], ["Polygon", "MultiPolygon"], true, false];

function fill(name, colour, opacity = 1) {
  return { ...layer(name, "fill"), filter: polygons, paint: { "fill-color": colour, "fill-opacity": opacity } };
}

function line(name, colour, width) {
  return { ...layer(name, "line"), paint: { "line-color": colour, "line-width": width } };
}

function road(name, colours) {
  const width = ["interpolate", ["exponential", 1.6], ["zoom"], 6, 0.4, 12, 1.6, 16, 8];
  return { ...layer(name, "line"), layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": colours.road, "line-width": width } };
}

function border(name, colours) {
  return { ...layer(name, "line"), paint: { "line-color": colours.border, "line-width": 1, "line-dasharray": [4, 3] } };
}

/** Drawn with the visitor's own fonts: a style without an address of glyphs makes the library do so. */
function place(name, colours) {
  return {
    ...layer(name, "symbol"),
    layout: { "text-field": NAME, "text-font": ["sans-serif"], "text-size": 12, "text-max-width": 8 },
    paint: { "text-color": colours.ink, "text-halo-color": colours.halo, "text-halo-width": 1.2 },
  };
}
