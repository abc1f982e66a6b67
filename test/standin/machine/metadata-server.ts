import { createServer } from "node:http";

import { readSpec } from "./spec.ts";
import { serversOf } from "./world.ts";

const [world = "", address = ""] = process.argv.slice(2);

/** Answers at Hetzner's metadata address, each server with its own: `node metadata-server.ts <world> <address>`. */
createServer((request, response) => {
  const caller = request.socket.remoteAddress;
  const server = serversOf(world)
    .map((name) => readSpec(world, name))
    .find(({ ipv4 }) => ipv4 === caller);
  const answers: Record<string, string | undefined> = {
    "/hetzner/v1/userdata": server?.userData,
    "/hetzner/v1/metadata/hostname": server?.name,
    "/hetzner/v1/metadata/public-ipv4": server?.ipv4,
  };
  const answer = answers[request.url ?? ""];
  response.writeHead(answer === undefined ? 404 : 200, { "Content-Type": "text/plain" }).end(answer ?? "not found");
}).listen(80, address);
