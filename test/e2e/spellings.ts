/** One way to write a private path in a request line. */
export interface Spelling {
  target: string;
  /** Whether the gateway itself takes it for the private path: then Caddy is all that stands between. */
  isUnderstood: boolean;
}

const understood = (target: string): Spelling => ({ target, isUnderstood: true });
const strange = (target: string): Spelling => ({ target, isUnderstood: false });

/** `POST /tools/invoke` runs one of the agent's tools. OpenClaw 2026.9.6 decodes nothing here, but resolves dots. */
export const TOOL_CALLS: readonly Spelling[] = [
  understood("/tools/invoke"),
  understood("/tools/../tools/invoke"),
  understood("/healthz/../tools/invoke"),
  understood("/hooks/../tools/invoke"),
  understood("/v1/x/../../tools/./invoke"),
  strange("//tools/invoke"),
  strange("/tools//invoke"),
  strange("/tools/invoke/"),
  strange("/TOOLS/invoke"),
  strange("/%74ools/invoke"),
  strange("/tools%2finvoke"),
  strange("/tools%5cinvoke"),
  strange("/%2574ools/invoke"),
  strange("/hooks/..%2ftools/invoke"),
  strange("/v1/..%252ftools%252finvoke"),
];

/** `POST /api/v1/admin/rpc` is the operator's door. OpenClaw decodes until nothing changes, folds case, and takes "\" for "/". */
export const ADMIN_CALLS: readonly Spelling[] = [
  understood("/api/v1/admin/rpc"),
  understood("/api//v1/admin/rpc"),
  understood("/API/v1/admin/rpc"),
  understood("/%61pi/v1/admin/rpc"),
  understood("/api%2fv1/admin/rpc"),
  understood("/api%5cv1%5cadmin%5crpc"),
  understood("/%2561pi/v1/admin/rpc"),
  understood("/api%252fv1/admin/rpc"),
  understood("/api%25252fv1/admin/rpc"),
  understood("/x/%252e%252e/api/v1/admin/rpc"),
  understood("/x%252f..%252fapi/v1/admin/rpc"),
  understood("/hooks/%2e%2e/api/v1/admin/rpc"),
  strange("/hooks/..%252fapi/v1/admin/rpc"),
  understood("/v1/..%255c..%252fapi/v1/admin/rpc"),
  understood("/api/v1/admin/rpc%20"),
  strange("//api/v1/admin/rpc"),
  strange("/%2fapi/v1/admin/rpc"),
  strange("/;/api/v1/admin/rpc"),
];
