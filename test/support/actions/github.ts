import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What stands under a pull request, or an issue. */
export interface Post {
  id: number;
  body: string;
  user: { type: "Bot" | "User" };
}
export interface Issue extends Post {
  number: number;
  title: string;
  state: "closed" | "open";
}

/** Enough of GitHub for `gh api`: comments and labels of issues, and issues. */
export interface GitHub {
  issues: Issue[];
  /** By the number of the issue. */
  comments: Record<number, Post[]>;
  labels: Record<number, string[]>;
  /** Every call that changed something. */
  writes: string[];
  /** The environment in which `gh` talks to it. */
  env: Record<string, string>;
  dispose: () => void;
}

const BOT = { type: "Bot" } as const;
/** The one it knows. */
export const REPOSITORY = "agency/openclaw-tenants";

/** Starts it on a socket in a folder of its own. */
export async function startGitHub(): Promise<GitHub> {
  const dir = mkdtempSync(join(tmpdir(), "openclaw-tenants-github-"));
  const socket = join(dir, "api.sock");
  writeFileSync(join(dir, "config.yml"), `http_unix_socket: ${socket}\n`);
  const state = { issues: [] as Issue[], comments: {} as Record<number, Post[]>, labels: {} as Record<number, string[]>, writes: [] as string[] };
  let last = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "" } = request;
      const { pathname, searchParams } = new URL(url, "http://api.github.com");
      const text = Buffer.concat(chunks).toString();
      const body = (text === "" ? {} : JSON.parse(text)) as Partial<Issue>;
      if (method !== "GET") state.writes.push(`${method} ${pathname}`);
      const answer = route(method, pathname, searchParams, body);
      response.writeHead(answer === undefined ? 404 : method === "POST" ? 201 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { message: "Not Found" }));
    });
  });
  const route = (method: string, path: string, query: URLSearchParams, body: Partial<Issue>): unknown => {
    const [, number = "", what, id = ""] = new RegExp(`^/repos/${REPOSITORY}/issues(?:/(\\w+))?(?:/(\\w+))?(?:/(\\w+))?$`).exec(path) ?? [undefined, "none"];
    const post = { id: ++last, user: BOT, body: body.body ?? "" };
    switch (`${method} ${number === "comments" ? "comment" : (what ?? (number === "" ? "issues" : "issue"))}`) {
      case "GET issues":
        return state.issues.filter((each) => each.state === (query.get("state") ?? "open"));
      case "POST issues":
        state.issues.push({ ...post, number: last, title: body.title ?? "", state: "open" });
        return state.issues.at(-1);
      case "PATCH issue": {
        const issue = state.issues.find((each) => each.number === Number(number));
        return issue === undefined ? undefined : Object.assign(issue, body);
      }
      case "GET comments":
        return state.comments[Number(number)] ?? [];
      case "POST comments":
        (state.comments[Number(number)] ??= []).push(post);
        return post;
      case "PATCH comment": {
        const comment = Object.values(state.comments)
          .flat()
          .find((each) => each.id === Number(what ?? id));
        return comment === undefined ? undefined : Object.assign(comment, body);
      }
      case "GET labels":
        return (state.labels[Number(number)] ?? []).map((name) => ({ name }));
      default:
        return undefined;
    }
  };
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return {
    ...state,
    env: { GH_CONFIG_DIR: dir },
    dispose: () => {
      server.close();
      server.closeAllConnections();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
