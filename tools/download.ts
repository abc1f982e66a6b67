import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** How long a source may take to answer at all. */
const ANSWER_MS = 4000;

/** How long a download may stand still. */
const STALL_MS = 20_000;

/** Whether a source answers within seconds. */
export async function isReachable(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(ANSWER_MS) })).ok;
  } catch (error) {
    if (isNetworkError(error)) return false;
    throw error;
  }
}

/** Saves what `url` holds as `file`. False when nobody answers in time, the answer is a refusal, or the stream dries up. */
export async function download(url: string, file: string): Promise<boolean> {
  const abort = new AbortController();
  let watchdog = setTimeout(() => {
    abort.abort();
  }, ANSWER_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || response.body === null) return false;
    const watched = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => {
          abort.abort();
        }, STALL_MS);
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(response.body), watched, createWriteStream(file));
    return true;
  } catch (error) {
    if (isNetworkError(error)) return false;
    throw error;
  } finally {
    clearTimeout(watchdog);
    abort.abort();
  }
}

/** `fetch` reports every failure of the network as a TypeError with a cause, and our own time-outs as DOMExceptions. */
function isNetworkError(error: unknown): boolean {
  return error instanceof DOMException || (error instanceof TypeError && /fetch failed|terminated/.test(error.message));
}
