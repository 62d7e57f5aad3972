// A consumer written the usual way, to compare with: run by benchmarks/ingest.py with redis and pg from npm.
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_MODULES + "/");
const { createClient } = require("redis");
const { Client } = require("pg");

const GROUP = "processor";
const COLUMNS = [
  "device_id", "ts", "latitude", "longitude", "altitude", "angle", "speed", "satellites", "priority", "codec",
  "attributes",
];
const stream = process.env.REDIS_TELEMETRY_STREAM;
const redis = createClient({ url: process.env.REDIS_URL });
const database = new Client({ connectionString: process.env.DATABASE_URL });

function row({ message }) {
  const p = JSON.parse(message.payload);
  return [
    p.device_id, p.timestamp, p.latitude, p.longitude, p.altitude, p.angle, p.speed, p.satellites, p.priority,
    message.codec, JSON.stringify(p.attributes),
  ];
}

async function insert(rows) {
  const places = rows.map((_, r) => `(${COLUMNS.map((_, c) => `$${r * COLUMNS.length + c + 1}`).join(",")})`);
  await database.query(
    `insert into positions (${COLUMNS.join(",")}) values ${places.join(",")}` +
      " on conflict (device_id, ts) do nothing returning device_id, ts",
    rows.flat(),
  );
}

await redis.connect();
await database.connect();
for (;;) {
  const reply = await redis.xReadGroup(GROUP, "usual", { key: stream, id: ">" }, { COUNT: 100, BLOCK: 1000 });
  const messages = reply?.[0].messages ?? [];
  for (let begin = 0; begin < messages.length; begin += 50) {
    await insert(messages.slice(begin, begin + 50).map(row));
  }
  if (messages.length) await redis.xAck(stream, GROUP, messages.map(({ id }) => id));
}
