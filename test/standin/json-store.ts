import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** What a simulated cloud remembers, in one JSON file that a test may read and edit between two runs. */
export class JsonStore<T> {
  readonly #file: string;
  readonly #empty: T;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: string, empty: T) {
    this.#file = file;
    this.#empty = empty;
  }

  /** What the file says now. */
  read(): T {
    return existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, "utf8")) as T) : structuredClone(this.#empty);
  }

  /** Changes what the file says, one edit after another: the engine runs many operations at once. */
  edit<R>(change: (content: T) => R | Promise<R>): Promise<R> {
    const edited = this.#last.then(async () => {
      const content = this.read();
      const result = await change(content);
      const temporary = `${this.#file}.${process.pid}`;
      await mkdir(dirname(this.#file), { recursive: true });
      await writeFile(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
      await rename(temporary, this.#file);
      return result;
    });
    // A change that throws leaves the file alone, and the next one is not its concern.
    this.#last = edited.catch(() => undefined);
    return edited;
  }
}
