// The colours of the map, in light and dark.

const dark = matchMedia("(prefers-color-scheme: dark)");

const LIGHT = {
  ground: "#eceae4", line: "#d3cfc4", ink: "#33383d", halo: "#ffffff", zone: "#c2410c", course: "#5b6470", water: "#bcd5e6",
  green: "#dde5cf", road: "#ffffff", edge: "#cfc9bb", border: "#a79fb3", building: "#d9d4c8",
};
const DARK = {
  ground: "#12181f", line: "#26303a", ink: "#e6ecf2", halo: "#0b1016", zone: "#f59e5b", course: "#9aa8b7", water: "#142a3d",
  green: "#18241d", road: "#34404c", edge: "#1a222a", border: "#5c5670", building: "#1f2932",
};

export const palette = () => (dark.matches ? DARK : LIGHT);

/** Call `redraw` when light becomes dark or the other way. */
export const onScheme = (redraw) => dark.addEventListener("change", redraw);
