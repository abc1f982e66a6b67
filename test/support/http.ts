import { connect } from "node:net";

/** A request as it goes over the wire. */
export interface RawRequest {
  /** Default: GET, or POST where there is a body. */
  method?: string;
  /** The request line's target, sent byte for byte: "/healthz", "//tools/invoke", "http://acme.localhost/". */
  target: string;
  /** Host header. */
  host: string;
  headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
}

export interface RawAnswer {
  status: number;
  headers: string;
  /** As it came, chunk sizes included. */
  body: string;
}

/** Sends a request to a port of this machine without tidying it up first, as every HTTP client would. */
export async function send(port: number, request: RawRequest): Promise<RawAnswer> {
  const text = await exchange(port, render(request));
  const [headers = "", ...body] = text.split("\r\n\r\n");
  const status = /^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1];
  if (status === undefined) throw new Error(`port ${port} answered ${request.target} with ${JSON.stringify(text.slice(0, 200))}, which is not HTTP`);
  return { status: Number(status), headers, body: body.join("\r\n\r\n") };
}

/** Headers of a caller that has a token. */
export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

function render({ method, target, host, headers, body }: RawRequest): string {
  const content = body === undefined ? "" : JSON.stringify(body);
  const all = { Host: host, Connection: "close", "Content-Type": "application/json", "Content-Length": `${Buffer.byteLength(content)}`, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return [`${method ?? (body === undefined ? "GET" : "POST")} ${target} HTTP/1.1`, ...lines, "", content].join("\r\n");
}

async function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text))
      .setEncoding("utf8")
      .setTimeout(60_000, () => socket.destroy(new Error(`port ${port} did not answer within a minute`)))
      .on("data", (chunk: string) => {
        received += chunk;
      })
      .on("close", () => {
        resolve(received);
      })
      .on("error", reject);
  });
}
