// Stand-in for the plug-in cloudflare 6.22.1 (Terraform provider cloudflare 5.22): it answers and remembers as Cloudflare does, in a folder.
import * as z from "zod";

import { Account } from "./account.ts";
import { dnsRecord } from "./cloudflare/dns-record.ts";
import { cloudflareDialect } from "./cloudflare/errors.ts";
import { functions } from "./cloudflare/functions.ts";
import { originCaCertificate } from "./cloudflare/origin-ca-certificate.ts";
import { originPullsCertificate, originPullsSettings } from "./cloudflare/origin-pulls.ts";
import { zoneSetting } from "./cloudflare/zone-setting.ts";
import { previewable } from "./inputs.ts";
import { type Provider, serve } from "./provider.ts";
import { findWorld } from "./world.ts";

const Config = z.strictObject({ apiToken: z.string().optional(), baseUrl: z.string().optional(), userAgentOperatorSuffix: z.string().optional() });

/** The provider of one account. */
export function cloudflare(account: Account): Provider {
  return {
    name: "cloudflare",
    version: "6.22.1",
    config: previewable(Config),
    // Whether there is a token, and which, only a call finds out.
    configure: (config) => {
      account.token = Config.parse(config).apiToken ?? process.env["CLOUDFLARE_API_TOKEN"];
      return Promise.resolve();
    },
    kinds: {
      "cloudflare:index/authenticatedOriginPullsCertificate:AuthenticatedOriginPullsCertificate": originPullsCertificate(account),
      "cloudflare:index/authenticatedOriginPullsSettings:AuthenticatedOriginPullsSettings": originPullsSettings(account),
      "cloudflare:index/dnsRecord:DnsRecord": dnsRecord(account),
      "cloudflare:index/originCaCertificate:OriginCaCertificate": originCaCertificate(account),
      "cloudflare:index/zoneSetting:ZoneSetting": zoneSetting(account),
    },
    functions: functions(account),
  };
}

if (import.meta.main) serve(cloudflare(new Account(cloudflareDialect, findWorld())));
