import { connect, createServer, type NetConnectOpts, type Socket } from "node:net";

/** Start of a request, wherever it stands in what a client sends. */
const REQUEST = /(GET|HEAD|POST|PUT|DELETE) (\/\S*) HTTP\/1\.1\r\n/g;

/** Stands between Docker's clients and Docker, and counts what they ask. */
export interface CountingProxy {
  /** For DOCKER_HOST. */
  readonly endpoint: string;
  /** Requests since the last call, by method and path without ids: "GET /containers/{id}/json". */
  take(): Map<string, number>;
  close(): Promise<void>;
}

/**
 * Listens on a unix socket and passes every byte on to `endpoint` as it comes, so that connections which are taken over (attach) and those that
 * idle behave as without it. Requests are read in passing.
 */
export async function startCountingProxy(socketPath: string, endpoint: string): Promise<CountingProxy> {
  const target = parseEndpoint(endpoint);
  let counts = new Map<string, number>();
  const open = new Set<Socket>();

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const docker = connect({ ...target, allowHalfOpen: true });
    let rest = "";
    client.on("data", (bytes) => {
      const text = rest + bytes.toString("latin1");
      for (const [, method = "", url = ""] of text.matchAll(REQUEST)) {
        const key = `${method} ${withoutIds(url)}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      // A request line may come in two pieces.
      rest = text.slice(text.lastIndexOf("\n") + 1);
    });
    client.pipe(docker).pipe(client);
    client.on("error", () => docker.destroy());
    docker.on("error", () => client.destroy());
    for (const socket of [client, docker]) {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
    }
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

function parseEndpoint(endpoint: string): NetConnectOpts {
  const { protocol, pathname, hostname, port } = new URL(endpoint);
  if (protocol === "unix:") return { path: pathname };
  if (protocol === "tcp:" || protocol === "http:") return { host: hostname, port: Number(port) };
  throw new Error(`Docker at ${endpoint} cannot be counted: only unix and tcp endpoints can`);
}

/** "/v1.41/containers/4f2c…/json?size=1" becomes "/containers/{id}/json". */
function withoutIds(url: string): string {
  const [, kind = "", ...rest] = (url.split("?", 1)[0] ?? "").replace(/^\/v\d+\.\d+(?=\/)/, "").split("/");
  const known = ["archive", "attach", "connect", "create", "json", "logs", "prune", "start", "stop", "update", "wait"];
  const parts = rest.map((part) => (known.includes(part) ? part : "{id}"));
  // An image's name has slashes of its own.
  return `/${[kind, ...parts.filter((part, index) => part !== "{id}" || parts[index - 1] !== "{id}")].join("/")}`;
}
