// One topic of /ws-live, kept alive: reconnects with backoff, and asks again when a number is missing.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 60_000; // after this much silence ask for a snapshot
const ANSWER_MS = 10_000; // and without an answer to that take the connection for dead
const FINAL_CODES = new Set([4401, 4403]);
const FINAL_ERRORS = new Set(["forbidden", "not-found", "unknown-topic"]);

export class Feed {
  #topic;
  #listener;
  #socket = null;
  #seq = null; // null: only a snapshot helps
  #wait = FIRST_WAIT_MS;
  #retry = 0;
  #silence = 0;

  /** `listener` has snapshot(lines), changes(lines) and state("connecting" | "live" | "lost" | "refused"). */
  constructor(topic, listener) {
    this.#topic = topic;
    this.#listener = listener;
    const hurry = () => document.visibilityState === "visible" && this.#retry && this.#open();
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    addEventListener("offline", () => this.#drop());
    listener.state("connecting");
    this.#open();
  }

  #open() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws-live`);
    this.#socket = socket;
    socket.onopen = () => this.#ask();
    socket.onmessage = (event) => socket === this.#socket && this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
    this.#watch(ANSWER_MS);
  }

  #ask() {
    this.#seq = null;
    this.#socket.send(JSON.stringify({ type: "subscribe", topic: this.#topic }));
    this.#watch(ANSWER_MS);
  }

  #hear(frame) {
    if (frame.type === "error") return FINAL_ERRORS.has(frame.code) ? this.#end() : this.#drop();
    if (frame.type !== "leaderboard") return undefined;
    this.#watch(SILENCE_MS);
    if (frame.snapshot) return this.#begin(frame);
    if (this.#seq === null || frame.seq <= this.#seq) return undefined;
    if (frame.seq !== this.#seq + 1) return this.#ask();
    this.#seq = frame.seq;
    return this.#listener.changes(frame.changes);
  }

  #begin(frame) {
    this.#seq = frame.seq;
    this.#wait = FIRST_WAIT_MS;
    this.#listener.snapshot(frame.snapshot);
    this.#listener.state("live");
  }

  #watch(ms) {
    clearTimeout(this.#silence);
    const act = () => (this.#socket?.readyState === WebSocket.OPEN && ms === SILENCE_MS ? this.#ask() : this.#drop());
    this.#silence = setTimeout(act, ms);
  }

  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#closed(0);
    socket.close();
  }

  #closed(code) {
    clearTimeout(this.#silence);
    this.#socket = null;
    if (FINAL_CODES.has(code)) return this.#listener.state("refused");
    this.#listener.state("lost");
    // Spread out: a thousand pages must not come back in the same instant.
    this.#retry = setTimeout(() => this.#open(), this.#wait * (0.5 + Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    return undefined;
  }

  #end() {
    const socket = this.#socket;
    this.#closed(4403);
    socket.close();
  }
}
