const WINDOW_MS = 5000;
const FIRST_MS = 1000;

/** Values per second over the last five seconds, or since the first value when that is less. */
export class Rate {
  #times: number[] = [];
  #began: number | null = null;

  add(now: number): void {
    this.#began ??= now;
    this.#times.push(now);
  }

  at(now: number): number {
    if (this.#began === null) return 0;
    this.#times = this.#times.filter((time) => now - time < WINDOW_MS);
    const span = Math.min(WINDOW_MS, Math.max(FIRST_MS, now - this.#began));
    return (this.#times.length * 1000) / span;
  }
}
