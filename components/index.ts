export { Edge, type EdgeArgs } from "./edge.ts";
export { Gateway, type GatewayArgs } from "./gateway.ts";
export { Host, type HostArgs } from "./host.ts";
export { type TenantOutput, TenantStack, type TenantStackArgs } from "./tenant-stack.ts";
