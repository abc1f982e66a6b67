import { createServer, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";

/** Stands between Docker's clients and Docker, and counts what they ask. */
export interface CountingProxy {
  /** For DOCKER_HOST. */
  readonly endpoint: string;
  /** Requests since the last call, by method and path without ids: "GET /containers/{id}/json". */
  take(): Map<string, number>;
  close(): Promise<void>;
}

/** Listens on a unix socket and passes everything on to `endpoint`, connections that are taken over (attach) as well. */
export async function startCountingProxy(socketPath: string, endpoint: string): Promise<CountingProxy> {
  const target = parseEndpoint(endpoint);
  let counts = new Map<string, number>();
  const open = new Set<Socket>();
  const count = ({ method = "", url = "" }: IncomingMessage): void => {
    const key = `${method} ${withoutIds(url)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };

  const server = createServer((incoming, outgoing) => {
    count(incoming);
    const { method, url, headers } = incoming;
    const forwarded = request({ ...target, method, path: url, headers, agent: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      // What Docker streams is to be seen as it comes.
      outgoing.flushHeaders();
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  server.on("upgrade", (incoming, client: Socket, head) => {
    count(incoming);
    const docker = connect({ ...target, allowHalfOpen: true });
    docker.write(`${[`${incoming.method} ${incoming.url} HTTP/1.1`, ...rawHeaders(incoming)].join("\r\n")}\r\n\r\n`);
    docker.write(head);
    client.pipe(docker).pipe(client);
    for (const [one, other] of [[client, docker], [docker, client]] as const) one.on("error", () => other.destroy()).on("close", () => other.destroy());
  });
  server.on("connection", (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socketPath, resolve));

  return {
    endpoint: `unix://${socketPath}`,
    take: () => {
      const taken = counts;
      counts = new Map();
      return taken;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
}

function parseEndpoint(endpoint: string): { socketPath: string } | { host: string; port: number } {
  const { protocol, pathname, hostname, port } = new URL(endpoint);
  if (protocol === "unix:") return { socketPath: pathname };
  if (protocol === "tcp:" || protocol === "http:") return { host: hostname, port: Number(port) };
  throw new Error(`Docker at ${endpoint} cannot be counted: only unix and tcp endpoints can`);
}

function rawHeaders({ rawHeaders: raw }: IncomingMessage): string[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${raw[index + 1] ?? ""}`] : []));
}

/** "/v1.41/containers/4f2c…/json?size=1" becomes "/containers/{id}/json". */
function withoutIds(url: string): string {
  const [, kind = "", ...rest] = (url.split("?", 1)[0] ?? "").replace(/^\/v\d+\.\d+(?=\/)/, "").split("/");
  const known = ["archive", "attach", "create", "json", "logs", "prune", "start", "stop", "update", "wait"];
  const parts = rest.map((part) => (known.includes(part) ? part : "{id}"));
  // An image's name has slashes of its own.
  return `/${[kind, ...parts.filter((part, index) => part !== "{id}" || parts[index - 1] !== "{id}")].join("/")}`;
}
