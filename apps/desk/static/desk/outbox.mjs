// Typed times on their way to the server. Each has an id of its own, made here: it is kept in the browser until the
// server has answered for it, sent again as often as needed, and written once.

export class Outbox {
  /** @param {{store: Storage, name: string, send: (item) => Promise<{status: number, body: object}>, changed: () => void}} parts */
  constructor({ store, name, send, changed }) {
    Object.assign(this, { store, name, send, changed });
    this.busy = false;
    this.online = true;
    this.signedOut = false;
  }

  items() {
    try {
      return JSON.parse(this.store.getItem(this.name)) ?? [];
    } catch {
      return [];
    }
  }

  /** Kept before anything is sent: a closed lid loses nothing. */
  add(item) {
    this.#keep([...this.items(), { ...item, state: "waiting" }]);
    return this.flush();
  }

  /** Send it although it is in doubt. */
  confirm(id) {
    const item = this.items().find((one) => one.id === id);
    const accepted = [...(item?.accepted ?? []), ...Object.keys(item?.doubts ?? {})];
    this.#change(id, { accepted, state: "waiting", doubts: {} });
    return this.flush();
  }

  drop(id) {
    this.#keep(this.items().filter((item) => item.id !== id));
  }

  /** Send what waits, oldest first. Returns the rows the server wrote. */
  async flush() {
    if (this.busy) return [];
    this.busy = true;
    const written = [];
    try {
      for (;;) {
        const next = this.items().find((item) => item.state === "waiting");
        if (!next || !(await this.#one(next, written))) break;
      }
    } finally {
      this.busy = false;
      this.changed(written);
    }
    return written;
  }

  /** Whether to go on with the next. */
  async #one(item, written) {
    let answer;
    try {
      answer = await this.send(item);
    } catch {
      this.online = false;
      return false;
    }
    this.online = true;
    this.signedOut = [401, 403].includes(answer.status) || (answer.status === 200 && !answer.body.row);
    if (this.signedOut || answer.status >= 500) return false;
    if (answer.status === 200) {
      this.drop(item.id);
      written.push(answer.body.row);
    } else if (answer.status === 409) {
      this.#change(item.id, { state: "doubt", doubts: answer.body.doubts });
    } else {
      this.#change(item.id, { state: "refused", doubts: { refused: answer.body.refused ?? `HTTP ${answer.status}` } });
    }
    return true;
  }

  #change(id, values) {
    this.#keep(this.items().map((item) => (item.id === id ? { ...item, ...values } : item)));
  }

  #keep(items) {
    this.store.setItem(this.name, JSON.stringify(items));
    this.changed([]);
  }
}
