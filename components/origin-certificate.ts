import { AuthenticatedOriginPullsCertificate } from "@pulumi/cloudflare/authenticatedOriginPullsCertificate.js";
import { AuthenticatedOriginPullsSettings } from "@pulumi/cloudflare/authenticatedOriginPullsSettings.js";
import { OriginCaCertificate } from "@pulumi/cloudflare/originCaCertificate.js";
import { ZoneSetting } from "@pulumi/cloudflare/zoneSetting.js";
import * as pulumi from "@pulumi/pulumi";
import { CertRequest } from "@pulumi/tls/certRequest.js";
import { LocallySignedCert } from "@pulumi/tls/locallySignedCert.js";
import { PrivateKey } from "@pulumi/tls/privateKey.js";
import { SelfSignedCert } from "@pulumi/tls/selfSignedCert.js";

import { CERTIFICATE_FILES } from "../templates/caddyfile.ts";

export interface OriginCertificateArgs {
  zoneId: string;
  /** Names that the certificate is for. */
  hostnames: string[];
  /** Whether Cloudflare shows a certificate of this zone's in turn. */
  hasPulls: boolean;
}

/** Days; the longest that Cloudflare offers. Nobody but Cloudflare trusts it, and a new one is `pulumi up --replace` away. */
const VALID_DAYS = 5475;
/** The same in hours, for the certificate that Cloudflare shows. */
const VALID_HOURS = VALID_DAYS * 24;

/** What Cloudflare and the edges show each other: its origin certificate, and with `hasPulls` one that admits Cloudflare for this zone alone. */
export class OriginCertificate extends pulumi.ComponentResource {
  /** Files for an edge by name. Secret. */
  readonly files: Readonly<Record<string, pulumi.Output<string>>>;
  /** When the origin certificate ends. */
  readonly expiresOn: pulumi.Output<string>;

  constructor(name: string, { zoneId, hostnames, hasPulls }: OriginCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("openclaw:index:OriginCertificate", name, {}, opts);
    const child: pulumi.CustomResourceOptions = { parent: this };
    const key = newKey(`${name}-key`, child);
    const request = new CertRequest(
      `${name}-request`,
      { privateKeyPem: key.privateKeyPem, subject: { commonName: hostnames[0] ?? "" }, dnsNames: hostnames },
      child,
    );
    const certificate = new OriginCaCertificate(
      name,
      { csr: request.certRequestPem, hostnames, requestType: "origin-ecc", requestedValidity: VALID_DAYS },
      child,
    );
    // Cloudflare checks what the edges show. It is the whole zone's setting, and stays when this is gone.
    new ZoneSetting(`${name}-strict`, { zoneId, settingId: "ssl", value: "strict" }, child);

    this.files = {
      [CERTIFICATE_FILES.certificate]: certificate.certificate,
      [CERTIFICATE_FILES.key]: pulumi.secret(key.privateKeyPem),
      ...(hasPulls ? { [CERTIFICATE_FILES.callers]: this.#admitCloudflare(name, zoneId) } : {}),
    };
    this.expiresOn = certificate.expiresOn;
    this.registerOutputs();
  }

  /** Gives Cloudflare a certificate to show, and returns the one that vouches for it. */
  #admitCloudflare(name: string, zoneId: string): pulumi.Output<string> {
    const child: pulumi.CustomResourceOptions = { parent: this };
    const authorityKey = newKey(`${name}-callers-authority-key`, child);
    const authority = new SelfSignedCert(
      `${name}-callers-authority`,
      {
        privateKeyPem: authorityKey.privateKeyPem,
        isCaCertificate: true,
        allowedUses: ["cert_signing"],
        subject: { commonName: "openclaw-tenants callers" },
        validityPeriodHours: VALID_HOURS,
      },
      child,
    );
    const key = newKey(`${name}-callers-key`, child);
    const request = new CertRequest(`${name}-callers-request`, { privateKeyPem: key.privateKeyPem, subject: { commonName: "Cloudflare" } }, child);
    const shown = new LocallySignedCert(
      `${name}-callers`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: authorityKey.privateKeyPem,
        caCertPem: authority.certPem,
        allowedUses: ["client_auth", "digital_signature"],
        validityPeriodHours: VALID_HOURS,
      },
      child,
    );
    const brought = new AuthenticatedOriginPullsCertificate(
      `${name}-callers`,
      { zoneId, certificate: shown.certPem, privateKey: pulumi.secret(key.privateKeyPem) },
      child,
    );
    const shows = new AuthenticatedOriginPullsSettings(`${name}-callers`, { zoneId, enabled: true }, { ...child, dependsOn: [brought] });
    // An edge asks for it only once Cloudflare shows it; else nobody would be let in meanwhile.
    return pulumi.all([authority.certPem, shows.id]).apply(([certPem]) => certPem);
  }
}

function newKey(name: string, opts: pulumi.CustomResourceOptions): PrivateKey {
  return new PrivateKey(name, { algorithm: "ECDSA", ecdsaCurve: "P256" }, opts);
}
