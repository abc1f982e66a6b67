/** Says what set-up is doing, on stderr: stdout belongs to the command that was asked for. */
export function say(part: string, text: string): void {
  process.stderr.write(`${part}: ${text}\n`);
}

/** Announces a long step, shows every half minute that it is alive, and says how long it took. */
export async function timed<T>(part: string, doing: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const elapsed = () => `${Math.round((Date.now() - start) / 1000)} s`;
  say(part, doing);
  const pulse = setInterval(() => {
    say(part, `still at it after ${elapsed()}`);
  }, 30_000);
  try {
    const result = await work();
    say(part, `done in ${elapsed()}`);
    return result;
  } finally {
    clearInterval(pulse);
  }
}
