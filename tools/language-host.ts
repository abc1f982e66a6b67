// A language host for `runtime: nodejs`, for an engine that was built from modules and so has none: the engine starts it,
// reads a port from its first line, and asks it over gRPC to run the program with @pulumi/pulumi/cmd/run.
import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";

import * as grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import services from "@pulumi/pulumi/proto/language_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";

/** cmd/run exits with this when it has already told the operator what is wrong. */
const SAID_WHY = 32;

const programs = new Set<ChildProcess>();
let engine = process.argv.slice(2).find((argument) => !argument.startsWith("-")) ?? "";

async function run(request: messages.RunRequest): Promise<messages.RunResponse> {
  const child = spawn(process.execPath, programArgs(request), { cwd: request.getPwd(), env: programEnv(request), stdio: ["ignore", "inherit", "inherit"] });
  programs.add(child);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (...end) => {
      resolve(end);
    });
  });
  programs.delete(child);
  const response = new messages.RunResponse();
  if (code === SAID_WHY) response.setBail(true);
  else if (code !== 0) response.setError(`Program exited with ${signal === null ? `non-zero exit code: ${code}` : `signal ${signal}`}`);
  return response;
}

function programArgs(request: messages.RunRequest): string[] {
  const info = request.getInfo();
  const dir = firstText(info?.getProgramDirectory(), request.getPwd());
  const { nodeargs } = optionsOf(request);
  return [
    ...(typeof nodeargs === "string" ? nodeargs.split(/\s+/) : []),
    createRequire(join(dir, "program.js")).resolve("@pulumi/pulumi/cmd/run"),
    ...["--monitor", request.getMonitorAddress(), "--engine", engine],
    ...["--organization", request.getOrganization(), "--project", request.getProject(), "--stack", request.getStack()],
    ...["--root-directory", firstText(info?.getRootDirectory(), dir), "--pwd", request.getPwd(), "--parallel", String(request.getParallel())],
    ...(request.getDryrun() ? ["--dry-run"] : []),
    firstText(info?.getEntryPoint(), request.getProgram(), "."),
    ...request.getArgsList(),
  ];
}

function programEnv(request: messages.RunRequest): NodeJS.ProcessEnv {
  const { typescript, tsconfig } = optionsOf(request);
  return {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: typescript === false ? "false" : "true",
    ...(typeof tsconfig === "string" ? { PULUMI_NODEJS_TSCONFIG_PATH: tsconfig } : {}),
  };
}

/** In these messages an absent text is an empty one. */
function firstText(...texts: (string | undefined)[]): string {
  return texts.find((text) => text !== undefined && text !== "") ?? "";
}

/** `runtime.options` of Pulumi.yaml. */
function optionsOf(request: messages.RunRequest): Record<string, unknown> {
  return request.getInfo()?.getOptions()?.toJavaScript() ?? {};
}

function stopPrograms(): empty.Empty {
  for (const child of programs) child.kill("SIGINT");
  return new empty.Empty();
}

/** Answers a call with what `reply` makes of its request. */
function answer<Request, Response>(reply: (request: Request) => Response | Promise<Response>): grpc.handleUnaryCall<Request, Response> {
  const respond = async (...[call, done]: Parameters<grpc.handleUnaryCall<Request, Response>>) => {
    try {
      done(null, await reply(call.request));
    } catch (error) {
      done({ code: grpc.status.UNKNOWN, details: error instanceof Error ? error.message : String(error) });
    }
  };
  return (call, done) => void respond(call, done);
}

function describeRuntime(): messages.AboutResponse {
  const response = new messages.AboutResponse();
  response.setExecutable(process.execPath);
  response.setVersion(process.version);
  return response;
}

function describePlugin(): plugin.PluginInfo {
  const info = new plugin.PluginInfo();
  info.setVersion("0.1.0");
  return info;
}

const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 2 ** 20 });
// A call that is not here, like installing dependencies or packing, is answered "unimplemented" by gRPC itself.
server.addService(services.LanguageRuntimeService, {
  handshake: answer((request: messages.LanguageHandshakeRequest) => {
    engine = firstText(request.getEngineAddress(), engine);
    return new messages.LanguageHandshakeResponse();
  }),
  getPluginInfo: answer(describePlugin),
  about: answer(describeRuntime),
  // Nothing to fetch in advance: the engine asks for each plug-in when a resource first needs it.
  getRequiredPackages: answer(() => new messages.GetRequiredPackagesResponse()),
  getRequiredPlugins: answer(() => new messages.GetRequiredPluginsResponse()),
  getProgramDependencies: answer(() => new messages.GetProgramDependenciesResponse()),
  runtimeOptionsPrompts: answer(() => new messages.RuntimeOptionsResponse()),
  cancel: answer(stopPrograms),
  run: answer(run),
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.stdout.write(`${port}\n`);
});
// The engine holds the other end, so this is how its death is noticed.
process.stdin.resume().on("end", () => {
  stopPrograms();
  process.exit(0);
});
