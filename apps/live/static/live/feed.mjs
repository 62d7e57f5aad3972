// The connection to /ws-live with the topics a page follows: reconnects with backoff, and asks again when a number
// is missing.

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 60_000; // after this much silence ask again
const ANSWER_MS = 10_000; // and without an answer to that take the connection for dead
const FINAL_CODES = new Set([4401, 4403]);
const FINAL_ERRORS = new Set(["forbidden", "not-found", "unknown-topic"]);

export class Feed {
  #topics = new Map(); // name → { listener, seq }; seq null: only a snapshot helps
  #showState;
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #retry = 0;
  #silence = 0;
  #over = false;

  /** `showState` is told "connecting", "live", "lost" or "refused". */
  constructor(showState) {
    this.#showState = showState;
    const hurry = () => document.visibilityState === "visible" && this.#retry && this.#open();
    addEventListener("online", hurry);
    document.addEventListener("visibilitychange", hurry);
    addEventListener("offline", () => this.#drop());
    showState("connecting");
  }

  /** `listener` has snapshot(lines) and changes(lines). */
  follow(topic, listener) {
    this.#topics.set(topic, { listener, seq: null });
    if (this.#socket?.readyState === WebSocket.OPEN) this.#ask(topic);
    else if (!this.#socket && !this.#over) this.#open();
  }

  unfollow(topic) {
    if (!this.#topics.delete(topic) || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type: "unsubscribe", topic }));
  }

  #open() {
    clearTimeout(this.#retry);
    this.#retry = 0;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws-live`);
    this.#socket = socket;
    socket.onopen = () => socket === this.#socket && this.#askAll();
    socket.onmessage = (event) => socket === this.#socket && this.#hear(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.#socket && this.#closed(event.code);
    this.#watch(ANSWER_MS);
  }

  #askAll() {
    for (const topic of this.#topics.keys()) this.#ask(topic);
  }

  /** With the number it has a page is told what it missed; one that is too far behind gets a snapshot. */
  #ask(topic) {
    const { seq } = this.#topics.get(topic);
    this.#socket.send(JSON.stringify({ type: "subscribe", topic, batch: true, ...(seq === null ? {} : { since: seq }) }));
    this.#watch(ANSWER_MS);
  }

  #hear(frame) {
    const held = this.#topics.get(frame.topic);
    if (frame.type === "error") return FINAL_ERRORS.has(frame.code) ? this.#end() : this.#drop();
    this.#watch(SILENCE_MS);
    if (!held || frame.type === "unsubscribed") return undefined;
    if (frame.seq !== undefined) return this.#hearNumbered(frame, held);
    if (frame.snapshot) held.listener.snapshot(frame.snapshot);
    else if (frame.changes) held.listener.changes(frame.changes);
    else if (frame.type === "positions") held.listener.changes(frame.positions);
    else if (frame.type === "position") held.listener.changes([frame]);
    // A board's subscription without a number so far announces a snapshot: only that is live.
    if (frame.type !== "subscribed" || frame.snapshot || held.seq !== null) this.#live();
    return undefined;
  }

  #hearNumbered(frame, held) {
    if (frame.snapshot) {
      held.seq = frame.seq;
      held.listener.snapshot(frame.snapshot);
      return this.#live();
    }
    if (held.seq === null || frame.seq <= held.seq) return undefined;
    if (frame.seq !== held.seq + 1) {
      held.seq = null;
      return this.#ask(frame.topic);
    }
    held.seq = frame.seq;
    held.listener.changes(frame.changes);
    return this.#live();
  }

  #live() {
    this.#wait = FIRST_WAIT_MS;
    this.#showState("live");
  }

  #watch(ms) {
    clearTimeout(this.#silence);
    const isOpen = () => this.#socket?.readyState === WebSocket.OPEN;
    this.#silence = setTimeout(() => (ms === SILENCE_MS && isOpen() ? this.#askAll() : this.#drop()), ms);
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
    if (FINAL_CODES.has(code)) {
      this.#over = true;
      return this.#showState("refused");
    }
    this.#showState("lost");
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
