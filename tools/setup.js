// The first step of every npm script. Plain JavaScript without dependencies: the Node that runs it may be old,
// and nothing has been installed yet. It brings the dependencies and hands over to the pinned Node.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const projectDir = dirname(dirname(fileURLToPath(import.meta.url)));
const modulesDir = join(projectDir, "node_modules");
const pinnedNode = join(modulesDir, ".bin", "node");

/**
 * Runs a program to its end and passes on the signals that reach only this process. Ctrl-C in a terminal
 * reaches both, and Pulumi takes a second one for "stop at once".
 * @param {string} file
 * @param {string[]} args
 * @param {import("node:child_process").SpawnOptions} options
 * @returns {Promise<number>}
 */
function run(file, args, options) {
  const child = spawn(file, args, { cwd: projectDir, ...options });
  /** @type {NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const name of signals) process.removeAllListeners(name);
      resolve(code ?? 128 + (signal ? constants.signals[signal] : 0));
    });
  });
}

/**
 * @param {string} message
 * @param {string} hint
 * @returns {never}
 */
function fail(message, hint) {
  process.stderr.write(`error: ${message}\n  ${hint}\n`);
  process.exit(1);
}

/** Whether the process that wrote `file` is still at work. @param {string} file */
function isHeld(file) {
  try {
    process.kill(Number(readFileSync(file, "utf8")), 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Two first runs at once must not install into each other. @param {() => Promise<void>} work */
async function alone(work) {
  const file = join(projectDir, ".local", "npm-ci.pid");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx" });
      break;
    } catch {
      if (!isHeld(file)) rmSync(file, { force: true });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Whether somebody's own `npm ci` brought what package-lock.json names: npm writes down what it installed. */
function isInstalledByNpm() {
  const file = join(modulesDir, ".package-lock.json");
  if (!existsSync(file)) return false;
  /** @type {(path: string) => Record<string, { version?: string, optional?: boolean }>} */
  const read = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
  const installed = read(file);
  // What is optional may be for another machine.
  return Object.entries(read(join(projectDir, "package-lock.json"))).every(
    ([name, { version, optional = false }]) => name === "" || installed[name]?.version === version || (optional && installed[name] === undefined),
  );
}

/** Brings node_modules in line with package-lock.json; a stamp written last says that it is. */
async function install() {
  const wanted = createHash("sha256")
    .update(readFileSync(join(projectDir, "package-lock.json")))
    .digest("hex");
  const stamp = join(modulesDir, ".openclaw-tenants-lock");
  const isCurrent = () => (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) || isInstalledByNpm();
  if (isCurrent()) return;
  await alone(async () => {
    if (isCurrent()) return;
    process.stderr.write("dependencies: installing what package-lock.json names\n");
    const npm = process.env["npm_execpath"] ?? "";
    const [file, ...first] = npm.endsWith("npm-cli.js") ? [process.execPath, npm] : ["npm"];
    // `npm run -s` hands its silence down through the environment, and NODE_ENV=production would leave the tools out.
    const code = await run(file, [...first, "ci", "--include=dev", "--loglevel=error"], { stdio: ["ignore", 2, 2] });
    if (code !== 0) fail(`the dependencies could not be installed: npm ci ended with ${code}`, "see npm's words above; `npm ci` tries again");
    await installNode();
    writeFileSync(stamp, wanted);
  });
}

/** npm versions that block install scripts leave the package `node` without its program; then its script is run here. */
async function installNode() {
  const packageDir = join(modulesDir, "node");
  if (existsSync(pinnedNode) || !existsSync(packageDir)) return;
  await run(process.execPath, ["installArchSpecificPackage"], { cwd: packageDir, stdio: ["ignore", 2, 2] });
}

/** The pinned Node, or the running one where it will do. */
function findNode() {
  if (existsSync(pinnedNode)) return pinnedNode;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 24 || (major === 24 && minor >= 16)) return process.execPath;
  return fail(
    `Node ${process.versions.node} is too old and the npm package "node" brought no other`,
    "`npm rebuild node` installs the pinned one; any Node from 24.16 on will do as well",
  );
}

await install();
const node = findNode();
const env = { ...process.env, PATH: [dirname(node), process.env["PATH"]].join(delimiter) };
process.exitCode = await run(node, [join(projectDir, "tools", "main.ts"), ...process.argv.slice(2)], { cwd: process.cwd(), env, stdio: "inherit" });
