// Every sign on the map is drawn here with the visitor's own fonts: no glyphs and no sprites from anywhere.
// The name of an image says what is on it: "crew|301|#0b5fa5|fresh", "cluster|12", "heading|#0b5fa5", "label|41°N".

import { palette } from "./colours.mjs";

const RATIO = 2;
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const DRAWN = { crew, cluster, heading, label, control, limit };

/** Draw the image a layer asked for; any other name is not ours. */
export function drawMissing(map, id) {
  const [kind, ...values] = id.split("|");
  if (!DRAWN[kind] || map.hasImage(id)) return;
  map.addImage(id, DRAWN[kind](...values), { pixelRatio: RATIO });
}

/** A pill with a race number in the colour of its class; hollow where the position is old. */
function crew(number, colour, state) {
  const context = canvas(textWidth(number, "700 13px") + 16, 24);
  const { width, height } = size(context);
  pill(context, 2, 2, width - 4, height - 4);
  context.fillStyle = state === "stale" ? palette().halo : colour;
  context.fill();
  context.lineWidth = state === "followed" ? 3 : 2;
  context.strokeStyle = state === "stale" ? colour : state === "followed" ? palette().ink : palette().halo;
  context.stroke();
  write(context, number, "700 13px", state === "stale" ? palette().ink : inkOn(colour));
  return data(context);
}

function cluster(count) {
  const across = 30 + Math.min(16, 4 * Math.log2(Number(count)));
  const context = canvas(across, across);
  circle(context, across / 2, across / 2, across / 2 - 2);
  context.fillStyle = palette().ink;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = palette().halo;
  context.stroke();
  write(context, count, "700 13px", palette().halo);
  return data(context);
}

/** A wedge that points north, to stand out above a pill and be turned by the heading. */
function heading(colour) {
  const context = canvas(48, 48);
  context.beginPath();
  context.moveTo(24, 0);
  context.lineTo(33, 14);
  context.quadraticCurveTo(24, 9, 15, 14);
  context.closePath();
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = palette().halo;
  context.stroke();
  return data(context);
}

function label(text) {
  const context = canvas(textWidth(text, "500 11px") + 8, 16);
  write(context, text, "500 11px", palette().ink, palette().ground);
  return data(context);
}

/** A control: start and finish as flags of their own, the others as dots with their name. */
function control(type, name) {
  const context = canvas(textWidth(name, "600 11px") + 26, 18);
  const { height } = size(context);
  circle(context, 9, height / 2, 6);
  context.fillStyle = { DSS: "#1b7f4b", ASS: palette().ink }[type] ?? palette().halo;
  context.fill();
  context.lineWidth = 2;
  context.strokeStyle = type === "DSS" ? palette().halo : palette().ink;
  context.stroke();
  context.textAlign = "left";
  write(context, name, "600 11px", palette().ink, palette().halo, 19);
  return data(context);
}

/** A round sign with a speed limit. */
function limit(kmh) {
  const context = canvas(28, 28);
  circle(context, 14, 14, 11);
  context.fillStyle = "#ffffff";
  context.fill();
  context.lineWidth = 3.5;
  context.strokeStyle = "#c0262d";
  context.stroke();
  write(context, kmh, "700 11px", "#16202b");
  return data(context);
}

function canvas(width, height) {
  const made = document.createElement("canvas");
  made.width = Math.ceil(width) * RATIO;
  made.height = Math.ceil(height) * RATIO;
  const context = made.getContext("2d", { willReadFrequently: true });
  context.scale(RATIO, RATIO);
  return context;
}

const size = ({ canvas: { width, height } }) => ({ width: width / RATIO, height: height / RATIO });

function textWidth(text, font) {
  const context = canvas(1, 1);
  context.font = `${font} ${FONT}`;
  return context.measureText(text).width;
}

function write(context, text, font, ink, halo = null, x = size(context).width / 2) {
  context.font = `${font} ${FONT}`;
  if (x === size(context).width / 2) context.textAlign = "center";
  context.textBaseline = "middle";
  const y = size(context).height / 2 + 0.5;
  if (halo) {
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = halo;
    context.strokeText(text, x, y);
  }
  context.fillStyle = ink;
  context.fillText(text, x, y);
}

function pill(context, x, y, width, height) {
  context.beginPath();
  context.roundRect(x, y, width, height, height / 2);
}

function circle(context, x, y, radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
}

function data(context) {
  const { width, height } = context.canvas;
  return context.getImageData(0, 0, width, height);
}

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#10161d" : "#ffffff";
}
